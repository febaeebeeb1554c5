/* SPDX-License-Identifier: Apache-2.0 */
/* Part of devid.h, which is what others include. What is made in a device, and
 * what it holds. */
#ifndef DEVID_FACE_DEVICE_H
#define DEVID_FACE_DEVICE_H

#include "key.h"

#ifdef __cplusplus
extern "C" {
#endif

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
    char name[160];       /* key in a TPM: its Name, hex; or "" */
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

/*
 * Read all that an NV index of a TPM holds ("tpm2:nv=0x01c00002"), by
 * OPENSSL_malloc: an EK's certificate may be wrapped there, see
 * devid_ek_unwrap, and several may stand one behind another. Returns DEVID_OK,
 * _INPUT, _NOT_FOUND, _ALG (no TPM), _NO_DEVICE, _DEVICE.
 */
DEVID_CHECK enum devid_err devid_nv_read(struct devid *engine, const char *uri,
                                         uint8_t **data, size_t *len,
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
    const X509_NAME *name;     /* in place of subject, as it is; or NULL */
    const X509 *like; /* has the alternative names to ask for as they are, in
                         place of sans, and may have none; or NULL */
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

#ifdef __cplusplus
}
#endif

#endif
