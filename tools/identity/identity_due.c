/* SPDX-License-Identifier: Apache-2.0 */
#include "identities.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "message.h"

int64_t identity_now(void)
{
    return (int64_t)time(NULL);
}

static int64_t seconds_of(const ASN1_TIME *when)
{
    struct tm tm;

    return ASN1_TIME_to_tm(when, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

struct identity_validity identity_validity(const X509 *cert)
{
    return (struct identity_validity){
        .not_before = seconds_of(X509_get0_notBefore(cert)),
        .not_after = seconds_of(X509_get0_notAfter(cert)),
    };
}

static void digest(const void *data, size_t len, uint8_t out[EVP_MAX_MD_SIZE])
{
    size_t used = 0;

    if (EVP_Q_digest(NULL, "SHA256", NULL, data, len, out, &used) != 1)
        die_no_memory();
}

int64_t identity_due(const struct identity_validity *validity, const char *id)
{
    int64_t lifetime = validity->not_after - validity->not_before;
    uint8_t hash[EVP_MAX_MD_SIZE];
    int64_t share;

    digest(id, strlen(id), hash);
    share = (int64_t)hash[0] << 8 | hash[1]; /* of 65536 */
    /* Seconds to the year 9999 are fewer than 2^39. */
    return validity->not_before + lifetime / 3 * 2 -
           lifetime / 12 * share / 65536;
}

void identity_device_id(const struct identity *identity, const X509 *cert,
                        char id[IDENTITY_ID_SIZE])
{
    const char *folder = identity->conf.idevid;
    char path[PATH_MAX];
    uint8_t hash[EVP_MAX_MD_SIZE];
    BIO *bio = NULL;
    X509 *idevid = NULL;
    uint8_t *der = NULL;
    int len;

    if (folder != NULL &&
        snprintf(path, sizeof(path), "%s/cert.pem", folder) < PATH_MAX)
        bio = BIO_new_file(path, "r");
    if (bio != NULL)
        idevid = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    len = idevid != NULL ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(idevid), &der)
                         : i2d_X509_NAME(X509_get_subject_name(cert), &der);
    if (len <= 0)
        die_no_memory();
    digest(der, (size_t)len, hash);
    for (size_t i = 0; i < (IDENTITY_ID_SIZE - 1) / 2; i++)
        (void)snprintf(id + 2 * i, 3, "%02x", hash[i]);
    OPENSSL_free(der);
    X509_free(idevid);
    BIO_free(bio);
    ERR_clear_error();
}
