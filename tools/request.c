/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "attest.h"
#include "commands.h"
#include "identity.h"
#include "message.h"
#include "open.h"
#include "output.h"

enum {
    SERIAL,
    MODEL,
    ALGORITHM,
    EK
};

static const struct option_row options[] = {
    [SERIAL] = {"serial", "TEXT", "the product's serial number", true, false},
    [MODEL] = {"model", "TEXT", "the product's model", true, false},
    [ALGORITHM] = {"algorithm", "NAME",
                   "of the IAK and the IDevID: ec-p256 (the default), ec-p384, "
                   "ec-p521, rsa-2048, rsa-3072 or rsa-4096",
                   false, false},
    [EK] = {"ek", "EK",
            "which endorsement key: its algorithm, or its handle, such as "
            "0x81010001; the default is the first that has a certificate",
            false, false},
    {0},
};

static struct devid_bytes text_bytes(const char *text)
{
    return (struct devid_bytes){(const uint8_t *)text, strlen(text)};
}

static struct devid_bytes field_bytes(const struct devid_field *field)
{
    return (struct devid_bytes){field->data, field->len};
}

static struct devid_tcg_csr fill_fields(const struct args *args,
                                        const struct devid_identity_request *r)
{
    return (struct devid_tcg_csr){
        .hash = r->hash,
        .prodModel = text_bytes(args_text(args, MODEL)),
        .prodSerial = text_bytes(args_text(args, SERIAL)),
        .ekCert = field_bytes(&r->ekCert.bytes),
        .attestPub = field_bytes(&r->attestPub),
        .atCreateTkt = field_bytes(&r->atCreateTkt),
        .atCertifyInfo = field_bytes(&r->atCertifyInfo),
        .atCertifyInfoSig = field_bytes(&r->atCertifyInfoSig),
        .signingPub = field_bytes(&r->signingPub),
        .sgnCertifyInfo = field_bytes(&r->sgnCertifyInfo),
        .sgnCertifyInfoSig = field_bytes(&r->sgnCertifyInfoSig),
    };
}

/* The contents of the request, their digest signed by the IDevID, the whole. */
static enum devid_err encode(const struct devid_tcg_csr *csr,
                             struct devid_identity *identity, uint8_t **out,
                             size_t *len, struct devid_error *err)
{
    struct devid_field signature = {0};
    struct devid_bytes contents = {0};
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint8_t *data = NULL;
    enum devid_err e =
        devid_tcg_csr_encode_contents(csr, NULL, &data, &contents.len, err);

    if (e != DEVID_OK)
        return e;
    contents.data = data;
    if (EVP_Q_digest(NULL, csr->hash->name, NULL, contents.data, contents.len,
                     digest, NULL) != 1)
        die_no_memory();
    e = devid_identity_sign(identity, csr->hash, digest, &signature, err);
    if (e == DEVID_OK)
        e = devid_tcg_csr_encode(contents, field_bytes(&signature), out, len,
                                 err);
    devid_field_free(&signature);
    OPENSSL_free(data);
    return e;
}

static enum exit_code make_request(const struct args *args,
                                   struct devid_identity *identity,
                                   const struct output *out)
{
    struct devid_identity_request request;
    struct devid_tcg_csr csr;
    struct devid_error err;
    uint8_t *data = NULL;
    size_t len = 0;
    enum exit_code code;
    enum devid_err e = devid_identity_request(identity, &request, &err);

    if (e == DEVID_OK) {
        csr = fill_fields(args, &request);
        e = encode(&csr, identity, &data, &len, &err);
    }
    code = e == DEVID_OK ? output_write(out, data, len) : fail_engine(&err);
    if (code == EXIT_DONE && request.ekCert.index == 0)
        note("this TPM's endorsement key (%s at 0x%08x) has no "
             "certificate in it: a station takes the request only "
             "where it has that from the TPM's maker\n",
             request.ek_kind, request.ek_handle);
    OPENSSL_free(data);
    devid_identity_request_clear(&request);
    return code;
}

static enum exit_code run(const struct args *args)
{
    const struct devid_identity_spec spec = {
        .algorithm = args_text(args, ALGORITHM),
        .ek = args_text(args, EK),
    };
    struct devid *engine = NULL;
    struct devid_identity *identity = NULL;
    struct devid_error err;
    struct output out;
    enum exit_code code =
        output_open(&out, args_text(args, ROW_OUT), args_flag(args, ROW_FORCE));

    if (code != EXIT_DONE)
        return code;
    code = engine_open(args, NULL, &engine);
    if (code == EXIT_DONE &&
        devid_identity_open(engine, &spec, &identity, &err))
        code = fail_engine(&err);
    if (code == EXIT_DONE)
        code = make_request(args, identity, &out);
    devid_identity_free(&identity);
    devid_free(&engine);
    output_close(&out);
    return code;
}

const struct command request_command = {
    .name = "request",
    .operands = "",
    .help = "ask a station for certificates of the device's TCG identity",
    .example = "  devid request --serial 4711 --model Gate --out unit.req\n",
    .options = options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_OWNER_AUTH_SOURCE) |
              TAKES(ROW_ENDORSEMENT_AUTH_SOURCE) | TAKES(ROW_OUT) |
              TAKES(ROW_FORCE),
    .run = run,
};
