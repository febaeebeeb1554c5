/* SPDX-License-Identifier: Apache-2.0 */
/* Which EST server, how it is known, and as whom it is spoken to. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "est.h"
#include "message.h"

#define WELL_KNOWN "/.well-known/est"

static const struct http_peer peer = {
    .name = "EST server",
    .form = "https://HOST:PORT" WELL_KNOWN,
    .trust = "--ca or --fingerprint says who vouches for the CA",
};

/* ---- whom to trust ------------------------------------------------------- */

static const char *file_of(struct est *est, const char *folder)
{
    (void)snprintf(est->ca_path, sizeof(est->ca_path), "%s/ca.pem", folder);
    return access(est->ca_path, R_OK) == 0 ? est->ca_path : NULL;
}

static bool has_fingerprint(const X509 *cert, const uint8_t *fingerprint)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    return X509_digest(cert, EVP_sha256(), digest, &len) == 1 &&
           len == HTTP_FINGERPRINT_LEN &&
           CRYPTO_memcmp(digest, fingerprint, len) == 0;
}

/* Of what the server says are its CA's, only the one of the fingerprint. */
static enum exit_code pick(struct est *est, STACK_OF(X509) * said)
{
    const char *text = est->e->identity->conf.fingerprint;
    long len = 0;
    uint8_t *fingerprint = OPENSSL_hexstr2buf(text, &len);

    ERR_clear_error();
    est->bootstrapped = sk_X509_new_null();
    if (est->bootstrapped == NULL)
        die_no_memory();
    for (int i = 0; len == HTTP_FINGERPRINT_LEN && i < sk_X509_num(said); i++) {
        X509 *cert = sk_X509_value(said, i);

        if (has_fingerprint(cert, fingerprint) &&
            (X509_up_ref(cert) != 1 ||
             sk_X509_push(est->bootstrapped, cert) == 0))
            die_no_memory();
    }
    OPENSSL_free(fingerprint);
    if (sk_X509_num(est->bootstrapped) > 0)
        return EXIT_DONE;
    return fail_with(EXIT_UNTRUSTED,
                     "what answers at %s has no CA certificate of the "
                     "fingerprint '%s': the SHA-256 of the CA's certificate is "
                     "wanted, in hex",
                     est->url, text);
}

/* RFC 7030, 4.1.1: whoever answers is asked, and nothing else is said to him.
 */
static enum exit_code bootstrap(struct est *est)
{
    const struct http_spec spec = {
        .url = est->url,
        .unverified = true,
        .patience_s = est->e->patience_s,
        .peer = &peer,
    };
    STACK_OF(X509) *said = NULL;
    enum exit_code code = http_open(&spec, &est->http);

    if (code == EXIT_DONE)
        code = est_get_cacerts(est, &said);
    if (code == EXIT_DONE)
        code = pick(est, said);
    sk_X509_pop_free(said, X509_free);
    http_close(&est->http);
    return code;
}

/* What was said to be trusted; else who gave the identity, or the IDevID. */
static enum exit_code find_trust(struct est *est, struct http_spec *spec)
{
    const struct enrolment *e = est->e;
    const struct identity_conf *conf = &e->identity->conf;
    enum exit_code code = EXIT_DONE;

    spec->ca = conf->ca;
    if (spec->ca == NULL && !e->anew)
        spec->ca = file_of(est, e->identity->folder);
    if (spec->ca == NULL && conf->fingerprint != NULL) {
        if (est->bootstrapped == NULL)
            code = bootstrap(est);
        spec->trusted = est->bootstrapped;
        return code;
    }
    if (spec->ca == NULL && conf->idevid != NULL)
        spec->ca = file_of(est, conf->idevid);
    return code;
}

/* ---- connections --------------------------------------------------------- */

enum exit_code est_connect(struct est *est,
                           const struct http_identity *identity)
{
    struct http_spec spec = {
        .url = est->url,
        .patience_s = est->e->patience_s,
        .peer = &peer,
    };
    enum exit_code code = find_trust(est, &spec);

    if (code == EXIT_DONE)
        code = http_open(&spec, &est->http);
    if (code == EXIT_DONE && identity != NULL && identity->key != NULL)
        http_set_identity(est->http, identity);
    return code;
}

/* By whom the request is made. */
enum exit_code est_open_who(struct est *est)
{
    const struct enrolment *e = est->e;
    const char *folder = e->identity->conf.idevid;

    if (enrolment_by_itself(e))
        folder = e->identity->folder;
    if (folder != NULL)
        return handshake_open(e->args, folder, &est->who);
    if (e->identity->conf.user != NULL)
        return EXIT_DONE;
    return fail_with(EXIT_WRONG_USE,
                     "nothing says to the CA who this device is: --idevid "
                     "names the folder of an identity that it has, --user and "
                     "--secret-source a name and a secret");
}

static char *make_url(const struct identity_conf *conf)
{
    const char *label = conf->label != NULL ? conf->label : "";
    size_t len = strlen(conf->url);
    size_t size = len + sizeof(WELL_KNOWN) + strlen(label) + 2;
    char *url = OPENSSL_malloc(size);
    const char *path;

    if (url == NULL)
        die_no_memory();
    while (len > 0 && conf->url[len - 1] == '/')
        len--;
    path = memchr(conf->url + strlen("https://"), '/',
                  len > strlen("https://") ? len - strlen("https://") : 0);
    (void)snprintf(url, size, "%.*s%s%s%s", (int)len, conf->url,
                   path == NULL ? WELL_KNOWN : "", *label ? "/" : "", label);
    return url;
}

void est_open(struct est *est, struct enrolment *e)
{
    *est = (struct est){.e = e, .url = make_url(&e->identity->conf)};
}

void est_close(struct est *est)
{
    http_close(&est->http);
    handshake_close(&est->who);
    sk_X509_pop_free(est->bootstrapped, X509_free);
    OPENSSL_free(est->url);
}
