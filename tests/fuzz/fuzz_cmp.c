/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CA answers that speaks CMP, or what stands in its place. The first
 * byte says how it is asked, and whether what follows is an answer as it comes
 * over HTTP, or what a CA with the right keys says.
 */
#include "fuzz.h"

#include "cmp.h"
#include "fake_ca.h"
#include "fake_curl.h"

#include <openssl/crypto.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

enum {
    BY_SECRET = 1,
    RENEWS = 2,
    REVOKES = 4,
    OF_THE_CA = 8, /* the rest is told to it */
    UNPROTECTED = 16,
    OTHER_SECRET = 32,
    NO_CMP = 64, /* says its Content-Type */
    NO_CA = 128, /* nothing says whom to trust but the secret */
    HEAD_LEN = 6
};

static struct fake_ca told;

/* It takes a second of fake_sleep.c: who asks again and again gives up then. */
static void make_answer(struct fake_answer *answer, const uint8_t *sent,
                        size_t len)
{
    (void)sleep(1);
    OPENSSL_free((void *)(uintptr_t)answer->body);
    answer->body = (const char *)fake_ca_answer(&told, sent, len, &answer->len);
}

/* ---- what is told to the CA, or said in its place ---------------------------
 */

static X509 *issued_of(uint8_t which, const uint8_t *der, size_t len)
{
    if (which == 0)
        return X509_up_ref(fake_ca_device) == 1 ? fake_ca_device : NULL;
    return which == 1 ? NULL : d2i_X509(NULL, &der, (long)len);
}

/* status, bit of the failure, polls and their pause, which certificate is
 * issued, whether another is shown; then the certificate, or a text. */
static void tell(uint8_t flags, const uint8_t *data, size_t size, char *text)
{
    told = (struct fake_ca){
        .status = data[0] % 9 - 1,
        .fail_info = data[1] < 27 ? 1 << data[1] : 0,
        .text = text[0] != '\0' ? text : NULL,
        .issued = issued_of(data[3], data + HEAD_LEN - 1, size - HEAD_LEN + 1),
        .polls = data[2] % 8,
        .after_s = data[2] / 8 - 1,
        .extra = data[4] % 2 ? fake_ca_cert : NULL,
        .unprotected = (flags & UNPROTECTED) != 0,
        .by_secret = (flags & BY_SECRET) != 0,
        .other_secret = (flags & OTHER_SECRET) != 0,
    };
    ERR_clear_error();
    if (told.extra == NULL && data[4] % 4 == 2)
        told.extra = told.issued;
    fake_answer.make = make_answer;
}

/* How the transfer ends, or its status; then the body. */
static void say(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 201, 302, 400, 404, 500, 503};

    if (data[0] < sizeof(statuses) / sizeof(*statuses))
        fake_answer.status = statuses[data[0]];
    else
        fake_answer.rc = (CURLcode)data[0];
    fake_answer.body = (const char *)data + 1;
    fake_answer.len = size - 1;
}

/* ---- what the device asks ---------------------------------------------------
 */

static struct cmp_request request_of(void)
{
    static uint8_t *der;
    static int len;
    X509_REQ *req;
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    X509_EXTENSION *san;

    if (der == NULL) {
        req = X509_REQ_new();
        san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:a");
        must(req != NULL && san != NULL &&
             X509v3_add_ext(&extensions, san, -1) != NULL);
        must(X509_REQ_set_subject_name(
                 req, X509_get_subject_name(fake_ca_device)) == 1);
        must(X509_REQ_add_extensions(req, extensions) == 1);
        must(X509_REQ_set_pubkey(req, fake_ca_key) == 1);
        must(X509_REQ_sign(req, fake_ca_key, EVP_sha256()) > 0);
        len = i2d_X509_REQ(req, &der);
        must(len > 0);
        sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
        X509_EXTENSION_free(san);
        X509_REQ_free(req);
    }
    return (struct cmp_request){
        .key = fake_ca_key, .pkcs10 = der, .pkcs10_len = (size_t)len};
}

/* Nothing, or a certificate for the key. */
static enum exit_code certify(const struct cmp_spec *spec, int renews)
{
    struct cmp_request request = request_of();
    struct cmp_issued issued = {0};
    enum exit_code code;

    if (renews)
        request.old = fake_ca_device;
    code = cmp_certify(spec, &request, &issued);
    must((code == EXIT_DONE) == (issued.cert != NULL));
    must(issued.cert == NULL ||
         X509_check_private_key(issued.cert, request.key) == 1);
    must(code != EXIT_DONE || !issued.disowned);
    cmp_issued_clear(&issued);
    return code;
}

static void ask(uint8_t flags)
{
    const struct http_identity who = {.key = fake_ca_key,
                                      .cert = fake_ca_device};
    const struct cmp_spec spec = {
        .url = "http://ca.example/cmp",
        .ca = flags & NO_CA ? NULL : fake_ca_file,
        .who = flags & BY_SECRET ? NULL : &who,
        .reference = FAKE_CA_REFERENCE,
        .secret = flags & BY_SECRET ? FAKE_CA_SECRET : NULL,
        .secret_len = strlen(FAKE_CA_SECRET),
        .patience_s = 60,
    };
    enum exit_code code;

    if (flags & REVOKES)
        code = cmp_revoke(&spec, fake_ca_device, 1);
    else
        code = certify(&spec, flags & RENEWS);
    /* Who has not the keys gets nowhere. */
    must(code != EXIT_DONE || (flags & OF_THE_CA && !(flags & NO_CMP)));
    must(code != EXIT_DONE || !(flags & OTHER_SECRET && flags & BY_SECRET));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size < HEAD_LEN)
        return 0;
    fake_ca_open();
    fake_answer = (struct fake_answer){
        .status = 200,
        .type = data[0] & NO_CMP ? "text/html" : "application/pkixcmp"};
    text = malloc(size);
    must(text != NULL);
    memcpy(text, data + HEAD_LEN, size - HEAD_LEN);
    text[size - HEAD_LEN] = '\0';
    if (data[0] & OF_THE_CA)
        tell(data[0], data + 1, size - 1, text);
    else
        say(data + 1, size - 1);
    ask(data[0]);
    if (data[0] & OF_THE_CA) {
        OPENSSL_free((void *)(uintptr_t)fake_answer.body);
        X509_free(told.issued);
    }
    fake_ca_forget();
    free(text);
    must_leave_no_error();
    return 0;
}
