/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity engine: keys that live in a TPM 2.0 or a PKCS#11 token.
 *
 * This header is all that provider/ and tools/ see of the engine. Numbers on
 * it are big endian and of fixed width; DER appears only in key files,
 * requests and certificates. No function prints, exits or aborts.
 */
#ifndef DEVID_H
#define DEVID_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVID_VERSION "0.1.0"

/* What may be ignored is said so at the call; everything else is checked. */
#define DEVID_CHECK __attribute__((warn_unused_result))

/* ---- errors ---------------------------------------------------------- */

enum devid_err {
    DEVID_OK = 0,
    DEVID_ERR_USAGE,     /* the caller asked for what makes no sense */
    DEVID_ERR_INPUT,     /* a file, a URI or a value is malformed */
    DEVID_ERR_NO_DEVICE, /* the device cannot be reached */
    DEVID_ERR_NOT_FOUND, /* no such key, parent, index or object */
    DEVID_ERR_WRONG_KEY, /* the device holds another key, or is another */
    DEVID_ERR_EXISTS,    /* handle or name already taken */
    DEVID_ERR_ALG,       /* algorithm, hash or scheme not possible here */
    DEVID_ERR_AUTH,      /* authorisation missing or wrong */
    DEVID_ERR_LOCKED,    /* the device refuses authorisations for a while */
    DEVID_ERR_BUSY,      /* no room or no turn within the time allowed */
    DEVID_ERR_DEVICE,    /* any other answer of the device */
    DEVID_ERR_SYSTEM,    /* memory, files, libcrypto */
};

#define DEVID_ERROR_TEXT_SIZE 768

/* Why a call failed. Lives on the caller's stack; zero it or leave it. */
struct devid_error {
    uint32_t device_rc; /* raw TSS2_RC or CK_RV; 0 where no device spoke */
    char text[DEVID_ERROR_TEXT_SIZE]; /* one sentence, never a secret */
};

/* ---- the engine ------------------------------------------------------ */

/*
 * Settings by name, so that openssl.cnf, the environment and command lines
 * share one table. A setting's environment variable wins over devid_set().
 */
struct devid_setting {
    const char *name; /* as in openssl.cnf: "tcti" */
    const char *env;  /* "DEVID_TCTI" */
    const char *help; /* one line */
};

/* The table of settings, ended by a row whose name is NULL. */
const struct devid_setting *devid_settings(void);

struct devid;

/*
 * Make an engine. Opens and touches no device.
 *
 * libctx  borrowed, may be NULL (the default context): where hashing and
 *         software verification are fetched, always with provider!=devid
 * engine  out
 *
 * Environment variables are read here and never again.
 * Returns DEVID_OK, DEVID_ERR_INPUT (a bad value in the environment) or
 * _SYSTEM. Cost: no device command.
 */
DEVID_CHECK enum devid_err
devid_new(OSSL_LIB_CTX *libctx, struct devid **engine, struct devid_error *err);

/*
 * Give a setting its value, before the first key is opened. Ignored, after a
 * check of the value, where the environment gave one.
 *
 * Returns DEVID_OK, DEVID_ERR_INPUT (unknown name or bad value).
 */
DEVID_CHECK enum devid_err devid_set(struct devid *engine, const char *name,
                                     const char *value,
                                     struct devid_error *err);

/* Drop the caller's reference; open keys hold their own. NULL-safe. */
void devid_free(struct devid **engine);

/* The engine's library context, borrowed. */
OSSL_LIB_CTX *devid_libctx(const struct devid *engine);

/*
 * Close the device connections that this process opened: at a program's end.
 * Idempotent; a child never closes what its parent opened.
 * Cost: one FlushContext a loaded key where no resource manager does it.
 */
void devid_shutdown(void);

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

/* ---- making and deleting keys ---------------------------------------- */

struct devid_key_spec {
    const char *device;    /* URI of the device: "tpm2:"; NULL: "tpm2:" */
    const char *algorithm; /* a name of devid_algorithms() */
    const char *parent;    /* TPM: "0x81000001", owner, endorsement, platform,
                              null; NULL: 0x81000001 where it exists, else
                              owner */
    const char *persist;   /* TPM: persistent handle "0x81000010", or NULL */
    const char *label;     /* token: CKA_LABEL of the pair; NULL: "devid" */
    const char *hash;      /* RSA-PSS: the one that it signs with; NULL:
                              SHA256 */
    bool decrypt; /* RSA: may also decrypt; EC: also agree on secrets */
    bool dictionary_attack_protected; /* TPM: leave noDA clear */
    bool allow_extractable; /* token: keep a key that the token says may leave
                               it, or does not say that it may not */
    const char *pcrs; /* TPM: "sha256:0,7": signs only while these PCRs have
                         their values of now, or those with the digest behind
                         "="; or NULL */
    const struct devid_public *policy_signer; /* TPM: signs only as policies
                                                 say that this key has signed;
                                                 not with pcrs; or NULL */
    const void *auth; /* TPM: the key's auth value, crosses encrypted; token:
                         the user PIN, where its URI has none; borrowed */
    size_t auth_len;  /* bytes, 32 at most in a TPM; 0: empty */
};

/*
 * Make a key in the device. Nothing stays behind in the device on failure.
 *
 * Returns DEVID_OK; _INPUT (a value of spec), _ALG (the sentence lists what
 * the device has), _EXISTS (persist is taken), _NOT_FOUND (no such parent),
 * _NO_DEVICE, _AUTH, _BUSY, _DEVICE.
 * Cost (TPM): ReadPublic or CreatePrimary and FlushContext for the parent,
 * Create; a PCR_Read for eight PCRs, TestParms for a policy_signer; with
 * persist also ReadPublic, Load, EvictControl, FlushContext; RSA-PSS: a
 * signature, which proves the salt.
 */
DEVID_CHECK enum devid_err devid_key_create(struct devid *engine,
                                            const struct devid_key_spec *spec,
                                            struct devid_key **key,
                                            struct devid_error *err);

/* What another program has of a key: either `data` alone, or both. */
struct devid_convert_spec {
    const uint8_t *data; /* an importable TSS2 PRIVATE KEY in PEM or DER; what
                            tpm2_readpublic -t and tpm2_evictcontrol -o write of
                            a persistent handle; or a TPM2B_PUBLIC */
    size_t len;
    const uint8_t *tpm_private; /* TPM2B_PRIVATE, to a TPM2B_PUBLIC; or NULL */
    size_t tpm_private_len;
    const char *parent; /* as in devid_key_spec; NULL: also the file's own */
    const char *policy; /* lines in hex, a command's code and arguments each;
                           or NULL */
    bool has_auth;      /* the key has an auth value, as blobs do not say */
};

/*
 * A key file's key of what another program has. A key that is importable is
 * imported; a key blob is loaded once, to see that it belongs to its parent.
 *
 * Returns DEVID_OK; _INPUT (none of these), _WRONG_KEY (another parent, or
 * another key at the handle), _NOT_FOUND, _ALG, _AUTH, _NO_DEVICE, _DEVICE.
 * Cost: the parent as in devid_key_create, Import, Load, FlushContext.
 */
DEVID_CHECK enum devid_err
devid_key_convert(struct devid *engine, const struct devid_convert_spec *spec,
                  struct devid_key **key, struct devid_error *err);

/*
 * A software key into the device, where its copies outside no longer count
 * but are not gone: the key file and devid_key_info() say so.
 *
 * pkey  borrowed, with its private part; EC on a curve of devid_algorithms(),
 *       or RSA
 * spec  algorithm, decrypt, pcrs and policy_signer are ignored, and persist
 *
 * In a TPM the key crosses wrapped for its parent, on a token's session as the
 * module takes it. Returns what devid_key_create returns.
 */
DEVID_CHECK enum devid_err devid_key_import(struct devid *engine,
                                            const struct devid_key_spec *spec,
                                            const EVP_PKEY *pkey,
                                            struct devid_key **key,
                                            struct devid_error *err);

/* Signs a digest for somebody; as devid_key_sign, with an `arg` of its own. */
typedef enum devid_err devid_signer_fn(void *arg, const struct devid_tbs *tbs,
                                       struct devid_sig *sig,
                                       struct devid_error *err);

struct devid_policy_spec {
    const char *pcrs; /* as in devid_key_spec */
    const char *name; /* replaces a signed policy of that name; or NULL */
    const struct devid_public *signer;
    devid_signer_fn *sign;
    void *arg;
};

/*
 * The same key with one more signed policy in its file, tried first: for a
 * key made with policy_signer.
 *
 * Returns DEVID_OK; _INPUT (pcrs), _ALG (no such key), _WRONG_KEY (another
 * signer), what `sign` returns, _NO_DEVICE, _DEVICE.
 * Cost: PCR_Read, one for eight PCRs, where their values of now are wanted.
 * Source: draft-bottomley-tpm2-keys, section 5.
 */
DEVID_CHECK enum devid_err
devid_key_add_policy(const struct devid_key *key,
                     const struct devid_policy_spec *spec,
                     struct devid_key **with, struct devid_error *err);

/*
 * Remove from the device what a URI names: a persistent key (TPM: frees the
 * handle) or an NV certificate. A key blob lives in its file alone: delete
 * that. Returns DEVID_OK, _INPUT, _NOT_FOUND, _AUTH, _NO_DEVICE, _DEVICE.
 */
DEVID_CHECK enum devid_err devid_delete(struct devid *engine, const char *uri,
                                        struct devid_error *err);

/* ---- what a device holds --------------------------------------------- */

enum devid_object_type {
    DEVID_OBJECT_KEY,
    DEVID_OBJECT_CERT,
};

struct devid_object {
    enum devid_object_type type;
    char uri[DEVID_URI_SIZE];
    const char *role; /* "SRK", "EK", "IDevID certificate", ...; or NULL */
    struct devid_public public_key; /* key of a type that we know */
    bool has_public;
    char attributes[512]; /* key: in words */
    const uint8_t *der;   /* certificate, borrowed for the call; or NULL */
    size_t der_len;
    char note[160]; /* why der or public key is not there; or "" */
};

/* Called for each object; anything but DEVID_OK ends the walk. */
typedef enum devid_err devid_object_fn(const struct devid_object *object,
                                       void *arg, struct devid_error *err);

/*
 * Walk over persistent keys and certificates of a device ("tpm2:"; NULL: the
 * default). Costs a few commands an object.
 */
DEVID_CHECK enum devid_err devid_list(struct devid *engine, const char *device,
                                      devid_object_fn *fn, void *arg,
                                      struct devid_error *err);

/* True where the URI names a certificate ("tpm2:nv=0x01c90200"). */
bool devid_uri_is_cert(const char *uri);
/* True where the text starts with the scheme of one of our URIs. */
bool devid_is_uri(const char *text);

/*
 * Read a certificate out of the device: DER, trailing padding cut off,
 * OPENSSL_malloc. Returns DEVID_OK, _INPUT, _NOT_FOUND, _NO_DEVICE, _DEVICE.
 */
DEVID_CHECK enum devid_err devid_cert_read(struct devid *engine,
                                           const char *uri, uint8_t **der,
                                           size_t *len,
                                           struct devid_error *err);

struct devid_cert_spec {
    const char *uri;    /* TPM: of an NV index; token: of the certificate's
                           key, whose id and label it gets */
    const uint8_t *der; /* borrowed for the call */
    size_t len;         /* bytes */
    bool replace;       /* what is there already and is something else */
};

/*
 * Write a certificate into the device, and read it back. Whether it belongs to
 * a key is for the caller to see. Where it is there already nothing is done.
 *
 * Returns DEVID_OK; _INPUT (the URI, or too large), _EXISTS (something else is
 * there), _ALG (the device keeps no certificates), _AUTH, _BUSY (no room),
 * _NO_DEVICE, _DEVICE.
 * Source: TPM 2.0 Part 3, TPM2_NV_DefineSpace, TPM2_NV_Write.
 */
DEVID_CHECK enum devid_err devid_cert_write(struct devid *engine,
                                            const struct devid_cert_spec *spec,
                                            struct devid_error *err);

struct devid_device_info {
    char device[256];       /* where: the TCTI string */
    char manufacturer[64];  /* "IBM" */
    char model[64];         /* vendor string */
    char firmware[32];      /* "1.2.3.4" */
    char specification[32]; /* "2.0, revision 1.64" */
    char id[72];            /* device id: sha256 of the EK's SPKI, hex */
    char id_source[128];    /* "EK RSA-2048 at 0x81010001", ... in words */
    char idevid[72];        /* sha256 of the IDevID's SPKI, hex; or "" */
    bool managed;           /* behind a resource manager */
};

/*
 * Who is this device? Costs a few commands; CreatePrimary where no EK is
 * persistent (the standard template gives the same key each time).
 */
DEVID_CHECK enum devid_err devid_whoami(struct devid *engine,
                                        const char *device,
                                        struct devid_device_info *info,
                                        struct devid_error *err);

/*
 * Random numbers of the device that the setting random-source names: all that
 * are asked for, or none, with the kernel's on top.
 *
 * Returns DEVID_OK; _USAGE (none is named), _NO_DEVICE, _DEVICE (its answer,
 * or a generator that stands still). A software token that itself asks
 * OpenSSL's generator for them must not be that generator's source.
 * Cost: TPM: GetRandom for each 32 to 64 bytes; token: C_GenerateRandom.
 * Source: TPM 2.0 Part 3, TPM2_GetRandom; PKCS#11 v2.40, C_GenerateRandom.
 */
DEVID_CHECK enum devid_err devid_random(struct devid *engine, uint8_t *bytes,
                                        size_t len, struct devid_error *err);

/* ---- certificate requests -------------------------------------------- */

struct devid_csr_spec {
    const char *subject;       /* "/O=Acme/CN=unit-0001", UTF-8 */
    const char *const *sans;   /* "DNS:x", "IP:1.2.3.4", "URI:..", "email:..",
                                  "otherName:OID;UTF8:text"; ended by NULL; or
                                  NULL */
    const char *key_usage;     /* "digitalSignature,keyAgreement"; or NULL */
    const char *ext_key_usage; /* "serverAuth,clientAuth"; or NULL */
    const char *hash;          /* "SHA256"; NULL: fits the key */
};

/*
 * Make a PKCS#10 request, signed by the hardware key; DER by OPENSSL_malloc.
 * Returns DEVID_OK; _INPUT (the sentence says which value, and where in it);
 * and what devid_key_sign returns. Cost: one signature.
 */
DEVID_CHECK enum devid_err devid_csr_create(struct devid_key *key,
                                            const struct devid_csr_spec *spec,
                                            uint8_t **der, size_t *len,
                                            struct devid_error *err);

/* ---- code of others -------------------------------------------------- */

/*
 * A PKCS#11 module runs in the caller's process, which its crash ends. While
 * one runs on the calling thread the engine notes it here, for a handler of
 * SIGSEGV that says whose code it was; who calls a module himself may do so.
 *
 * module  its file or name; borrowed until devid_foreign_leave()
 * call    "C_Initialize"; a literal; NULL where it is not known
 */
void devid_foreign_enter(const char *module, const char *call);
void devid_foreign_leave(void);
/* For signal handlers: the module, or NULL, and the call. */
const char *devid_foreign_module(const char **call);

#endif
