/* SPDX-License-Identifier: Apache-2.0 */
#include "steps.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "attest.h"
#include "message.h"

/* ---- the request ------------------------------------------------------ */

static struct devid_bytes text_bytes(const char *text)
{
    return (struct devid_bytes){(const uint8_t *)text, strlen(text)};
}

static struct devid_bytes field_bytes(const struct devid_field *field)
{
    return (struct devid_bytes){field->data, field->len};
}

static struct devid_tcg_csr fill_fields(const char *serial, const char *model,
                                        const struct devid_identity_request *r)
{
    return (struct devid_tcg_csr){
        .hash = r->hash,
        .prodModel = text_bytes(model),
        .prodSerial = text_bytes(serial),
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

/*
 * The EK, to which sessions are salted and secrets encrypted, as the TPM shows
 * it, against the one that its maker certified: who sits on the bus between
 * may show a key of his own. Whether the maker is one to trust the station
 * says. A certificate that does not parse is its to refuse, too.
 */
static enum devid_err check_ek(const struct devid_identity_request *r,
                               struct devid_error *err)
{
    const struct devid_attest_policy policy = {0};
    struct devid_attest_verdict verdict;

    if (r->ekCert.bytes.len == 0)
        return DEVID_OK;
    if (devid_ek_verify(field_bytes(&r->ekCert.bytes), &policy, &verdict) ==
            DEVID_ATTEST_EK_MALFORMED ||
        verdict.ek.coordinate_len == 0 ||
        devid_public_equal(&verdict.ek, &r->ek))
        return DEVID_OK;
    memset(err, 0, sizeof(*err));
    (void)snprintf(
        err->text, sizeof(err->text),
        "the endorsement key that this TPM shows at 0x%08x is another than the "
        "one in its certificate at 0x%08x: somebody between here and the TPM "
        "shows a key of his own, or the certificate is another TPM's",
        r->ek_handle, r->ekCert.index);
    return DEVID_ERR_WRONG_KEY;
}

enum devid_err step_request(struct devid_identity *identity, const char *serial,
                            const char *model, struct step_request *request,
                            struct devid_error *err)
{
    const struct devid_identity_request *fields = &request->fields;
    struct devid_tcg_csr csr;
    enum devid_err e = devid_identity_request(identity, &request->fields, err);

    if (e == DEVID_OK)
        e = check_ek(fields, err);
    if (e == DEVID_OK) {
        csr = fill_fields(serial, model, fields);
        e = encode(&csr, identity, &request->der, &request->len, err);
    }
    if (e == DEVID_OK && fields->ekCert.index == 0)
        note("this TPM's endorsement key (%s at 0x%08x) has no "
             "certificate in it: a station takes the request only "
             "where it has that from the TPM's maker",
             fields->ek_kind, fields->ek_handle);
    return e;
}

void step_request_clear(struct step_request *request)
{
    devid_identity_request_clear(&request->fields);
    OPENSSL_free(request->der);
    request->der = NULL;
    request->len = 0;
}

/* ---- the challenge ---------------------------------------------------- */

/* Bytes not read yet. */
struct rest {
    const uint8_t *data;
    size_t len;
};

static bool take_number(struct rest *rest, size_t width, uint32_t *number)
{
    if (rest->len < width)
        return false;
    *number = 0;
    for (size_t i = 0; i < width; i++)
        *number = *number << 8 | rest->data[i];
    rest->data += width;
    rest->len -= width;
    return true;
}

/* A TPM2B: its size, and so many bytes. */
static bool take_sized(struct rest *rest, const uint8_t **data, size_t *len)
{
    uint32_t size = 0;

    if (!take_number(rest, 2, &size) || rest->len < size)
        return false;
    *data = rest->data;
    *len = size;
    rest->data += size;
    rest->len -= size;
    return true;
}

bool step_challenge_parse(const uint8_t *data, size_t len,
                          struct devid_activation *out)
{
    struct rest rest = {data, len};
    uint32_t magic = 0;
    uint32_t version = 0;

    return take_number(&rest, 4, &magic) && magic == 0xbadcc0deU &&
           take_number(&rest, 4, &version) && version == 1 &&
           take_sized(&rest, &out->credential, &out->credential_len) &&
           take_sized(&rest, &out->secret, &out->secret_len) && rest.len == 0;
}

/* ---- failures --------------------------------------------------------- */

enum exit_code step_fail(enum devid_err e, const struct devid_error *err)
{
    enum exit_code code = fail_engine(err);

    switch (e) {
    case DEVID_ERR_NO_DEVICE:
    case DEVID_ERR_WRONG_KEY:
    case DEVID_ERR_ALG:
    case DEVID_ERR_AUTH:
    case DEVID_ERR_LOCKED:
    case DEVID_ERR_BUSY:
    case DEVID_ERR_DEVICE:
        return EXIT_DEVICE;
    case DEVID_OK:
    case DEVID_ERR_USAGE:
    case DEVID_ERR_INPUT:
    case DEVID_ERR_NOT_FOUND:
    case DEVID_ERR_EXISTS:
    case DEVID_ERR_SYSTEM:
        break;
    }
    return code;
}
