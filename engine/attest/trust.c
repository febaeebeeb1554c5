/* SPDX-License-Identifier: Apache-2.0 */
/* Roots and intermediates of vendors, out of files. */
#include "attest_internal.h"

#include "../backend.h"
#include "../libcrypto.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_LIMIT ((size_t)1 << 26) /* bytes */

enum devid_err devid_trust_new(OSSL_LIB_CTX *libctx, struct devid_trust **trust,
                               struct devid_error *err)
{
    struct devid_trust *t = OPENSSL_zalloc(sizeof(*t));

    *trust = t;
    if (t == NULL)
        return devid_no_memory(err);
    t->libctx = libctx;
    t->roots = X509_STORE_new();
    t->all = sk_X509_new_null();
    t->bare = OSSL_LIB_CTX_new();
    t->none = t->bare != NULL ? OSSL_PROVIDER_load(t->bare, "null") : NULL;
    if (t->roots == NULL || t->all == NULL || t->none == NULL) {
        devid_trust_free(trust);
        return devid_no_memory(err);
    }
    return DEVID_OK;
}

void devid_trust_free(struct devid_trust **trust)
{
    if (*trust == NULL)
        return;
    X509_STORE_free((*trust)->roots);
    sk_X509_pop_free((*trust)->all, X509_free);
    if ((*trust)->none != NULL)
        (void)OSSL_PROVIDER_unload((*trust)->none);
    OSSL_LIB_CTX_free((*trust)->bare);
    OPENSSL_free(*trust);
    *trust = NULL;
}

void attest_name_words(const X509_NAME *name, char *text, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int n = 0;

    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE) >= 0)
        n = BIO_read(bio, text, (int)size - 1);
    if (n > 0)
        text[n] = '\0';
    else
        (void)snprintf(text, size, "(no name)");
    BIO_free(bio);
}

/* ---- one certificate --------------------------------------------------- */

static bool is_known(const struct devid_trust *trust, const X509 *cert)
{
    for (int i = 0; i < sk_X509_num(trust->all); i++) {
        if (X509_cmp(sk_X509_value(trust->all, i), cert) == 0)
            return true;
    }
    return false;
}

static bool is_root(X509 *cert)
{
    return X509_NAME_cmp(X509_get_subject_name(cert),
                         X509_get_issuer_name(cert)) == 0 &&
           X509_verify(cert, X509_get0_pubkey(cert)) == 1;
}

/* Takes the certificate over. */
static enum devid_err add_cert(struct devid_trust *trust, X509 *cert,
                               struct devid_trust_count *count,
                               struct devid_error *err)
{
    bool root;

    /* Makes libcrypto look at the extensions now, not in two threads later. */
    (void)X509_check_purpose(cert, -1, 0);
    if (is_known(trust, cert)) {
        count->known++;
        X509_free(cert);
        return DEVID_OK;
    }
    root = is_root(cert);
    if (sk_X509_push(trust->all, cert) <= 0) {
        X509_free(cert);
        return devid_no_memory(err);
    }
    if (root && X509_STORE_add_cert(trust->roots, cert) != 1)
        return devid_no_memory(err);
    if (root)
        count->roots++;
    else
        count->intermediates++;
    return DEVID_OK;
}

static enum devid_err add_der(struct devid_trust *trust, const uint8_t *der,
                              long len, struct devid_trust_count *count,
                              struct devid_error *err)
{
    X509 *cert = X509_new_ex(trust->libctx, DEVID_PROPQ);
    const unsigned char *p = der;

    if (cert == NULL)
        return devid_no_memory(err);
    if (d2i_X509(&cert, &p, len) == NULL)
        return DEVID_OK; /* libcrypto freed it; the count says what was in */
    return add_cert(trust, cert, count, err);
}

/* ---- files ------------------------------------------------------------- */

static enum devid_err add_pem(struct devid_trust *trust, BIO *bio,
                              struct devid_trust_count *count,
                              struct devid_error *err)
{
    enum devid_err e = DEVID_OK;
    unsigned char *data = NULL;
    char *header = NULL;
    char *name = NULL;
    long len = 0;

    while (e == DEVID_OK &&
           PEM_read_bio(bio, &name, &header, &data, &len) == 1) {
        if (strcmp(name, PEM_STRING_X509) == 0 ||
            strcmp(name, PEM_STRING_X509_OLD) == 0)
            e = add_der(trust, data, len, count, err);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(data);
    }
    return e;
}

static unsigned certificates(const struct devid_trust_count *count)
{
    return count->roots + count->intermediates + count->known;
}

static enum devid_err add_text(struct devid_trust *trust, const uint8_t *text,
                               size_t len, struct devid_trust_count *count,
                               struct devid_error *err)
{
    unsigned before = certificates(count);
    enum devid_err e = DEVID_OK;
    BIO *bio = BIO_new_mem_buf(text, (int)len);

    if (bio == NULL)
        return devid_no_memory(err);
    devid_quiet_begin();
    if (len > 0 && text[0] == 0x30)
        e = add_der(trust, text, (long)len, count, err);
    else
        e = add_pem(trust, bio, count, err);
    devid_quiet_end();
    BIO_free(bio);
    if (e == DEVID_OK && certificates(count) == before)
        count->ignored++;
    return e;
}

static enum devid_err cannot_read(const char *path, struct devid_error *err)
{
    return devid_fail(err, DEVID_ERR_NOT_FOUND, 0, "cannot read %.400s: %s",
                      path, strerror(errno));
}

static enum devid_err add_file(struct devid_trust *trust, const char *path,
                               struct devid_trust_count *count,
                               struct devid_error *err)
{
    enum devid_err e = DEVID_OK;
    uint8_t *text = NULL;
    struct stat st;
    size_t len = 0;
    FILE *f = fopen(path, "rbe");

    if (f == NULL)
        return cannot_read(path, err);
    if (fstat(fileno(f), &st) != 0 || (size_t)st.st_size > FILE_LIMIT)
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "%.400s is larger than %zu bytes: no certificates", path,
                       FILE_LIMIT);
    if (e == DEVID_OK) {
        text = OPENSSL_malloc((size_t)st.st_size + 1);
        if (text == NULL)
            e = devid_no_memory(err);
        else
            len = fread(text, 1, (size_t)st.st_size, f);
    }
    if (e == DEVID_OK && ferror(f) != 0)
        e = cannot_read(path, err);
    (void)fclose(f); /* read only: nothing to lose */
    if (e == DEVID_OK)
        e = add_text(trust, text, len, count, err);
    OPENSSL_free(text);
    return e;
}

static enum devid_err add_folder(struct devid_trust *trust, const char *path,
                                 struct devid_trust_count *count,
                                 struct devid_error *err)
{
    enum devid_err e = DEVID_OK;
    const struct dirent *entry;
    DIR *dir = opendir(path);
    char name[4096];
    struct stat st;

    if (dir == NULL)
        return cannot_read(path, err);
    while (e == DEVID_OK && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (stat(name, &st) != 0)
            e = cannot_read(name, err);
        else if (S_ISREG(st.st_mode))
            e = add_file(trust, name, count, err);
    }
    (void)closedir(dir);
    return e;
}

enum devid_err devid_trust_add(struct devid_trust *trust, const char *path,
                               struct devid_trust_count *count,
                               struct devid_error *err)
{
    struct devid_trust_count found = {0};
    struct stat st;
    enum devid_err e;

    if (stat(path, &st) != 0)
        e = cannot_read(path, err);
    else if (S_ISDIR(st.st_mode))
        e = add_folder(trust, path, &found, err);
    else
        e = add_file(trust, path, &found, err);
    if (count != NULL)
        *count = found;
    if (e == DEVID_OK && certificates(&found) == 0) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "there is not one certificate in %.400s: PEM or DER "
                          "of TPM vendors' roots and intermediates is wanted",
                          path);
    }
    return e;
}
