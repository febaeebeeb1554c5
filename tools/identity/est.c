/* SPDX-License-Identifier: Apache-2.0 */
/* The enrolment itself. */
#include <openssl/crypto.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "est.h"
#include "est_answer.h"
#include "message.h"
#include "secret_input.h"

enum {
    OK = 200,
    ACCEPTED = 202,
    NO_CONTENT = 204,
    NOT_FOUND = 404,
    RETRY_DEFAULT_S = 60,
    RETRY_MAX_S = 24 * 3600
};

/* A server need not have any, and says so in one of these ways. */
static enum exit_code get_csrattrs(struct est *est)
{
    static const char path[] = "/csrattrs";
    struct enrolment *e = est->e;
    const char *wanted;
    struct http_answer answer;
    uint8_t *der = NULL;
    size_t len = 0;
    bool valid = false;
    enum exit_code code = est_get(est, path, &answer);

    if (code != EXIT_DONE || answer.status == NO_CONTENT ||
        answer.status == NOT_FOUND || (answer.status == OK && answer.len == 0))
        return code;
    code = est_take_der(est, path, &answer, "application/csrattrs", &der, &len);
    if (code != EXIT_DONE)
        return code;
    wanted = est_wanted_algorithm(der, len, &valid);
    OPENSSL_free(der);
    if (!valid)
        return est_is_no_server(est, path, "its answer is no CsrAttrs");
    if (wanted != NULL && e->identity->conf.algorithm == NULL)
        e->wanted = wanted;
    return EXIT_DONE;
}

/* The key is another kind than the CA wants, and may be another one. */
static bool key_is_unwanted(const struct enrolment *e)
{
    const struct devid_public *pub = devid_key_public(e->key);

    return e->wanted != NULL && !e->identity->conf.same_key &&
           (pub->alg == NULL || strcmp(pub->alg->name, e->wanted) != 0);
}

/* ---- enrol --------------------------------------------------------------- */

static enum exit_code give_secret(struct est *est)
{
    const struct identity_conf *conf = &est->e->identity->conf;
    struct secret secret = {0};
    enum exit_code code;

    if (conf->user == NULL || enrolment_by_itself(est->e))
        return EXIT_DONE;
    code = secret_read(&secret, "secret-source", conf->secret_source,
                       "secret for the CA", false);
    if (code == EXIT_DONE) {
        secret.data[secret.len] = '\0';
        http_set_basic(est->http, conf->user, secret.data);
    }
    secret_wipe(&secret);
    return code;
}

/* Base64 in lines of 64, as RFC 7030's examples have it and all servers take.
 */
static char *make_body(const struct enrolment *e)
{
    size_t size = (e->request_len + 2) / 3 * 4 + e->request_len / 48 + 64;
    char *text = OPENSSL_malloc(size);
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    int used = 0;
    int last = 0;

    if (text == NULL || ctx == NULL || e->request_len > 1 << 20)
        die_no_memory();
    EVP_EncodeInit(ctx);
    if (EVP_EncodeUpdate(ctx, (unsigned char *)text, &used, e->request,
                         (int)e->request_len) != 1)
        die_no_memory();
    EVP_EncodeFinal(ctx, (unsigned char *)text + used, &last);
    text[used + last] = '\0';
    EVP_ENCODE_CTX_free(ctx);
    return text;
}

/*
 * The CA has not decided. It is asked again at its time, as long as that is
 * within our patience; else by the next run.
 */
static enum exit_code wait_for_ca(struct est *est, int64_t asked_s,
                                  int64_t *left_s)
{
    struct identity_state *state = &est->e->identity->state;
    struct timespec pause;

    if (asked_s <= 0)
        asked_s = RETRY_DEFAULT_S;
    if (asked_s > RETRY_MAX_S)
        asked_s = RETRY_MAX_S;
    if (asked_s <= *left_s) {
        note("the CA has not decided yet: it is asked again in %lld seconds",
             (long long)asked_s);
        pause = (struct timespec){.tv_sec = (time_t)asked_s};
        (void)nanosleep(&pause, NULL); /* cut short, it is asked sooner */
        *left_s -= asked_s;
        return EXIT_DONE;
    }
    state->retry_at = identity_now() + asked_s;
    return fail_with(EXIT_UNREACHABLE,
                     "the CA has not decided yet, and wants to be asked again "
                     "in %lld seconds: run this again then, it carries on",
                     (long long)asked_s);
}

static enum exit_code post(struct est *est, const char *path,
                           struct http_answer *answer)
{
    char *body = make_body(est->e);
    const struct http_request request = {
        .path = path,
        .body = body,
        .body_len = strlen(body),
        .type = "application/pkcs10",
        .accept = "application/pkcs7-mime",
        .encoding = "base64",
    };
    int64_t left_s = est->e->patience_s;
    enum exit_code code;

    do {
        code = http_exchange(est->http, &request, answer);
        if (code == EXIT_DONE && answer->status == ACCEPTED)
            code = wait_for_ca(est, answer->retry_after_s, &left_s);
        else
            break;
    } while (code == EXIT_DONE);
    OPENSSL_free(body);
    return code;
}

/*
 * Of all that came, the one for our key; the rest are those between it and a
 * root. What a root is, cacerts says alone.
 */
static void sort(struct certificates *c, STACK_OF(X509) * issued,
                 const struct devid_public *pub)
{
    X509 *cert;

    while ((cert = sk_X509_shift(issued)) != NULL) {
        if (c->idevid == NULL && certificate_has_key(cert, pub))
            c->idevid = cert;
        else if ((X509_get_extension_flags(cert) & EXFLAG_SS) != 0)
            X509_free(cert);
        else if (sk_X509_push(c->ca, cert) == 0)
            die_no_memory();
    }
    /* None is: which one it is then does not matter, enrolment_check says so.
     */
    if (c->idevid == NULL)
        c->idevid = sk_X509_pop(c->ca);
}

static enum exit_code enrol(struct est *est)
{
    struct enrolment *e = est->e;
    const char *path =
        enrolment_by_itself(e) ? "/simplereenroll" : "/simpleenroll";
    STACK_OF(X509) *issued = NULL;
    struct http_answer answer;
    enum exit_code code;

    progress_step(e->progress, "enroll");
    code = give_secret(est);
    if (code == EXIT_DONE)
        code = post(est, path, &answer);
    if (code == EXIT_DONE)
        code = est_take_certificates(est, path, &answer, &issued);
    if (code != EXIT_DONE)
        return code;
    sort(&e->certificates, issued, devid_key_public(e->key));
    sk_X509_free(issued);
    progress_done(e->progress, "the CA has answered%s",
                  enrolment_by_itself(e) ? " the identity itself" : "");
    return EXIT_DONE;
}

/* disowned  out: true where it failed for the identity that asked */
static enum exit_code ask(struct enrolment *e, bool *disowned)
{
    struct est est;
    enum exit_code code;

    est_open(&est, e);
    progress_step(e->progress, "server");
    code = est_open_who(&est);
    *disowned = code != EXIT_DONE;
    if (code == EXIT_DONE)
        code = est_connect(&est, &est.who.identity);
    if (code == EXIT_DONE)
        code = est_get_cacerts(&est, &e->certificates.ca);
    if (code == EXIT_DONE)
        code = get_csrattrs(&est);
    if (code == EXIT_DONE) {
        progress_done(e->progress, "%s", est.url);
        if (key_is_unwanted(e))
            certificates_clear(&e->certificates);
        else
            code = enrol(&est);
    }
    if (code != EXIT_DONE && est.http != NULL)
        *disowned = http_identity_failed(est.http);
    est_close(&est);
    return code;
}

/*
 * An identity whose key is gone, or whose CA was replaced, or that has expired
 * by the CA's clock: who has an IDevID says again who he is.
 */
static enum exit_code est_obtain(struct enrolment *e)
{
    bool by_itself = enrolment_by_itself(e);
    bool disowned = false;
    enum exit_code code = ask(e, &disowned);

    if (!disowned || !by_itself || e->identity->conf.idevid == NULL)
        return code;
    note("the identity cannot ask for itself: its IDevID does");
    certificates_clear(&e->certificates);
    e->disowned = true;
    return ask(e, &disowned);
}

static enum exit_code
est_prove(struct enrolment *e, const struct http_identity *identity, bool *done)
{
    STACK_OF(X509) *said = NULL;
    struct est est;
    enum exit_code code;

    est_open(&est, e);
    code = est_connect(&est, identity);
    if (code == EXIT_DONE)
        code = est_get_cacerts(&est, &said);
    *done = code == EXIT_DONE && http_identity_was_asked(est.http);
    sk_X509_pop_free(said, X509_free);
    est_close(&est);
    return code;
}

const struct enrolment_protocol est_protocol = {
    .name = "est",
    .obtain = est_obtain,
    .prove = est_prove,
};
