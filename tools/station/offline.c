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
    OPENSSL_clear_free(file->data, file->len);
    OPENSSL_free(file->der);
    *file = (struct file){0};
}

/* PKCS#10 in PEM or DER, as DER. */
static void find_pkcs10(struct file *file)
{
    const unsigned char *p = (const unsigned char *)file->data;
    BIO *bio = BIO_new_mem_buf(file->data, (int)file->len);
    X509_REQ *req = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;

    if (!req)
        req = d2i_X509_REQ(NULL, &p, (long)file->len);
    file->der_len = req ? i2d_X509_REQ(req, &file->der) : 0;
    X509_REQ_free(req);
    BIO_free(bio);
    ERR_clear_error();
}

enum exit_code offline_open(const char *path, struct file *file)
{
    struct devid_error err = {0};
    struct devid_bytes bytes;
    enum exit_code code;

    *file = (struct file){0};
    code = input_read(path, &file->data, &file->len);
    if (code != EXIT_DONE)
        return code;
    find_pkcs10(file);
    if (file->der)
        return EXIT_DONE;
    bytes = (struct devid_bytes){(const uint8_t *)file->data, file->len};
    if (devid_tcg_csr_decode(bytes, NULL, &file->csr, &err) == DEVID_OK)
        return EXIT_DONE;
    offline_close(file);
    return fail("%s is neither what devid request writes, nor a PKCS#10 "
                "request: %.600s",
                path, err.text);
}

static json_t *text_of(struct devid_bytes bytes, const char *given)
{
    return given ? json_string(given)
                 : json_stringn((const char *)bytes.data, bytes.len);
}

/* What the request would be as the body of POST /v1/units. */
static char *body_of(const struct file *file, const char *serial,
                     const char *model)
{
    json_t *body = json_object();
    char *text = NULL;

    if (json_object_set_new(body, "serial",
                            text_of(file->csr.prodSerial, serial)) == 0 &&
        json_object_set_new(body, "model",
                            text_of(file->csr.prodModel, model)) == 0 &&
        json_object_set_new(body, file->der ? "pkcs10" : "request",
                            file->der
                                ? body_base64(file->der, (size_t)file->der_len)
                                : body_base64(file->data, file->len)) == 0)
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
    char *body = body_of(file, serial, model);
    enum exit_code code;

    if (!body)
        return fail("the request's serial number or model is no UTF-8");
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
    uint8_t *copy = NULL;

    *len = 0;
    if (text && body_parse(text, strlen(text), members, &out, NULL) == DEVID_OK)
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
