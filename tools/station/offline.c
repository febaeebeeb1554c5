/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "input.h"
#include "message.h"
#include "offline.h"

/* ---- a request's file -------------------------------------------------- */

void offline_close(struct file *file)
{
    json_decref(file->body);
    *file = (struct file){0};
}

bool offline_is_asserted(const struct file *file)
{
    return json_object_get(file->body, "pkcs10") != NULL;
}

/* NULL: a text is no UTF-8. */
static json_t *body_of_csr(const struct devid_tcg_csr *csr, const char *data,
                           size_t len)
{
    json_t *body = json_object();

    if (json_object_set_new(body, "serial",
                            json_stringn((const char *)csr->prodSerial.data,
                                         csr->prodSerial.len)) == 0 &&
        json_object_set_new(body, "model",
                            json_stringn((const char *)csr->prodModel.data,
                                         csr->prodModel.len)) == 0 &&
        json_object_set_new(body, "request", body_base64(data, len)) == 0)
        return body;
    json_decref(body);
    return NULL;
}

/* PKCS#10 in PEM or DER; NULL: it is none. */
static json_t *read_pkcs10(const char *data, size_t len)
{
    const unsigned char *p = (const unsigned char *)data;
    BIO *bio = BIO_new_mem_buf(data, (int)len);
    X509_REQ *req = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
    unsigned char *der = NULL;
    json_t *body = NULL;
    int der_len;

    if (!req)
        req = d2i_X509_REQ(NULL, &p, (long)len);
    der_len = req ? i2d_X509_REQ(req, &der) : 0;
    if (der_len > 0)
        body = json_pack("{s:o}", "pkcs10", body_base64(der, (size_t)der_len));
    OPENSSL_free(der);
    X509_REQ_free(req);
    BIO_free(bio);
    ERR_clear_error();
    return body;
}

static enum exit_code read_request(const char *path, const char *data,
                                   size_t len, struct file *file)
{
    const struct devid_bytes bytes = {(const uint8_t *)data, len};
    struct devid_tcg_csr csr;
    struct devid_error err = {0};

    if (devid_tcg_csr_decode(bytes, NULL, &csr, &err) != DEVID_OK)
        return fail("%s is neither what devid request writes, nor a PKCS#10 "
                    "request: %.600s",
                    path, err.text);
    file->body = body_of_csr(&csr, data, len);
    return file->body
               ? EXIT_DONE
               : fail("the serial number or model in %s is no UTF-8", path);
}

static enum exit_code read_json(const char *path, const char *data, size_t len,
                                struct file *file)
{
    json_error_t where;

    file->body = json_loadb(data, len, JSON_REJECT_DUPLICATES, &where);
    return file->body ? EXIT_DONE
                      : fail("%s is no JSON: line %d: %s", path, where.line,
                             where.text);
}

enum exit_code offline_open(const char *path, struct file *file)
{
    char *data = NULL;
    size_t len = 0;
    enum exit_code code;

    *file = (struct file){0};
    code = input_read(path, &data, &len);
    if (code != EXIT_DONE)
        return code;
    if (len > 0 && *data == '{')
        code = read_json(path, data, len, file);
    else if (!(file->body = read_pkcs10(data, len)))
        code = read_request(path, data, len, file);
    OPENSSL_clear_free(data, len);
    return code;
}

/* What is given wins: where it is wrong, that is refused. */
static char *body_text(const struct file *file, const char *serial,
                       const char *model)
{
    json_t *body = json_copy(file->body);
    char *text = NULL;

    if ((!serial ||
         json_object_set_new(body, "serial", json_string(serial)) == 0) &&
        (!model || json_object_set_new(body, "model", json_string(model)) == 0))
        text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

/* ---- exchanges --------------------------------------------------------- */

/* Its refusal is the program's. */
enum exit_code offline_drive(struct exchange *x)
{
    x->peer = "offline";
    x->job.peer = x->peer;
    exchange_drive(x);
    return x->status / 100 == 2 ? EXIT_DONE : fail("%s", x->message);
}

enum exit_code offline_units(struct exchange *x, const struct file *file,
                             const char *serial, const char *model)
{
    char *body = body_text(file, serial, model);
    enum exit_code code;

    if (!body)
        return fail("the serial number or model that is given is no UTF-8");
    x->next = exchange_units;
    x->body = (struct devid_bytes){(const uint8_t *)body, strlen(body)};
    code = offline_drive(x);
    free(body);
    return code;
}

const char *offline_text(const struct exchange *x, const char *name)
{
    const char *text = json_string_value(json_object_get(x->answer, name));

    return text ? text : "";
}

/* A base64 member of the answer; OPENSSL_free. */
uint8_t *offline_bytes(const struct exchange *x, const char *name, size_t *len)
{
    struct {
        struct devid_bytes bytes;
    } out = {{0}};
    const struct body_member members[] = {
        {"bytes", BODY_BYTES, true, 0},
        {NULL, BODY_FLAG, false, 0},
    };
    json_t *one = json_pack("{s:s}", "bytes", offline_text(x, name));
    char *text = one ? json_dumps(one, JSON_COMPACT) : NULL;
    struct devid_error err; /* what is not there is no failure */
    uint8_t *copy = NULL;

    *len = 0;
    if (text && body_parse(text, strlen(text), members, &out, &err) == DEVID_OK)
        copy = OPENSSL_memdup(out.bytes.data, out.bytes.len);
    if (copy)
        *len = out.bytes.len;
    body_clear(members, &out);
    free(text);
    json_decref(one);
    return copy;
}

enum exit_code offline_find(const struct context *context, const char *serial,
                            struct ledger_unit *unit)
{
    struct devid_error err = {0};
    enum devid_err e =
        ledger_find(context->ledger, UNIT_BY_SERIAL, serial, unit, &err);

    if (e == DEVID_ERR_NOT_FOUND)
        return fail("there is no unit %s; devid-station import makes it of its "
                    "request",
                    serial);
    return e == DEVID_OK ? EXIT_DONE : fail_engine(&err);
}
