/* SPDX-License-Identifier: Apache-2.0 */
/* Part of devid.h, which is what others include. Keys in hardware, and their
 * use. */
#ifndef DEVID_FACE_KEY_H
#define DEVID_FACE_KEY_H

#include "public.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- decryption and key agreement ------------------------------------ */

enum devid_padding {
    DEVID_PAD_NONE,
    DEVID_PAD_PKCS1, /* RSAES-PKCS1-v1_5 */
    DEVID_PAD_OAEP,
    DEVID_PAD_TLS, /* PKCS#1 v1.5 around the premaster secret of TLS 1.2 */
};

struct devid_ciphertext {
    enum devid_padding padding;
    const uint8_t *data; /* borrowed for the call */
    size_t len;          /* bytes: of the modulus, or fewer */
    /*
     * PKCS1: say so where the padding is wrong. A program that lets its peer
     * see the difference gives the key's power away (Bleichenbacher); without
     * this the answer is then another message, see devid_key_decrypt().
     */
    bool tell_bad_padding;
    const struct devid_hash *hash; /* OAEP */
    const struct devid_hash *mgf1; /* OAEP; NULL: as hash */
    const uint8_t *label;          /* OAEP, borrowed; NULL: empty */
    size_t label_len;              /* bytes */
    uint16_t tls_version;          /* TLS: that the client offered */
    uint16_t tls_negotiated;       /* TLS: also taken; 0: no other is */
};

/* Secret: wipe it. */
struct devid_plaintext {
    size_t len;
    uint8_t data[DEVID_MODULUS_MAX];
};

/* Secret: wipe it. */
struct devid_shared {
    size_t len; /* of a coordinate */
    uint8_t data[DEVID_COORDINATE_MAX];
};

/* ---- keys ------------------------------------------------------------ */

struct devid_key;

/*
 * Open a key from the DER of its file: TSS2 PRIVATE KEY or DEVID KEY
 * REFERENCE. Opens no device: a key that is not there shows at first use.
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (neither form, or garbled: device_rc 0);
 * DEVID_ERR_ALG (a key this engine cannot use, the sentence says why).
 * Cost: no device command. `recognised`, may be NULL, tells a caller that
 * tries many formats whether this is one of ours at all.
 */
DEVID_CHECK enum devid_err devid_key_from_der(struct devid *engine,
                                              const uint8_t *der, size_t len,
                                              bool *recognised,
                                              struct devid_key **key,
                                              struct devid_error *err);

/*
 * Open the first key in a PEM text or a DER file; both labels.
 * Errors as devid_key_from_der; the text names the line or label at fault.
 */
DEVID_CHECK enum devid_err devid_key_from_pem(struct devid *engine,
                                              const char *text, size_t len,
                                              struct devid_key **key,
                                              struct devid_error *err);

/* True for a PEM label ("TSS2 PRIVATE KEY") that holds a key of ours. */
bool devid_pem_label_is_key(const char *label);

/*
 * Open the key at a URI: "tpm2:handle=0x81020000", "handle:0x81020000".
 * Returns DEVID_OK; _INPUT (malformed: says where), _NOT_FOUND, _NO_DEVICE,
 * _ALG, _DEVICE. Cost: one device command, for the public key.
 */
DEVID_CHECK enum devid_err devid_key_from_uri(struct devid *engine,
                                              const char *uri,
                                              struct devid_key **key,
                                              struct devid_error *err);

/*
 * Open the key at a URI whose public key is known already, as a reference.
 * That it is there shows at first use. Cost: no device command.
 *
 * Returns DEVID_OK; _INPUT (malformed), _SYSTEM.
 */
DEVID_CHECK enum devid_err
devid_key_from_reference(struct devid *engine, const char *uri,
                         const struct devid_public *pub, struct devid_key **key,
                         struct devid_error *err);

/*
 * Open a key from what a person typed: a URI, else the name of a PEM or DER
 * file. Errors of both, and _NOT_FOUND where there is no such file.
 */
DEVID_CHECK enum devid_err devid_key_open(struct devid *engine,
                                          const char *file_or_uri,
                                          struct devid_key **key,
                                          struct devid_error *err);

struct devid_key *devid_key_up_ref(struct devid_key *key);
/* NULL-safe; sets NULL. Cost: FlushContext where the key is still loaded. */
void devid_key_free(struct devid_key **key);

/*
 * Give a key its auth value, where devid_key_info() says that it needs one;
 * copied, kept out of core dumps, wiped with the key. A value that the device
 * refuses is tried once, in this process and all that fork from it.
 * Returns DEVID_OK, DEVID_ERR_INPUT (too long), _SYSTEM. Cost: none.
 */
DEVID_CHECK enum devid_err devid_key_set_auth(struct devid_key *key,
                                              const void *value, size_t len,
                                              struct devid_error *err);
/* True where the key still lacks the auth value that it needs. */
bool devid_key_wants_auth(const struct devid_key *key);

/* Borrowed from the key. Cost: none. */
const struct devid_public *devid_key_public(const struct devid_key *key);

/*
 * The key file's DER, and its PEM (NUL-ended text, with label). Both
 * allocated with OPENSSL_malloc. A key opened from a URI gives a reference.
 */
DEVID_CHECK enum devid_err devid_key_to_der(const struct devid_key *key,
                                            uint8_t **der, size_t *len,
                                            struct devid_error *err);
DEVID_CHECK enum devid_err devid_key_to_pem(const struct devid_key *key,
                                            char **text, size_t *len,
                                            struct devid_error *err);

/*
 * Sign one digest with the hardware key.
 *
 * key  open key; any number of threads may share it
 * tbs  scheme, hash and digest; the hash must be one the key allows
 * sig  out: the raw signature (ECDSA r||s, each coordinate_len bytes, big
 *      endian; RSA: modulus-sized block); len is 0 on failure
 * err  out, may be NULL: why it failed, in one sentence
 *
 * Returns DEVID_OK, or DEVID_ERR_USAGE (scheme and key do not fit), _ALG,
 * _AUTH, _LOCKED, _NO_DEVICE, _NOT_FOUND, _WRONG_KEY, _BUSY, _DEVICE.
 * Cost: one device command once the key is loaded; three on a bare TPM for
 * a key blob.
 * Source: TPM 2.0 Part 3, TPM2_Sign; PKCS#11 v2.40, C_Sign.
 */
DEVID_CHECK enum devid_err devid_key_sign(struct devid_key *key,
                                          const struct devid_tbs *tbs,
                                          struct devid_sig *sig,
                                          struct devid_error *err);

/*
 * Decrypt with the hardware key, an RSA key that may.
 *
 * key    open key; any number of threads may share it
 * c      ciphertext and its padding, which is removed here in constant time
 *        unless the device insists on doing it
 * plain  out; len is 0 on failure
 * err    out, may be NULL: why it failed, in one sentence
 *
 * Where PKCS#1 v1.5 padding is wrong the answer is a message made of the
 * ciphertext and a secret of the open key (implicit rejection): the same each
 * time, in this process and all that fork from it, and for a program without
 * the key as good as any other. Of a premaster secret it is a random one.
 *
 * Returns DEVID_OK, or DEVID_ERR_USAGE (no RSA key), _INPUT (no ciphertext of
 * this key), _ALG (the key or the device may or can not), _AUTH, _LOCKED,
 * _NO_DEVICE, _NOT_FOUND, _WRONG_KEY, _BUSY, _DEVICE.
 * Cost: as devid_key_sign().
 * Source: RFC 8017, 7; RFC 5246, 7.4.7.1; TPM 2.0 Part 3, TPM2_RSA_Decrypt;
 * PKCS#11 v2.40, C_Decrypt; draft-irtf-cfrg-rsa-guidance.
 */
DEVID_CHECK enum devid_err devid_key_decrypt(struct devid_key *key,
                                             const struct devid_ciphertext *c,
                                             struct devid_plaintext *plain,
                                             struct devid_error *err);

/*
 * Agree on a secret with the hardware key, an EC key that may.
 *
 * key     open key; any number of threads may share it
 * peer    the other side's public key, whose point is checked here
 * shared  out: the shared point's x coordinate; len is 0 on failure
 * err     out, may be NULL: why it failed, in one sentence
 *
 * Returns DEVID_OK, or DEVID_ERR_USAGE (no EC key, a peer on another curve),
 * _INPUT (a point that is not on its curve), and as devid_key_decrypt().
 * Cost: TPM: as devid_key_sign(); token: C_DeriveKey, C_GetAttributeValue and
 * C_DestroyObject; the first of a process twice, see pkcs11/derive.c.
 * Source: SEC 1, 3.3.1 (the curves' cofactor is one); TPM 2.0 Part 3,
 * TPM2_ECDH_ZGen; PKCS#11 v2.40, CKM_ECDH1_DERIVE.
 */
DEVID_CHECK enum devid_err devid_key_derive(struct devid_key *key,
                                            const struct devid_public *peer,
                                            struct devid_shared *shared,
                                            struct devid_error *err);

/* Of any URI that the engine gives out: a token's may name files. */
#define DEVID_URI_SIZE 1024

/* What is known of a key without asking its device. */
struct devid_key_info {
    const char *format;       /* "TSS2 PRIVATE KEY", "DEVID KEY REFERENCE" */
    const char *backend;      /* "TPM 2.0" */
    char uri[DEVID_URI_SIZE]; /* "" where the private part is in the file */
    char location[256];       /* in words */
    char attributes[512];     /* in words, comma separated; "" if unknown */
    char name[160];           /* the TPM's Name of the object, hex; or "" */
    bool restricted;          /* signs only what the TPM made: no TLS */
    bool may_sign;
    bool may_decrypt;  /* RSA: decrypt; EC: agree on secrets */
    bool learnt_later; /* what it may do is in the device: asked there */
    bool needs_auth;   /* has an auth value or PIN */
    bool has_policy;
    char policy[512];      /* in words; "" if there is none */
    char description[256]; /* the key file's; or "" */
    bool imported;         /* was once outside of the device */
};
void devid_key_info(const struct devid_key *key, struct devid_key_info *info);

#ifdef __cplusplus
}
#endif

#endif
