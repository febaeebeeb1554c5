/* SPDX-License-Identifier: Apache-2.0 */
/* POST /ocsp, GET /ocsp/BASE64: what a request asks, and the answer. */
#include "ocsp.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "body.h"
#include "exchange.h"
#include "keys.h"
#include "ledger_unit.h"

enum {
    ASKED_MAX = 16,     /* certificates in a request */
    NONCE_LEN_MAX = 32, /* RFC 8954 */
    NONCE_HEADER = 2,   /* of the OCTET STRING that it is in the extension */
};

/* ---- the answer's bytes ------------------------------------------------ */

static enum step answer(struct exchange *x, uint8_t *der, int len)
{
    const struct devid_error err = {.text = "no OCSP answer can be made"};

    ERR_clear_error();
    if (len <= 0)
        return exchange_fail(x, &err);
    OPENSSL_free(x->bytes);
    x->bytes = der;
    x->bytes_len = (size_t)len;
    x->type = "application/ocsp-response";
    x->status = 200;
    return STEP_ANSWERED;
}

static enum step answer_response(struct exchange *x, int status,
                                 OCSP_BASICRESP *basic)
{
    OCSP_RESPONSE *response = OCSP_response_create(status, basic);
    unsigned char *der = NULL;
    int len = response ? i2d_OCSP_RESPONSE(response, &der) : 0;

    OCSP_RESPONSE_free(response);
    return answer(x, der, len);
}

/* ---- one certificate --------------------------------------------------- */

/* The ids by which clients name an issuer: hashes of its name and key. */
static bool is_ours(OCSP_CERTID *id, X509 *ca)
{
    ASN1_OBJECT *hash = NULL;
    OCSP_CERTID *own;
    const EVP_MD *md;
    bool ours;

    OCSP_id_get0_info(NULL, &hash, NULL, NULL, id);
    md = EVP_get_digestbyobj(hash);
    own = md ? OCSP_cert_to_id(md, NULL, ca) : NULL;
    ours = own && OCSP_id_issuer_cmp(own, id) == 0;
    OCSP_CERTID_free(own);
    return ours;
}

static void number_of(OCSP_CERTID *id, char number[CERT_NUMBER_SIZE])
{
    ASN1_INTEGER *serial = NULL;

    OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
    cert_number_text(ASN1_STRING_get0_data(serial),
                     (size_t)ASN1_STRING_length(serial), number);
}

struct state {
    int status; /* V_OCSP_CERTSTATUS_... */
    int reason;
    int64_t revoked_ms;
};

/* What is not of this CA, or not in the ledger, is not known. */
static enum devid_err find_state(const struct exchange *x, OCSP_CERTID *id,
                                 struct state *state, struct devid_error *err)
{
    struct ledger_certificate found;
    char number[CERT_NUMBER_SIZE];
    enum devid_err e;

    *state = (struct state){.status = V_OCSP_CERTSTATUS_UNKNOWN};
    if (!is_ours(id, x->context->ca))
        return DEVID_OK;
    number_of(id, number);
    e = ledger_find_certificate(x->context->ledger, number, &found, err);
    if (e == DEVID_ERR_NOT_FOUND)
        return DEVID_OK;
    state->status = found.revoked_ms > 0 ? V_OCSP_CERTSTATUS_REVOKED
                                         : V_OCSP_CERTSTATUS_GOOD;
    state->reason = found.reason ? found.reason : OCSP_REVOKED_STATUS_NOSTATUS;
    state->revoked_ms = found.revoked_ms;
    return e;
}

static bool add_state(OCSP_BASICRESP *basic, OCSP_CERTID *id,
                      const struct state *state, int64_t seconds)
{
    time_t now = time(NULL);
    ASN1_TIME *from = ASN1_TIME_set(NULL, now);
    ASN1_TIME *until = ASN1_TIME_set(NULL, now + (time_t)seconds);
    ASN1_TIME *revoked =
        ASN1_TIME_set(NULL, (time_t)(state->revoked_ms / 1000));
    bool ok = from && until && revoked &&
              OCSP_basic_add1_status(
                  basic, id, state->status, state->reason,
                  state->status == V_OCSP_CERTSTATUS_REVOKED ? revoked : NULL,
                  from, until) != NULL;

    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    ASN1_TIME_free(revoked);
    return ok;
}

/* ---- the whole --------------------------------------------------------- */

static int64_t validity_s(const struct exchange *x)
{
    return 60 * (int64_t)x->context->config.ocsp_minutes;
}

static bool sign(const struct exchange *x, OCSP_BASICRESP *basic)
{
    struct ocsp *ocsp = x->context->ocsp;
    EVP_MD_CTX *ctx = keys_signer(ocsp_key(ocsp));
    X509 *cert = ocsp_cert(ocsp);
    bool ok = ctx &&
              OCSP_basic_sign_ctx(basic, cert, ctx, NULL, OCSP_RESPID_KEY) == 1;

    X509_free(cert);
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* False: *err says it. */
static bool fill(const struct exchange *x, OCSP_REQUEST *request,
                 OCSP_BASICRESP *basic, struct devid_error *err)
{
    char reason[256];

    for (int i = 0; i < OCSP_request_onereq_count(request); i++) {
        OCSP_CERTID *id =
            OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, i));
        struct state state;
        if (find_state(x, id, &state, err) != DEVID_OK)
            return false;
        if (!add_state(basic, id, &state, validity_s(x)))
            return false;
    }
    if (OCSP_copy_nonce(basic, request) == 0 || !sign(x, basic)) {
        snprintf(err->text, sizeof(err->text),
                 "the responder's key does not sign%s",
                 keys_reason(reason, sizeof(reason)));
        return false;
    }
    return true;
}

static enum step respond(struct exchange *x, OCSP_REQUEST *request)
{
    struct devid_error err = {.text = "out of memory"};
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    enum step step;

    if (basic && fill(x, request, basic, &err))
        step = answer_response(x, OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    else
        step = exchange_fail(x, &err);
    OCSP_BASICRESP_free(basic);
    return step;
}

/* Where signing takes long, an answer serves for half of its time. */
static enum step respond_kept(struct exchange *x, OCSP_REQUEST *request)
{
    struct ocsp *ocsp = x->context->ocsp;
    uint64_t before = ocsp_age(ocsp);
    char asked[65];
    uint8_t *kept;
    size_t len = 0;
    enum step step;

    sha256_hex(x->body.data, x->body.len, asked);
    kept = ocsp_kept(ocsp, asked, now_ms() - validity_s(x) * 500, &len);
    if (kept)
        return answer(x, kept, (int)len);
    step = respond(x, request);
    if (x->status == 200)
        ocsp_keep(ocsp, asked, before, x->bytes, x->bytes_len);
    return step;
}

static bool nonce_fits(OCSP_REQUEST *request, bool *has)
{
    int at = OCSP_REQUEST_get_ext_by_NID(request, NID_id_pkix_OCSP_Nonce, -1);
    int len;

    *has = at >= 0;
    if (!*has)
        return true;
    len = ASN1_STRING_length(
        X509_EXTENSION_get_data(OCSP_REQUEST_get_ext(request, at)));
    return len > NONCE_HEADER && len <= NONCE_HEADER + NONCE_LEN_MAX;
}

/* ---- the request ------------------------------------------------------- */

static int hex_digit(char c)
{
    const char *at = c ? strchr("0123456789abcdef", c | 0x20) : NULL;

    return at ? (int)(at - "0123456789abcdef") : -1;
}

/* What stands in the path, with its %2B, as bytes: RFC 6960, A.1. */
static bool open_path(const char *path, uint8_t **der, size_t *len)
{
    char *text = OPENSSL_zalloc(strlen(path) + 1);
    size_t count = 0;
    bool ok;

    for (; text && *path; path++) {
        char c = *path;
        if (c == '%' && hex_digit(path[1]) >= 0 && hex_digit(path[2]) >= 0) {
            c = (char)(16 * hex_digit(path[1]) + hex_digit(path[2]));
            path += 2;
        }
        text[count++] = c;
    }
    ok = text && body_unbase64(text, count, der, len);
    OPENSSL_free(text);
    return ok;
}

static enum step ask(struct exchange *x)
{
    const unsigned char *p = x->body.data;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &p, (long)x->body.len);
    int count = request && p == x->body.data + x->body.len
                    ? OCSP_request_onereq_count(request)
                    : 0;
    bool nonce = false;
    enum step step;

    if (count < 1 || count > ASKED_MAX || !nonce_fits(request, &nonce))
        step = answer_response(x, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, NULL);
    else
        step = nonce ? respond(x, request) : respond_kept(x, request);
    OCSP_REQUEST_free(request);
    return step;
}

enum step exchange_ocsp(struct exchange *x)
{
    uint8_t *der = NULL;
    size_t len = 0;
    enum step step;

    if (!x->context->ocsp)
        return exchange_refuse(x, 404, "path",
                               "this station answers no OCSP: ocsp_url in "
                               "station.conf is not set");
    if (!x->ocsp_path)
        return ask(x);
    /* What is no base64 is no request, which is said as OCSP says it. */
    if (open_path(x->ocsp_path, &der, &len))
        x->body = (struct devid_bytes){der, len};
    else
        x->body = (struct devid_bytes){(const uint8_t *)"", 0};
    x->max_age_s = (unsigned)(validity_s(x) / 2);
    step = ask(x);
    x->body = (struct devid_bytes){(const uint8_t *)"", 0};
    OPENSSL_free(der);
    return step;
}
