/* SPDX-License-Identifier: Apache-2.0 */
#include "operators.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "message.h"
#include "utf8.h"

struct operators {
    char *path;
    X509 *devices_ca; /* borrowed */
    pthread_mutex_t lock;
    /* What the file was when it was read; all zero: it was not there. */
    struct stat read_at;
    STACK_OF(X509) * certs;
    X509_STORE *store;        /* of those that are CAs; NULL: none is */
    struct devid_error wrong; /* with the file; "": nothing */
};

/* ---- names ------------------------------------------------------------- */

/* What a log or a page would not take is a question mark. */
static void copy_name(char name[OPERATOR_NAME_SIZE], const unsigned char *from)
{
    size_t used = 0;

    while (*from) {
        size_t len = utf8_len(from);
        size_t step = len ? len : 1;
        if (used + step >= OPERATOR_NAME_SIZE)
            break;
        if (len > 0)
            memcpy(name + used, from, len);
        else
            name[used] = '?';
        used += step;
        from += step;
    }
    name[used] = '\0';
}

void operator_name(X509 *cert, char name[OPERATOR_NAME_SIZE])
{
    X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char *text = NULL;
    char line[256];

    if (at >= 0 &&
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(
                                       X509_NAME_get_entry(subject, at))) > 0) {
        copy_name(name, text);
    } else {
        X509_NAME_oneline(subject, line, sizeof(line));
        copy_name(name, (const unsigned char *)line);
    }
    OPENSSL_free(text);
    ERR_clear_error();
}

/* ---- the file ---------------------------------------------------------- */

static enum devid_err wrong(struct operators *operators, const char *why)
{
    snprintf(operators->wrong.text, sizeof(operators->wrong.text), "%s %s",
             operators->path, why);
    return DEVID_ERR_SYSTEM;
}

static void forget(struct operators *operators)
{
    sk_X509_pop_free(operators->certs, X509_free);
    X509_STORE_free(operators->store);
    operators->certs = NULL;
    operators->store = NULL;
    operators->wrong.text[0] = '\0';
}

static bool is_ca(X509 *cert)
{
    return X509_check_ca(cert) > 0 &&
           (X509_get_extension_flags(cert) & EXFLAG_CA);
}

/* Takes the certificate over. */
static enum devid_err take(struct operators *operators, X509 *cert)
{
    if (sk_X509_push(operators->certs, cert) <= 0) {
        X509_free(cert);
        return wrong(operators, "does not fit into memory");
    }
    if (!is_ca(cert))
        return DEVID_OK;
    if (operators->devices_ca &&
        EVP_PKEY_eq(X509_get0_pubkey(cert),
                    X509_get0_pubkey(operators->devices_ca)) == 1)
        return wrong(operators, "lists the CA that certifies devices, so that "
                                "every device would be an operator; operators "
                                "have a CA of their own, or certificates one "
                                "by one");
    if (!operators->store) {
        operators->store = X509_STORE_new();
        if (!operators->store)
            return wrong(operators, "does not fit into memory");
        (void)X509_STORE_set_flags(operators->store, X509_V_FLAG_PARTIAL_CHAIN);
    }
    if (X509_STORE_add_cert(operators->store, cert) == 1)
        return DEVID_OK;
    return wrong(operators, "does not fit into memory");
}

static int no_passphrase(char *text, int size, int writing, void *arg)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

/* Under the lock, or before there are other threads. */
static enum devid_err read_file(struct operators *operators)
{
    BIO *bio = BIO_new_file(operators->path, "r");
    enum devid_err code = DEVID_OK;
    unsigned long last;
    X509 *cert;

    forget(operators);
    operators->certs = sk_X509_new_null();
    if (!operators->certs)
        code = wrong(operators, "does not fit into memory");
    else if (!bio)
        code = wrong(operators, "cannot be read");
    while (code == DEVID_OK &&
           (cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)))
        code = take(operators, cert);
    BIO_free(bio);
    last = ERR_peek_last_error();
    if (code == DEVID_OK && (ERR_GET_LIB(last) != ERR_LIB_PEM ||
                             ERR_GET_REASON(last) != PEM_R_NO_START_LINE))
        code = wrong(operators, "holds something other than certificates in "
                                "PEM, or one that is damaged");
    ERR_clear_error();
    if (code != DEVID_OK) {
        struct devid_error why = operators->wrong;
        forget(operators);
        operators->wrong = why;
    }
    return code;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Likewise. A file that cannot be looked at lets nobody in. */
static enum devid_err look(struct operators *operators)
{
    struct stat now = {0};

    if (stat(operators->path, &now)) {
        bool absent = errno == ENOENT;
        forget(operators);
        operators->read_at = (struct stat){0};
        return absent ? DEVID_OK : wrong(operators, "cannot be looked at");
    }
    if (is_same(&now, &operators->read_at))
        return operators->wrong.text[0] ? DEVID_ERR_SYSTEM : DEVID_OK;
    operators->read_at = now;
    return read_file(operators);
}

/* ---- opening ----------------------------------------------------------- */

enum exit_code operators_open(const char *path, X509 *ca,
                              struct operators **out)
{
    struct operators *operators = calloc(1, sizeof(*operators));
    enum exit_code code = EXIT_DONE;

    *out = NULL;
    if (!operators)
        die_no_memory();
    pthread_mutex_init(&operators->lock, NULL);
    operators->path = strdup(path);
    if (!operators->path)
        die_no_memory();
    operators->devices_ca = ca;
    if (look(operators) == DEVID_OK) {
        *out = operators;
        return EXIT_DONE;
    }
    code = fail_engine(&operators->wrong);
    operators_close(&operators);
    return code;
}

void operators_close(struct operators **out)
{
    struct operators *operators = *out;

    *out = NULL;
    if (!operators)
        return;
    forget(operators);
    pthread_mutex_destroy(&operators->lock);
    free(operators->path);
    free(operators);
}

/* ---- finding ----------------------------------------------------------- */

static bool is_now(X509 *cert)
{
    return X509_cmp_current_time(X509_get0_notBefore(cert)) < 0 &&
           X509_cmp_current_time(X509_get0_notAfter(cert)) > 0;
}

static bool is_listed(const struct operators *operators, X509 *cert)
{
    for (int i = 0; i < sk_X509_num(operators->certs); i++) {
        X509 *listed = sk_X509_value(operators->certs, i);
        if (!is_ca(listed) && X509_cmp(listed, cert) == 0)
            return true;
    }
    return false;
}

/* Who has the CA's own key is none of those whom it certified. */
static bool is_certified(const struct operators *operators, X509 *cert)
{
    X509_STORE_CTX *ctx;
    bool ok;

    if (!operators->store || is_ca(cert))
        return false;
    ctx = X509_STORE_CTX_new();
    ok = ctx && X509_STORE_CTX_init(ctx, operators->store, cert, NULL) == 1 &&
         X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT) == 1 &&
         X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

static enum devid_err refuse(struct devid_error *err, const char *why)
{
    snprintf(err->text, sizeof(err->text), "%s", why);
    return DEVID_ERR_AUTH;
}

static enum devid_err judge(struct operators *operators, X509 *cert,
                            struct devid_error *err)
{
    enum devid_err code;

    pthread_mutex_lock(&operators->lock);
    code = look(operators);
    if (code != DEVID_OK)
        *err = operators->wrong;
    else if (!is_listed(operators, cert) && !is_certified(operators, cert))
        code = refuse(err, "the client certificate is no operator's of this "
                           "station");
    pthread_mutex_unlock(&operators->lock);
    return code;
}

enum devid_err operators_find(struct operators *operators,
                              struct devid_bytes der,
                              char name[OPERATOR_NAME_SIZE],
                              struct devid_error *err)
{
    const unsigned char *at = der.data;
    X509 *cert = der.len ? d2i_X509(NULL, &at, (long)der.len) : NULL;
    enum devid_err code;

    name[0] = '\0';
    ERR_clear_error();
    if (!cert)
        return refuse(err, "an operator's client certificate is wanted here");
    if (!is_now(cert))
        code = refuse(err, "the client certificate is expired, or not valid "
                           "yet");
    else
        code = judge(operators, cert, err);
    if (code == DEVID_OK)
        operator_name(cert, name);
    X509_free(cert);
    return code;
}
