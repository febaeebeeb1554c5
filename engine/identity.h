/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's identity, on the device's side: the TCG's keys of it (EK, IAK,
 * IDevID) and what they say of one another, so that a station may trust them
 * and answer with certificates. Fields bear the TCG's names; what becomes of
 * them is attest.h's affair.
 *
 * Only a TPM has such keys. The calls of one provisioning, with what they cost
 * in TPM commands (P-256, an EK that is there, no auth values, all in one
 * process; a chip whose NV buffer takes a certificate in one piece): 32.
 *
 *   devid_identity_request
 *     what there is       2  GetCapability of handles, of NV indices
 *     EK                  1  ReadPublic
 *     EK certificate      3  NV_ReadPublic, GetCapability, NV_Read
 *     IAK                 4  CreatePrimary, CertifyCreation, EvictControl,
 *                            FlushContext
 *     IDevID              3  CreatePrimary, EvictControl, FlushContext
 *     Certify             5  StartAuthSession, PolicySecret,
 *                            PolicyCommandCode, PolicyOR, Certify
 *   devid_identity_sign   1  Sign
 *   devid_identity_activate
 *                         7  StartAuthSession, PolicySecret,
 *                            PolicyCommandCode, PolicyOR, for a low-range EK
 *                            StartAuthSession, PolicySecret; ActivateCredential
 *   devid_cert_write, twice
 *                         6  NV_DefineSpace, NV_Write, NV_Read, each twice
 *
 * Each in a process of its own: ReadPublic more for each key that it uses, and
 * GetCapability more for what the NV takes: 36 with spec.ek a handle.
 *
 * No session and no loaded object outlives a call.
 */
#ifndef DEVID_IDENTITY_H
#define DEVID_IDENTITY_H

#include "devid.h"

#include <openssl/x509.h>

/* Where certificates of these keys lie, as the TCG's registry has them. */
#define DEVID_IAK_CERT_URI "tpm2:nv=0x01c90100"
#define DEVID_IDEVID_CERT_URI "tpm2:nv=0x01c90200"
/* Where the keys are. */
#define DEVID_IAK_URI "tpm2:handle=0x81020001"
#define DEVID_IDEVID_URI "tpm2:handle=0x81020000"

/* Certificates of an EK's issuers that a chip brings along, at most. */
#define DEVID_EK_CHAIN_MAX 8

struct devid_identity;

struct devid_identity_spec {
    const char *device;    /* URI of the device: "tpm2:"; NULL: "tpm2:" */
    const char *algorithm; /* of IAK and IDevID, a name of devid_algorithms();
                              NULL: that of what is there, else ec-p256 */
    const char *ek;        /* which EK: an algorithm's name or the persistent
                              handle "0x81010001"; NULL: see request */
};

/*
 * Begin with a device's identity. Opens no device.
 *
 * Returns DEVID_OK; _INPUT (a value of spec), _ALG (the device has no such
 * keys: the sentence says which kind has), _SYSTEM. Cost: no device command.
 */
DEVID_CHECK enum devid_err
devid_identity_open(struct devid *engine,
                    const struct devid_identity_spec *spec,
                    struct devid_identity **identity, struct devid_error *err);
/* NULL-safe; sets NULL. Cost: none. */
void devid_identity_free(struct devid_identity **identity);

/* Bytes of its own; OPENSSL_malloc. */
struct devid_field {
    uint8_t *data; /* NULL: empty */
    size_t len;    /* bytes */
};
/* NULL-safe; wipes what it frees. */
void devid_field_free(struct devid_field *field);

struct devid_nv_field {
    uint32_t index; /* where it was read; 0: nowhere */
    struct devid_field bytes;
};

/* What a device says of itself. */
struct devid_identity_request {
    uint32_t ek_handle;
    const char *ek_kind;          /* "RSA 2048 (L-1)": the TCG's template */
    struct devid_field ekPub;     /* TPMT_PUBLIC */
    struct devid_nv_field ekCert; /* as it lies there, padding and all; empty
                                     where the chip has none for this EK */
    struct devid_nv_field ek_chain[DEVID_EK_CHAIN_MAX];
    size_t ek_chain_count;
    struct devid_field attestPub;        /* TPMT_PUBLIC of the IAK */
    struct devid_field atCreateTkt;      /* TPMT_TK_CREATION */
    struct devid_field creation;         /* TPMS_CREATION_DATA: what the TCG's
                                            request has no place for */
    struct devid_field atCertifyInfo;    /* TPMS_ATTEST: its creation */
    struct devid_field atCertifyInfoSig; /* TPMT_SIGNATURE by the IAK */
    struct devid_field signingPub;       /* TPMT_PUBLIC of the IDevID */
    const struct devid_hash *hash;       /* what the IDevID signs digests of */
    struct devid_public ek, iak, idevid; /* the three public areas again */
    struct devid_field sgnCertifyInfo;   /* TPMS_ATTEST: the IDevID */
    struct devid_field sgnCertifyInfoSig;
};
void devid_identity_request_clear(struct devid_identity_request *request);

/*
 * Make the keys where they are not there, and have the TPM certify them.
 *
 * The EK is the first kind, in the order L-1, L-2, H-1, ..., for which the chip
 * has a certificate in NV, and of those the first that is persistent; where
 * there is no certificate, the first that is persistent, else L-1. Where it is
 * not persistent it is made and put at its handle, for the next time.
 *
 * IAK and IDevID are at 0x81020001 and 0x81020000, or are made from the TCG's
 * templates and put there. What is there already is used where it is such a
 * key and a primary key of the endorsement hierarchy, as the TPM's own
 * certification says. It is never replaced: called again, also after a crash
 * between any two commands, it gives the same keys.
 *
 * The four fields about the IAK's creation need its creation ticket, which
 * only making it gives. An IAK that was there is made once more, which gives
 * the same key, and flushed: two commands (seconds on a slow chip with RSA).
 * They stay empty where its maker used a `unique` of his own.
 *
 * request  out; cleared by the caller, also after a failure
 *
 * Returns DEVID_OK; DEVID_ERR_WRONG_KEY (something else is at one of the
 * handles: the sentence says which), _AUTH (settings endorsement-auth-source,
 * owner-auth-source), _ALG (the chip has not got the algorithm), _LOCKED,
 * _BUSY, _NO_DEVICE, _DEVICE.
 * Cost: 18 TPM commands, see above; an EK to be made 3 more, less one
 * ReadPublic; a certificate of its chain 2 or 3; an IAK and an IDevID that are
 * there 3 less.
 * Source: TPM 2.0 Part 3, TPM2_CertifyCreation, TPM2_Certify.
 */
DEVID_CHECK enum devid_err
devid_identity_request(struct devid_identity *identity,
                       struct devid_identity_request *request,
                       struct devid_error *err);

/*
 * Sign the digest of a request's contents with the IDevID, which must be there.
 *
 * hash       of the digest; an ECC IDevID takes the one of its template alone:
 *            SHA-256 for P-256, SHA-384 for P-384
 * signature  out: TPMT_SIGNATURE; RSA: PKCS#1
 *
 * Returns DEVID_OK; _ALG (another hash), _NOT_FOUND, _WRONG_KEY, _LOCKED,
 * _BUSY, _NO_DEVICE, _DEVICE. Cost: Sign; ReadPublic where
 * devid_identity_request was not called before.
 */
DEVID_CHECK enum devid_err devid_identity_sign(struct devid_identity *identity,
                                               const struct devid_hash *hash,
                                               const uint8_t *digest,
                                               struct devid_field *signature,
                                               struct devid_error *err);

/* What TPM2_MakeCredential gives; both without the two bytes of their size. */
struct devid_activation {
    const uint8_t *credential; /* TPM2B_ID_OBJECT's contents; borrowed */
    size_t credential_len;
    const uint8_t *secret; /* TPM2B_ENCRYPTED_SECRET's contents; borrowed */
    size_t secret_len;
};

/*
 * Answer a station's challenge: only the TPM that has this EK can, and only
 * where this IAK is in it. What crosses the bus is encrypted.
 *
 * answer  out: what was put into the challenge, 64 bytes at most; to be freed,
 *         and wiped, with devid_field_free
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (sizes that no TPM has), _WRONG_KEY (it was
 * made for another EK or another IAK), _NOT_FOUND (no IAK), _AUTH, _LOCKED,
 * _BUSY, _NO_DEVICE, _DEVICE.
 * Cost: 7 TPM commands, 5 with a high-range EK; without devid_identity_request
 * before it, 2 more where spec.ek is a handle, else 4.
 * Source: TPM 2.0 Part 3, TPM2_ActivateCredential.
 */
DEVID_CHECK enum devid_err
devid_identity_activate(struct devid_identity *identity,
                        const struct devid_activation *challenge,
                        struct devid_field *answer, struct devid_error *err);

/* ---- locking: what a unit's owner alone may do ------------------------- */

/* Authorisations, or-ed. */
enum {
    DEVID_LOCK_OWNER = 1u,
    DEVID_LOCK_ENDORSEMENT = 2u,
    DEVID_LOCK_LOCKOUT = 4u,
    DEVID_LOCK_ALL = 7u
};

/* The dictionary-attack parameters of a locked device. */
#define DEVID_LOCK_TRIES 32u       /* wrong values before it locks */
#define DEVID_LOCK_RECOVERY_S 600u /* until one is forgiven */
#define DEVID_LOCK_LOCKOUT_RECOVERY_S                                          \
    86400u /* of the lockout authorisation                                     \
            */

/*
 * Values for the authorisations of one device. They are random, are never
 * handed out but encrypted, and are wiped with it.
 */
struct devid_lock;

/*
 * Which authorisations are set, by whomever: DEVID_LOCK_..., or-ed.
 *
 * Returns DEVID_OK; _NO_DEVICE, _DEVICE. Cost: GetCapability.
 */
DEVID_CHECK enum devid_err devid_lock_look(struct devid_identity *identity,
                                           unsigned *set,
                                           struct devid_error *err);

/*
 * Make ready to lock the device: see what is set, and make values for the rest.
 * What they are made from is kept in the TPM's NV, at 0x01800d1d, until all of
 * them are set: whoever is interrupted after the first was set comes to the
 * same values again. Before that, what lies there is replaced.
 *
 * Returns DEVID_OK; _AUTH (setting owner-auth-source), _BUSY (no room in NV),
 * _EXISTS (something else lies there), _LOCKED, _NO_DEVICE, _DEVICE.
 * Cost: GetCapability; where nothing is set NV_DefineSpace, StartAuthSession,
 * NV_Write; where something is, up to 7 to look for what it was made from.
 */
DEVID_CHECK enum devid_err devid_lock_begin(struct devid_identity *identity,
                                            struct devid_lock **lock,
                                            struct devid_error *err);
/* NULL-safe; wipes; sets NULL. */
void devid_lock_free(struct devid_lock **lock);

/* Which it has made values for, and which of those are not set yet. */
unsigned devid_lock_values(const struct devid_lock *lock);
unsigned devid_lock_pending(const struct devid_lock *lock);

/*
 * The values for who shall be able to undo it: an object of JSON with the
 * members serial, owner, endorsement and lockout, those of devid_lock_values(),
 * as CMS EnvelopedData.
 *
 * escrow  the recipient's certificate, RSA (OAEP) or EC
 * der     out: OPENSSL_malloc
 *
 * Returns DEVID_OK, DEVID_ERR_INPUT (a certificate that one cannot encrypt to),
 * _SYSTEM. Cost: no device command. Source: RFC 5652, 6; AES-256-CBC.
 */
DEVID_CHECK enum devid_err devid_lock_wrap(const struct devid_lock *lock,
                                           X509 *escrow, const char *serial,
                                           uint8_t **der, size_t *len,
                                           struct devid_error *err);

/*
 * Lock the device: the dictionary-attack parameters, all three of them, where
 * they are others, then owner, endorsement and lockout authorisation, in that
 * order. No value crosses the bus in clear. What is set already stays. Before
 * the owner's is set a storage key is put at 0x81000001 where there is none:
 * without the value keys are made and loaded under that alone.
 *
 * Returns as devid_lock_begin. Cost: 12 TPM commands at most:
 * DictionaryAttackParameters, ReadPublic, GetCapability, CreatePrimary,
 * EvictControl, FlushContext, StartAuthSession, HierarchyChangeAuth three
 * times, NV_ReadPublic, NV_UndefineSpace. Source: TPM 2.0 Part 3,
 * TPM2_HierarchyChangeAuth.
 */
DEVID_CHECK enum devid_err devid_lock_apply(struct devid_identity *identity,
                                            struct devid_lock *lock,
                                            struct devid_error *err);

/*
 * TPM2_Clear: what the owner has in the TPM is gone, keys of the endorsement
 * hierarchy too, and no authorisation is set any more. The EK and its
 * certificate come back, and so would the same IAK and IDevID.
 *
 * Returns DEVID_OK; _AUTH (setting lockout-auth-source), _LOCKED, _NO_DEVICE,
 * _DEVICE (it may be disabled). Cost: Clear; with a value StartAuthSession.
 */
DEVID_CHECK enum devid_err devid_identity_clear(struct devid_identity *identity,
                                                struct devid_error *err);

#endif
