/* SPDX-License-Identifier: Apache-2.0 */
/* Part of devid.h, which is what others include. Public keys, algorithms and
 * signatures. Pure: no device. */
#ifndef DEVID_FACE_PUBLIC_H
#define DEVID_FACE_PUBLIC_H

#include "engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- public keys and algorithms (pure) ------------------------------- */

enum devid_key_type {
    DEVID_KEY_EC,
    DEVID_KEY_RSA,
    DEVID_KEY_RSA_PSS, /* signs RSA-PSS alone, often with one hash alone */
    DEVID_KEY_ED25519, /* its 32 bytes are x (RFC 8032) */
};

#define DEVID_COORDINATE_MAX 66 /* bytes: P-521 */
#define DEVID_MODULUS_MAX 512   /* bytes: RSA-4096 */
#define DEVID_SIG_MAX 512       /* bytes: RSA-4096; ECDSA raw takes 132 */

/* What `--algorithm` takes; a table ended by a row whose name is NULL. */
struct devid_algorithm {
    const char *name; /* "ec-p256", "rsa-2048" */
    enum devid_key_type type;
    unsigned bits;         /* of the curve's field or the modulus */
    const char *group;     /* OpenSSL's group name "prime256v1"; RSA: NULL */
    const char *curve;     /* NIST's name "P-256"; RSA: NULL */
    size_t coordinate_len; /* bytes of x, y, r, s; RSA: of the modulus */
    unsigned security_bits;
};
const struct devid_algorithm *devid_algorithms(void);
/* By name ("ec-p256"; "P-256" and "prime256v1" too); NULL if unknown. */
const struct devid_algorithm *devid_algorithm_by_name(const char *name);

struct devid_public {
    enum devid_key_type type;
    unsigned bits;
    const struct devid_algorithm *alg; /* NULL: an RSA size not in the table */
    size_t coordinate_len;             /* bytes of x, y; RSA: of modulus */
    uint8_t x[DEVID_COORDINATE_MAX];   /* EC, Ed25519; coordinate_len bytes */
    uint8_t y[DEVID_COORDINATE_MAX];
    uint8_t modulus[DEVID_MODULUS_MAX]; /* RSA, coordinate_len bytes */
    uint32_t exponent;
    /* RSA-PSS: the one hash that it signs with, which is MGF1's too, and its
     * shortest salt in bytes; NULL: any. Source: RFC 4055, 1.2. */
    const struct devid_hash *hash;
    size_t salt_len;
};

/* The same key: type and numbers; what it is bound to does not count. */
bool devid_public_equal(const struct devid_public *a,
                        const struct devid_public *b);

/*
 * SubjectPublicKeyInfo of a public key; DER is allocated with OPENSSL_malloc.
 * Returns DEVID_OK or DEVID_ERR_SYSTEM. Source: RFC 5280, 4.1; RFC 5480.
 */
DEVID_CHECK enum devid_err devid_public_to_spki(const struct devid_public *pub,
                                                uint8_t **der, size_t *len,
                                                struct devid_error *err);
/*
 * The reverse. Named curves and uncompressed points only.
 * Returns DEVID_OK, _INPUT (damaged: a point that is not on its curve, an even
 * modulus, ...) or _ALG.
 */
DEVID_CHECK enum devid_err devid_public_from_spki(const uint8_t *der,
                                                  size_t len,
                                                  struct devid_public *pub,
                                                  struct devid_error *err);
/*
 * An ordinary EVP_PKEY of OpenSSL's own provider; the caller frees it.
 * Returns DEVID_OK, _INPUT (a point that is not on its curve), _SYSTEM.
 */
DEVID_CHECK enum devid_err devid_public_to_pkey(const struct devid_public *pub,
                                                OSSL_LIB_CTX *libctx,
                                                EVP_PKEY **pkey,
                                                struct devid_error *err);

/* Of an EVP_PKEY, public or private. Returns DEVID_OK, _INPUT or _ALG. */
DEVID_CHECK enum devid_err devid_public_from_pkey(const EVP_PKEY *pkey,
                                                  struct devid_public *pub,
                                                  struct devid_error *err);

/* ---- hashes and signatures ------------------------------------------- */

/* A hash that a signature may name; a table ended by a NULL name. */
struct devid_hash {
    const char *name; /* OpenSSL's: "SHA2-256", "SHA3-384", "MD5-SHA1" */
    int nid;
    size_t len; /* bytes of a digest */
};
const struct devid_hash *devid_hashes(void);
/* By any name that OBJ_txt2nid or EVP knows ("SHA256"); NULL if unknown. */
const struct devid_hash *devid_hash_by_name(const char *name);

enum devid_scheme {
    DEVID_ECDSA,
    DEVID_RSA_PKCS1,
    DEVID_RSA_PSS,
    DEVID_EDDSA, /* of the message itself, unhashed (RFC 8032) */
};
/* In words: "ECDSA", "RSA PKCS#1". */
const char *devid_scheme_name(enum devid_scheme scheme);

/* What holds of every key of a type. */
struct devid_key_kind {
    const char *name;         /* OpenSSL's: "EC", "RSA-PSS" */
    bool is_rsa;              /* a modulus and an exponent */
    unsigned schemes;         /* 1u << enum devid_scheme: what it signs */
    const char *signs;        /* the same in words: "RSA-PSS alone" */
    enum devid_scheme scheme; /* of requests for certificates */
};
const struct devid_key_kind *devid_key_kind(enum devid_key_type type);
/* Bytes of a raw signature: see struct devid_sig. */
size_t devid_signature_len(const struct devid_public *pub);

struct devid_tbs {
    enum devid_scheme scheme;
    const struct devid_hash *hash; /* PKCS#1: NULL pads `digest` as it is */
    const struct devid_hash *mgf1; /* PSS; NULL: as hash */
    size_t salt_len;               /* PSS, bytes */
    const uint8_t *digest;         /* borrowed for the call; EdDSA: the
                                      message itself, and no hash */
    size_t digest_len;             /* bytes */
};

struct devid_sig {
    size_t len;
    bool doubtful; /* the device may have taken another key; engine's own */
    uint8_t data[DEVID_SIG_MAX]; /* ECDSA: r||s; RSA: one block */
};

/*
 * ECDSA's raw r||s as the DER that TLS and X.509 carry, and back; DER by
 * OPENSSL_malloc. Returns DEVID_OK, _SYSTEM; the reverse also _INPUT.
 * Source: RFC 3279, 2.2.3: Ecdsa-Sig-Value.
 */
DEVID_CHECK enum devid_err devid_ecdsa_to_der(const struct devid_sig *sig,
                                              uint8_t **der, size_t *len,
                                              struct devid_error *err);
DEVID_CHECK enum devid_err devid_ecdsa_from_der(const uint8_t *der, size_t len,
                                                size_t coordinate_len,
                                                struct devid_sig *sig,
                                                struct devid_error *err);

/*
 * Verify in software. Touches no device.
 * Returns DEVID_OK, DEVID_ERR_WRONG_KEY (does not verify), _ALG, _SYSTEM.
 */
DEVID_CHECK enum devid_err devid_verify(const struct devid_public *pub,
                                        OSSL_LIB_CTX *libctx,
                                        const struct devid_tbs *tbs,
                                        const struct devid_sig *sig,
                                        struct devid_error *err);

/*
 * The AlgorithmIdentifier that names a signature in certificates and requests,
 * by scheme, hash and salt; DER by OPENSSL_malloc.
 * Returns DEVID_OK, DEVID_ERR_USAGE (no hash), _ALG (none is defined),
 * _SYSTEM. Source: RFC 5758, RFC 4055, RFC 8017 A.2.3.
 */
DEVID_CHECK enum devid_err devid_algorithm_id(const struct devid_tbs *tbs,
                                              uint8_t **der, size_t *len,
                                              struct devid_error *err);

#ifdef __cplusplus
}
#endif

#endif
