/* SPDX-License-Identifier: Apache-2.0 */
/* A vendor of TPMs in software: certificates of CAs and of EKs. */
#ifndef DEVID_TEST_AUTHORITY_H
#define DEVID_TEST_AUTHORITY_H

#include "support.h"

#include "attest.h"

#include <openssl/bn.h>
#include <openssl/x509.h>

#define EK_USAGE "2.23.133.8.1"
#define NOW 1800000000 /* 2027-01-15, by which the tests go */

struct cert_spec {
    const char *name;      /* CN */
    EVP_PKEY *key;         /* borrowed */
    X509 *issuer;          /* borrowed; NULL: itself */
    EVP_PKEY *issuer_key;  /* borrowed; NULL: itself */
    const char *digest;    /* NULL: SHA256 */
    const char *basic;     /* basicConstraints: "critical,CA:TRUE"; or NULL */
    const char *key_usage; /* "keyCertSign"; or NULL */
    const char *usage;     /* extKeyUsage; or NULL */
    const char *names;     /* nameConstraints: the one CN permitted; or NULL */
    const char *critical;  /* OID of a critical extension; or NULL */
    bool key_id;           /* subject's and authority's key ids */
    const char *tpm_manufacturer; /* "id:53544D20" in the SAN; or NULL */
    bool oaep;                    /* the public key says rsaesOaep */
    int not_before;               /* days from NOW; 0: -10 */
    int not_after;                /* days from NOW; 0: 1000 */
};

/*
 * A number of 2048 bits as chips with CVE-2017-15361 make moduli: k * M +
 * (65537^exponent mod M), M of the first 39 primes. The caller frees.
 */
BIGNUM *weak_number(unsigned long exponent);

/* The caller frees. */
X509 *make_cert(const struct cert_spec *spec);

/* Its DER, `before` bytes of room before and `after` behind it. */
uint8_t *cert_der(X509 *cert, size_t before, size_t after, size_t *len);

/* Write it as PEM, behind what is in the file already. */
void append_pem(const char *path, X509 *cert);
void write_der(const char *path, X509 *cert);

/*
 * What devid_ek_verify says of the bytes at NOW: the reason and, but for
 * DEVID_ATTEST_TRUSTED, a sentence with `text` in it.
 */
void expect_ek(struct devid_bytes nv, struct devid_attest_policy policy,
               enum devid_attest_reason reason, const char *text);

/*
 * A trust out of folders or files of DEVID_PEER_DATA, their names ended by
 * NULL; false, and a sentence printed, where one is not there.
 */
bool trust_peers(struct devid_trust **trust, const char *const *names);

/* A new folder in TMPDIR, and its removal with the files in it. */
void make_folder(char path[64]);
void remove_folder(const char *path);

#endif
