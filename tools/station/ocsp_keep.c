/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The responder's key, and answers that are kept for as long as nothing is
 * revoked: a table with one place for each, taken over by who comes next.
 */
#include "ocsp.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"

enum {
    PLACES = 8192,
    ASKED_SIZE = 65
};

struct place {
    char asked[ASKED_SIZE];
    uint64_t age;
    int64_t made_ms;
    uint8_t *der;
    size_t len;
};

struct ocsp {
    EVP_PKEY *key;
    X509 *cert;               /* guarded by lock */
    atomic_uint_fast64_t age; /* one more for each revocation */
    pthread_mutex_t lock;     /* guards places and cert */
    struct place *places;     /* NULL: the key is fast */
};

struct ocsp *ocsp_new(EVP_PKEY *key, X509 *cert, bool slow)
{
    struct ocsp *ocsp = OPENSSL_zalloc(sizeof(*ocsp));

    if (!ocsp)
        return NULL;
    pthread_mutex_init(&ocsp->lock, NULL);
    if (slow)
        ocsp->places = OPENSSL_zalloc(PLACES * sizeof(*ocsp->places));
    if ((!slow || ocsp->places) && EVP_PKEY_up_ref(key) == 1)
        ocsp->key = key;
    if (ocsp->key && X509_up_ref(cert) == 1)
        ocsp->cert = cert;
    if (!ocsp->cert)
        ocsp_free(&ocsp);
    return ocsp;
}

void ocsp_free(struct ocsp **out)
{
    struct ocsp *ocsp = *out;

    *out = NULL;
    if (!ocsp)
        return;
    for (int i = 0; ocsp->places && i < PLACES; i++)
        OPENSSL_free(ocsp->places[i].der);
    OPENSSL_free(ocsp->places);
    pthread_mutex_destroy(&ocsp->lock);
    EVP_PKEY_free(ocsp->key);
    X509_free(ocsp->cert);
    OPENSSL_free(ocsp);
}

EVP_PKEY *ocsp_key(const struct ocsp *ocsp)
{
    return ocsp->key;
}

X509 *ocsp_cert(struct ocsp *ocsp)
{
    X509 *cert;

    pthread_mutex_lock(&ocsp->lock);
    cert = ocsp->cert;
    (void)X509_up_ref(cert); /* fails for nothing that is there */
    pthread_mutex_unlock(&ocsp->lock);
    return cert;
}

void ocsp_set_cert(struct ocsp *ocsp, X509 *cert)
{
    X509 *old;

    pthread_mutex_lock(&ocsp->lock);
    old = ocsp->cert;
    ocsp->cert = cert;
    pthread_mutex_unlock(&ocsp->lock);
    X509_free(old);
}

uint64_t ocsp_age(const struct ocsp *ocsp)
{
    return atomic_load(&ocsp->age);
}

void ocsp_forget(struct ocsp *ocsp)
{
    if (ocsp)
        atomic_fetch_add(&ocsp->age, 1);
}

/* The digest's first digits are as good as any. */
static struct place *place_of(struct ocsp *ocsp, const char *asked)
{
    char digits[9] = "";

    memcpy(digits, asked, sizeof(digits) - 1);
    return &ocsp->places[strtoul(digits, NULL, 16) % PLACES];
}

uint8_t *ocsp_kept(struct ocsp *ocsp, const char *asked, int64_t since_ms,
                   size_t *len)
{
    uint8_t *der = NULL;
    const struct place *place;

    if (!ocsp->places)
        return NULL;
    pthread_mutex_lock(&ocsp->lock);
    place = place_of(ocsp, asked);
    if (strcmp(place->asked, asked) == 0 && place->age == ocsp_age(ocsp) &&
        place->made_ms >= since_ms) {
        der = OPENSSL_memdup(place->der, place->len);
        *len = place->len;
    }
    pthread_mutex_unlock(&ocsp->lock);
    return der;
}

void ocsp_keep(struct ocsp *ocsp, const char *asked, uint64_t before,
               const uint8_t *der, size_t len)
{
    uint8_t *copy = ocsp->places ? OPENSSL_memdup(der, len) : NULL;
    struct place *place;

    if (!copy)
        return;
    pthread_mutex_lock(&ocsp->lock);
    place = place_of(ocsp, asked);
    OPENSSL_free(place->der);
    memcpy(place->asked, asked, sizeof(place->asked));
    place->age = before;
    place->made_ms = now_ms();
    place->der = copy;
    place->len = len;
    pthread_mutex_unlock(&ocsp->lock);
}
