/* SPDX-License-Identifier: Apache-2.0 */
#include "cmp.h"

#include <openssl/cmp.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "cmp_transfer.h"
#include "message.h"

struct session {
    const struct cmp_spec *spec;
    OSSL_CMP_CTX *ctx;
    STACK_OF(X509) * trusted; /* of spec.ca */
    struct cmp_transfer transfer;
};

/* ---- whose word counts --------------------------------------------------- */

static enum exit_code read_trusted(struct session *s)
{
    BIO *in;
    X509 *cert;

    s->trusted = sk_X509_new_null();
    if (s->trusted == NULL)
        die_no_memory();
    if (s->spec->ca == NULL && s->spec->secret != NULL)
        return EXIT_DONE;
    if (s->spec->ca == NULL)
        return fail("nothing says whose answer is the CA's: --ca names the "
                    "certificates in PEM of those who vouch for it");
    in = BIO_new_file(s->spec->ca, "r");
    while (in != NULL &&
           (cert = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
        if (sk_X509_push(s->trusted, cert) == 0)
            die_no_memory();
    }
    BIO_free(in);
    ERR_clear_error();
    if (sk_X509_num(s->trusted) > 0)
        return EXIT_DONE;
    return fail("%s holds no certificates in PEM, which were to vouch for the "
                "CA",
                s->spec->ca);
}

static X509_STORE *store_of(const struct session *s)
{
    X509_STORE *store = X509_STORE_new();

    if (store == NULL)
        die_no_memory();
    for (int i = 0; i < sk_X509_num(s->trusted); i++) {
        if (X509_STORE_add_cert(store, sk_X509_value(s->trusted, i)) != 1)
            die_no_memory();
    }
    return store;
}

/* ---- a session ----------------------------------------------------------- */

/* A signature by `who`, else a MAC by the secret. */
static bool set_protection(const struct session *s)
{
    const struct http_identity *who = s->spec->who;
    OSSL_CMP_CTX *c = s->ctx;

    if (who != NULL && X509_check_private_key(who->cert, who->key) != 1)
        return false;
    if (who == NULL)
        return OSSL_CMP_CTX_set1_referenceValue(
                   c, (const unsigned char *)s->spec->reference,
                   (int)strlen(s->spec->reference)) == 1 &&
               OSSL_CMP_CTX_set1_secretValue(
                   c, (const unsigned char *)s->spec->secret,
                   (int)s->spec->secret_len) == 1;
    return OSSL_CMP_CTX_set1_cert(c, who->cert) == 1 &&
           OSSL_CMP_CTX_set1_pkey(c, who->key) == 1 &&
           (sk_X509_num(who->chain) <= 0 ||
            (OSSL_CMP_CTX_set1_extraCertsOut(c, who->chain) == 1 &&
             OSSL_CMP_CTX_set1_untrusted(c, who->chain) == 1));
}

static bool set_trust(const struct session *s)
{
    X509_STORE *store;

    if (sk_X509_num(s->trusted) == 0)
        return true;
    store = store_of(s);
    if (OSSL_CMP_CTX_set0_trustedStore(s->ctx, store) == 1)
        return true;
    X509_STORE_free(store);
    return false;
}

static enum exit_code session_open(struct session *s,
                                   const struct cmp_spec *spec)
{
    int patience = (int)spec->patience_s;
    enum exit_code code;

    *s = (struct session){.spec = spec};
    cmp_transfer_open(&s->transfer, spec);
    s->ctx = OSSL_CMP_CTX_new(NULL, NULL);
    if (s->ctx == NULL)
        die_no_memory();
    code = read_trusted(s);
    if (code != EXIT_DONE)
        return code;
    if (OSSL_CMP_CTX_set_transfer_cb(s->ctx, cmp_transfer) == 1 &&
        OSSL_CMP_CTX_set_transfer_cb_arg(s->ctx, &s->transfer) == 1 &&
        OSSL_CMP_CTX_set_option(s->ctx, OSSL_CMP_OPT_TOTAL_TIMEOUT, patience) ==
            1 &&
        /* What fails is said here, in one sentence. */
        OSSL_CMP_CTX_set_log_verbosity(s->ctx, OSSL_CMP_LOG_ALERT) == 1 &&
        set_protection(s) && set_trust(s))
        return EXIT_DONE;
    return fail_with(EXIT_DEVICE,
                     "OpenSSL's CMP does not take the identity that is to sign "
                     "for this device");
}

static void session_close(struct session *s)
{
    OSSL_CMP_CTX_free(s->ctx);
    sk_X509_pop_free(s->trusted, X509_free);
    cmp_transfer_close(&s->transfer);
    ERR_clear_error();
}

/* ---- why there is nothing ------------------------------------------------ */

/* The first in the queue is what went wrong, the rest what came of it. */
static const char *first_reason(unsigned long *e)
{
    const char *data = NULL;
    const char *reason;
    int flags = 0;

    *e = ERR_peek_error_all(NULL, NULL, NULL, &data, &flags);
    reason = ERR_reason_error_string(*e);
    if (reason == NULL && (flags & ERR_TXT_STRING) != 0 && data != NULL)
        reason = data;
    return reason != NULL ? reason : "OpenSSL does not say why";
}

static enum exit_code why(const struct session *s)
{
    char text[512] = "";
    unsigned long e = 0;
    const char *reason = first_reason(&e);
    const char *url = s->spec->url;

    if (s->transfer.code != EXIT_DONE)
        return s->transfer.code; /* it has been said */
    if (ERR_GET_REASON(ERR_peek_last_error()) == CMP_R_CERTIFICATE_NOT_ACCEPTED)
        return fail_with(EXIT_UNTRUSTED,
                         "the certificate that the CA at %s gives is not for "
                         "the key of this device, and nothing of it was kept: "
                         "%s",
                         url, reason);
    if (OSSL_CMP_CTX_get_status(s->ctx) == OSSL_CMP_PKISTATUS_rejection &&
        OSSL_CMP_CTX_snprint_PKIStatus(s->ctx, text, sizeof(text)) != NULL)
        return fail_with(EXIT_REFUSED, "the CA at %s refuses: %s", url, text);
    if (ERR_GET_LIB(e) == ERR_LIB_CMP &&
        ERR_GET_REASON(e) == CMP_R_TOTAL_TIMEOUT)
        return fail_with(EXIT_UNREACHABLE,
                         "the CA at %s has not decided within %u seconds: ask "
                         "again later, or wait longer with --timeout",
                         url, s->spec->patience_s);
    if (ERR_GET_LIB(e) != ERR_LIB_CMP && ERR_GET_LIB(e) != ERR_LIB_X509 &&
        ERR_GET_LIB(e) != ERR_LIB_CRMF)
        return fail_with(EXIT_DEVICE,
                         "the message for the CA cannot be made, "
                         "or its answer not be read: %s",
                         reason);
    return fail_with(EXIT_UNTRUSTED,
                     "the answer of %s is not to be trusted (%s), and nothing "
                     "of it was kept: %s",
                     url, reason,
                     s->spec->who == NULL
                         ? "is the secret the one that the CA has?"
                         : "--ca names who vouches for that CA");
}

/* It is who asks that the CA does not take; what is revoked is another matter.
 */
static bool is_disowned(const struct session *s, enum exit_code code)
{
    static const int infos = 1 << OSSL_CMP_PKIFAILUREINFO_badMessageCheck |
                             1 << OSSL_CMP_PKIFAILUREINFO_badRequest |
                             1 << OSSL_CMP_PKIFAILUREINFO_signerNotTrusted;
    int info = OSSL_CMP_CTX_get_failInfoCode(s->ctx);

    return code == EXIT_DEVICE ||
           (code == EXIT_REFUSED && info > 0 && (info & infos) != 0);
}

/* ---- a certificate ------------------------------------------------------- */

void cmp_issued_clear(struct cmp_issued *issued)
{
    X509_free(issued->cert);
    sk_X509_pop_free(issued->ca, X509_free);
    *issued = (struct cmp_issued){0};
}

static bool set_request(const struct session *s,
                        const struct cmp_request *request)
{
    const unsigned char *at = request->pkcs10;
    X509_REQ *csr = d2i_X509_REQ(NULL, &at, (long)request->pkcs10_len);
    X509_EXTENSIONS *extensions = csr ? X509_REQ_get_extensions(csr) : NULL;
    bool ok = csr != NULL &&
              OSSL_CMP_CTX_set1_subjectName(
                  s->ctx, X509_REQ_get_subject_name(csr)) == 1 &&
              EVP_PKEY_up_ref(request->key) == 1;

    if (ok && OSSL_CMP_CTX_set0_newPkey(s->ctx, 1, request->key) != 1) {
        EVP_PKEY_free(request->key);
        ok = false;
    }
    if (ok && sk_X509_EXTENSION_num(extensions) > 0 &&
        OSSL_CMP_CTX_set0_reqExtensions(s->ctx, extensions) == 1)
        extensions = NULL;
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_free(csr);
    if (ok && request->old != NULL)
        ok = OSSL_CMP_CTX_set1_oldCert(s->ctx, request->old) == 1;
    return ok;
}

/* Takes over neither. Of `from`, which is freed, without roots where not all
 * that came is proven to be the CA's. */
static void gather(STACK_OF(X509) * ca, STACK_OF(X509) * from, bool roots)
{
    for (int i = 0; i < sk_X509_num(from); i++) {
        X509 *cert = sk_X509_value(from, i);

        if (roots || (X509_get_extension_flags(cert) & EXFLAG_SS) == 0)
            if (X509_add_cert(ca, cert,
                              X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) != 1)
                die_no_memory();
    }
    sk_X509_pop_free(from, X509_free);
}

/* The protection of a message covers caPubs, and not extraCerts: RFC 4210, 5.1.
 */
static void take_issued(const struct session *s, X509 *cert,
                        struct cmp_issued *issued)
{
    STACK_OF(X509) *ca = sk_X509_new_null();

    if (ca == NULL || X509_up_ref(cert) != 1)
        die_no_memory();
    issued->cert = cert;
    issued->ca = ca;
    gather(ca, X509_chain_up_ref(s->trusted), true);
    gather(ca, OSSL_CMP_CTX_get1_caPubs(s->ctx), true);
    gather(ca, OSSL_CMP_CTX_get1_newChain(s->ctx), false);
    gather(ca, OSSL_CMP_CTX_get1_extraCertsIn(s->ctx), false);
}

enum exit_code cmp_certify(const struct cmp_spec *spec,
                           const struct cmp_request *request,
                           struct cmp_issued *issued)
{
    struct session s;
    X509 *cert = NULL;
    enum exit_code code = session_open(&s, spec);

    if (code == EXIT_DONE && !set_request(&s, request))
        code = fail_with(EXIT_DEVICE, "OpenSSL's CMP does not take the new key "
                                      "and what is asked for it");
    if (code == EXIT_DONE) {
        ERR_clear_error();
        cert = request->old != NULL ? OSSL_CMP_exec_KUR_ses(s.ctx)
                                    : OSSL_CMP_exec_IR_ses(s.ctx);
        if (cert != NULL)
            take_issued(&s, cert, issued);
        else
            code = why(&s);
    }
    issued->disowned = is_disowned(&s, code);
    session_close(&s);
    return code;
}

/* ---- a revocation -------------------------------------------------------- */

enum exit_code cmp_revoke(const struct cmp_spec *spec, X509 *cert, int reason)
{
    struct session s;
    enum exit_code code = session_open(&s, spec);

    if (code == EXIT_DONE &&
        (OSSL_CMP_CTX_set1_oldCert(s.ctx, cert) != 1 ||
         OSSL_CMP_CTX_set_option(s.ctx, OSSL_CMP_OPT_REVOCATION_REASON,
                                 reason) != 1))
        code = fail("OpenSSL's CMP does not take the certificate that is to be "
                    "revoked");
    if (code == EXIT_DONE) {
        ERR_clear_error();
        if (OSSL_CMP_exec_RR_ses(s.ctx) != 1)
            code = why(&s);
    }
    session_close(&s);
    return code;
}
