/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a station must know to trust a device's request: the TCG's request for
 * an IDevID, certificates of endorsement keys, what a TPM certifies of its
 * keys, the challenge that only that TPM answers, the certificates at the end.
 *
 * All of it is pure: no device, no network, no clock but where it is said.
 * Names of fields are those of the TCG's documents. What is handed out as
 * `borrowed` lies in the bytes that were handed in. No function prints, exits
 * or aborts; any number of threads may call any of them.
 */
#ifndef DEVID_ATTEST_H
#define DEVID_ATTEST_H

#include "devid.h"

struct devid_bytes {
    const uint8_t *data; /* borrowed */
    size_t len;
};

/* ---- the request: TCG-CSR-IDEVID --------------------------------------- */

/*
 * A request. Source: TCG, TPM 2.0 Keys for Device Identity and Attestation
 * 1.0, section 13.1. Empty fields have len 0.
 */
struct devid_tcg_csr {
    const struct devid_hash *hash; /* hashAlgoId: of the contents */
    struct devid_bytes contents;   /* what the IDevID signs; decode's */
    struct devid_bytes digest;     /* as the contents say it; decode's */
    struct devid_bytes prodModel;
    struct devid_bytes prodSerial;
    struct devid_bytes prodCaData;
    struct devid_bytes bootEvntLog;
    struct devid_bytes ekCert;
    struct devid_bytes attestPub;         /* TPMT_PUBLIC of the IAK */
    struct devid_bytes atCreateTkt;       /* TPMT_TK_CREATION of the IAK */
    struct devid_bytes atCertifyInfo;     /* TPMS_ATTEST: its creation */
    struct devid_bytes atCertifyInfoSig;  /* TPMT_SIGNATURE by the IAK */
    struct devid_bytes signingPub;        /* TPMT_PUBLIC of the IDevID */
    struct devid_bytes sgnCertifyInfo;    /* TPMS_ATTEST: the IDevID */
    struct devid_bytes sgnCertifyInfoSig; /* TPMT_SIGNATURE by the IAK */
    struct devid_bytes pad;               /* to a multiple of 16 */
    struct devid_bytes signature; /* TPMT_SIGNATURE by the IDevID; or empty */
};

/*
 * Decode a request whole, or its contents alone (whose signature then comes
 * another way). Checked: versions, sizes, trailing bytes, padding, and the
 * hash over all that follows it; no TPM structure is looked into.
 *
 * libctx  borrowed, may be NULL: where the hash is fetched
 * csr     out: borrows from `data`
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (the sentence names the field and its
 * offset in `data`), _ALG (a hash that is not known), _SYSTEM.
 */
DEVID_CHECK enum devid_err devid_tcg_csr_decode(struct devid_bytes data,
                                                OSSL_LIB_CTX *libctx,
                                                struct devid_tcg_csr *csr,
                                                struct devid_error *err);
DEVID_CHECK enum devid_err
devid_tcg_csr_decode_contents(struct devid_bytes data, OSSL_LIB_CTX *libctx,
                              struct devid_tcg_csr *csr,
                              struct devid_error *err);

/*
 * The contents of a request, to be signed by the IDevID: what decode reads.
 * The hash is computed over the fields; zeros are the padding where there is
 * none of the right length. `out` by OPENSSL_malloc.
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (too large), _ALG, _SYSTEM.
 */
DEVID_CHECK enum devid_err
devid_tcg_csr_encode_contents(const struct devid_tcg_csr *csr,
                              OSSL_LIB_CTX *libctx, uint8_t **out, size_t *len,
                              struct devid_error *err);

/* The whole: contents and the TPMT_SIGNATURE over them; OPENSSL_malloc. */
DEVID_CHECK enum devid_err devid_tcg_csr_encode(struct devid_bytes contents,
                                                struct devid_bytes signature,
                                                uint8_t **out, size_t *len,
                                                struct devid_error *err);

/* ---- weak keys --------------------------------------------------------- */

/*
 * True where an RSA modulus has the fingerprint of CVE-2017-15361 ("ROCA"):
 * a generator in Infineon's chips whose keys can be factored. One sound
 * modulus in some 2^27 has it too.
 *
 * modulus  big endian, `len` bytes, leading zeros allowed
 *
 * Source: Nemec et al., The Return of Coppersmith's Attack, section 3.
 */
bool devid_roca_fingerprint(const uint8_t *modulus, size_t len);

/* ---- vendors' certificates --------------------------------------------- */

struct devid_trust;

struct devid_trust_count {
    unsigned roots;         /* self-signed: trusted */
    unsigned intermediates; /* others: used on the way to a root */
    unsigned known;         /* were there already */
    unsigned ignored;       /* files that hold no certificate */
};

DEVID_CHECK enum devid_err devid_trust_new(OSSL_LIB_CTX *libctx,
                                           struct devid_trust **trust,
                                           struct devid_error *err);
/*
 * Add a file, or each file of a folder but its hidden ones: DER or PEM, in
 * which other things than certificates may stand too. Folders in the folder
 * are left alone. Not to be called while others verify.
 *
 * count  out, may be NULL: of this call
 *
 * Returns DEVID_OK; DEVID_ERR_NOT_FOUND (no such file or folder, or it cannot
 * be read), _INPUT (not one certificate in it), _SYSTEM.
 */
DEVID_CHECK enum devid_err devid_trust_add(struct devid_trust *trust,
                                           const char *path,
                                           struct devid_trust_count *count,
                                           struct devid_error *err);
void devid_trust_free(struct devid_trust **trust);

/* ---- the verdict ------------------------------------------------------- */

/* Why a device is not trusted. The order is no promise, the names are. */
enum devid_attest_reason {
    DEVID_ATTEST_TRUSTED = 0,
    DEVID_ATTEST_UNDECIDED, /* memory or libcrypto failed: ask again */
    DEVID_ATTEST_SERIAL,    /* prodSerial is missing or unprintable */
    /* the EK's certificate */
    DEVID_ATTEST_EK_MISSING,
    DEVID_ATTEST_EK_MALFORMED,          /* wrapper, padding, DER */
    DEVID_ATTEST_EK_KEY,                /* no key that an EK may have */
    DEVID_ATTEST_EK_ROCA,               /* CVE-2017-15361 */
    DEVID_ATTEST_EK_NOT_ALLOWED,        /* not on the allow-list */
    DEVID_ATTEST_EK_PURPOSE,            /* a CA, or without the EK's EKU */
    DEVID_ATTEST_EK_CRITICAL_EXTENSION, /* one that nobody here knows */
    DEVID_ATTEST_EK_ISSUER_UNKNOWN,     /* no certificate of that name */
    DEVID_ATTEST_EK_SIGNATURE,          /* of that name, but another key */
    DEVID_ATTEST_EK_CHAIN,              /* the issuer leads to no root */
    DEVID_ATTEST_EK_SHA1,
    DEVID_ATTEST_EK_NOT_YET_VALID,
    DEVID_ATTEST_EK_EXPIRED,
    /* the keys' public areas: attestPub, then signingPub */
    DEVID_ATTEST_IAK_MALFORMED,
    DEVID_ATTEST_IAK_KEY,        /* algorithm, size or scheme */
    DEVID_ATTEST_IAK_ATTRIBUTES, /* not bound to the TPM, or not restricted */
    DEVID_ATTEST_IAK_TEMPLATE,   /* not the TCG's authPolicy */
    DEVID_ATTEST_IDEVID_MALFORMED,
    DEVID_ATTEST_IDEVID_KEY,
    DEVID_ATTEST_IDEVID_ATTRIBUTES, /* not bound to the TPM, or restricted */
    DEVID_ATTEST_IDEVID_TEMPLATE,
    /* the IDevID's signature over the contents */
    DEVID_ATTEST_REQUEST_SIGNATURE,
    /* atCreateTkt, atCertifyInfo, atCertifyInfoSig */
    DEVID_ATTEST_IAK_PROOF_MISSING,
    DEVID_ATTEST_IAK_TICKET,
    DEVID_ATTEST_IAK_INFO, /* no statement of a TPM, or of another kind */
    DEVID_ATTEST_IAK_INFO_SIGNATURE,
    DEVID_ATTEST_IAK_INFO_NAME, /* of another key, or signed by another */
    DEVID_ATTEST_IAK_CREATION,  /* another hash than the creation data's */
    /* sgnCertifyInfo, sgnCertifyInfoSig */
    DEVID_ATTEST_IDEVID_PROOF_MISSING,
    DEVID_ATTEST_IDEVID_INFO,
    DEVID_ATTEST_IDEVID_INFO_SIGNATURE,
    DEVID_ATTEST_IDEVID_INFO_NAME,
    DEVID_ATTEST_IDEVID_NONCE, /* extraData is not what the station sent */
};

/* "ek-expired": for a ledger; "unknown" for what is no reason. */
const char *devid_attest_reason_name(enum devid_attest_reason reason);

#define DEVID_EK_DIGEST_SIZE 65

/* What a station asks for; zeroes are the strictest that makes sense. */
struct devid_attest_policy {
    OSSL_LIB_CTX *libctx;            /* borrowed, may be NULL */
    const struct devid_trust *trust; /* borrowed */
    int64_t now;                     /* seconds since 1970; 0: the clock's */
    bool allow_sha1;                 /* in signatures of vendors */
    bool allow_expired;              /* certificates of vendors */
    bool allow_no_eku;               /* certificates that say nothing */
    bool allow_no_iak_proof;         /* requests without the three of them */
    bool allow_other_templates;      /* keys with other policies */
    /*
     * A list of EKs. NULL: any EK that a vendor vouches for. Where there is no
     * `trust` beside it, to be on the list is enough. `digest` is ek_digest
     * below.
     */
    bool (*ek_allowed)(void *arg, const char *digest);
    void *arg;
    /* SubjectPublicKeyInfo of an EK on the list, where it has no certificate;
     * borrowed */
    struct devid_bytes ek_public;
    /* certificates that the device brought (DER), on the way to a root;
     * borrowed */
    const struct devid_bytes *chain;
    size_t chain_count;
};

/* The Name of a TPM object: its nameAlg, and the hash of its public area. */
struct devid_tpm_name {
    size_t len;
    uint8_t data[66];
};

/* The TPM as a certificate of one of its keys names it. */
struct devid_hw_module {
    char serial[160];   /* "STM :AKI:SERIAL": maker, and the EK certificate's
                           authority key id and serial number in hex */
    char ek_digest[65]; /* sha256 of the EK certificate in hex; "": it has
                           none */
};

struct devid_attest_verdict {
    enum devid_attest_reason reason;
    struct devid_error error;             /* the reason as a sentence */
    struct devid_bytes ek_cert;           /* DER, borrowed */
    struct devid_public ek;               /* from EK_ROCA on */
    char ek_digest[DEVID_EK_DIGEST_SIZE]; /* sha256 of its SPKI in hex, as
                                             devid_whoami has it */
    struct devid_hw_module module; /* with it; serial is "" where the EK's
                                      certificate does not name the TPM */
    /* from REQUEST_SIGNATURE on */
    struct devid_public iak, idevid;
    struct devid_tpm_name iak_name, idevid_name;
    bool iak_proven; /* by ticket and creation info, not by its key alone */
};

/*
 * The certificate in what an NV index holds: some vendors wrap it in 5 or 7
 * bytes, or fill the index up with 0x00, 0x11 or 0xff.
 *
 * der  out: borrows from `nv`
 *
 * Returns DEVID_OK, or DEVID_ERR_INPUT: the sentence says at which offset.
 */
DEVID_CHECK enum devid_err devid_ek_unwrap(struct devid_bytes nv,
                                           struct devid_bytes *der,
                                           struct devid_error *err);

/*
 * Is this the certificate of an EK that a vendor vouches for?
 *
 * nv       as read from the TPM: wrapped, padded or bare
 * verdict  out: the first reason against it, in the order of the enum; what
 *          is filled in of it borrows from `nv`
 *
 * Source: TCG EK Credential Profile 2.5, section 3; RFC 5280, section 6.
 */
DEVID_CHECK enum devid_attest_reason
devid_ek_verify(struct devid_bytes nv, const struct devid_attest_policy *policy,
                struct devid_attest_verdict *verdict);

/* ---- a request as a whole ---------------------------------------------- */

struct devid_attest_request {
    const struct devid_tcg_csr *csr; /* borrowed */
    struct devid_bytes nonce;    /* sent for sgnCertifyInfo's extraData; empty:
                                    none was, and any is taken */
    struct devid_bytes creation; /* the IAK's TPMS_CREATION_DATA, where the
                                    device sent it; or empty */
};

/*
 * Do a vendor, the EK, the IAK and the IDevID of a request hang together? What
 * remains is that the TPM of that EK holds that IAK: only its answer to
 * devid_make_credential() shows it.
 *
 * request  csr as decode gave it, its signature filled in
 * verdict  out: the first reason against the device, in the order of the
 *          enum; borrows from the request
 *
 * Source: TCG, TPM 2.0 Keys for Device Identity and Attestation 1.0, 6.1 and
 * 7.3; TPM 2.0 Part 2, 10.12.
 */
DEVID_CHECK enum devid_attest_reason
devid_attest_verify(const struct devid_attest_request *request,
                    const struct devid_attest_policy *policy,
                    struct devid_attest_verdict *verdict);

/*
 * May a product have this serial number? It becomes a PrintableString of up to
 * 64 characters. DEVID_ATTEST_SERIAL and the sentence in `verdict` where not;
 * devid_attest_verify() asks this first.
 */
DEVID_CHECK enum devid_attest_reason
devid_serial_check(struct devid_bytes serial,
                   struct devid_attest_verdict *verdict);

/* ---- the challenge ----------------------------------------------------- */

/* Templates of the EK profile: an EK's certificate does not say of which. */
enum devid_ek_range {
    DEVID_EK_LOW,  /* L-1, L-2: RSA-2048 and P-256 */
    DEVID_EK_HIGH, /* H-1 to H-7: those, P-384, P-521, RSA-3072, RSA-4096 */
};

#define DEVID_TPM_AREA_MAX 1024 /* bytes of a TPMT_PUBLIC */

struct devid_ek_area {
    struct devid_tpm_name name;
    size_t len;
    uint8_t data[DEVID_TPM_AREA_MAX]; /* TPMT_PUBLIC */
};

/*
 * The public area of an EK, and so its Name, from its public key and the range
 * that its TPM makes EKs by.
 *
 * Returns DEVID_OK; DEVID_ERR_ALG (there is no template for such a key),
 * _SYSTEM. Source: TCG EK Credential Profile 2.5, B.3 and B.4.
 */
DEVID_CHECK enum devid_err devid_ek_public_area(const struct devid_public *ek,
                                                enum devid_ek_range range,
                                                OSSL_LIB_CTX *libctx,
                                                struct devid_ek_area *area,
                                                struct devid_error *err);

struct devid_challenge {
    const struct devid_public *ek;     /* of the TPM that shall answer */
    const struct devid_tpm_name *name; /* of the key that shall be in it */
    struct devid_bytes secret; /* to come back: up to the bytes of the EK's
                                  nameAlg; 32 always fit */
    OSSL_LIB_CTX *libctx;      /* borrowed, may be NULL */
};

/* What TPM2_ActivateCredential takes, as it goes over the wire. */
struct devid_credential {
    size_t id_object_len;
    uint8_t id_object[136]; /* TPM2B_ID_OBJECT */
    size_t secret_len;
    uint8_t secret[514]; /* TPM2B_ENCRYPTED_SECRET */
};

/*
 * TPM2_MakeCredential without a TPM: only the TPM of the EK can read the
 * secret, and only where it holds a key of that Name.
 *
 * Returns DEVID_OK; DEVID_ERR_USAGE (a secret or Name of no such length), _ALG
 * (there is no template for such an EK), _INPUT (a point that is not on its
 * curve), _SYSTEM. Cost: one RSA encryption, or two multiplications.
 * Source: TPM 2.0 Part 1, 24 and B.10.4, C.6.4; Part 3, TPM2_MakeCredential.
 */
DEVID_CHECK enum devid_err
devid_make_credential(const struct devid_challenge *challenge,
                      struct devid_credential *credential,
                      struct devid_error *err);

/* ---- certificates ------------------------------------------------------ */

/*
 * From an EK's certificate (DER, as devid_attest_verdict has it).
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (no certificate, or it does not name the
 * TPM's maker), _SYSTEM. Source: TCG, TPM 2.0 Keys for Device Identity and
 * Attestation 1.0, 8.1.
 */
DEVID_CHECK enum devid_err
devid_hw_module_from_ek(struct devid_bytes ek_cert, OSSL_LIB_CTX *libctx,
                        struct devid_hw_module *module,
                        struct devid_error *err);

#define DEVID_SHARDS_MAX 4096

struct devid_issuer_spec {
    struct devid_bytes ca; /* its certificate, DER; borrowed for the call */
    EVP_PKEY *key;         /* its key, of any provider; a reference is kept */
    const char *subject;   /* "/O=Acme", before the serialNumber; or NULL */
    const char *crl_url;   /* "http://ca.example/{shard}.crl"; or NULL */
    unsigned shards;       /* lists of revoked certificates; 0: one */
    OSSL_LIB_CTX *libctx;  /* borrowed, may be NULL */
};

struct devid_issuer;

/*
 * Make an issuer: what its certificates share is checked and encoded here.
 * Any number of threads may use it.
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (the certificate is no CA's, the subject
 * or URL is malformed), _WRONG_KEY (the key is not the certificate's), _ALG (no
 * hash fits the key), _SYSTEM.
 */
DEVID_CHECK enum devid_err
devid_issuer_new(const struct devid_issuer_spec *spec,
                 struct devid_issuer **issuer, struct devid_error *err);
void devid_issuer_free(struct devid_issuer **issuer);

enum devid_cert_kind {
    DEVID_CERT_IDEVID,
    DEVID_CERT_IAK,
    DEVID_CERT_ASSERTED, /* no TPM vouches for the key: the policy says that it
                            is "asserted by the operator" */
};

struct devid_issue {
    enum devid_cert_kind kind;
    const struct devid_public *pub;       /* borrowed, as all of these */
    const char *serial;                   /* the product's: serialNumber */
    const struct devid_hw_module *module; /* of the TPM that holds the key;
                                             ASSERTED: NULL */
    const char *subject;     /* in place of the issuer's; NULL: that */
    const char *const *sans; /* more names, as devid_csr_spec has them; NULL:
                                none */
    unsigned shard;          /* below shards */
    int64_t not_before;      /* since 1970; 0: the clock's now */
};

#define DEVID_SERIAL_NUMBER_LEN 20

struct devid_issued {
    uint8_t number[DEVID_SERIAL_NUMBER_LEN]; /* random */
    uint8_t *der;                            /* OPENSSL_malloc */
    size_t len;
};

/*
 * Issue the certificate of an IDevID or IAK, which never expires: notAfter is
 * 99991231235959Z.
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (a serial that a PrintableString does not
 * take, a malformed subject or name, no such shard), or what the key's provider
 * says, _DEVICE. Cost: one signature. Source: TCG, TPM 2.0 Keys for Device
 * Identity and Attestation 1.0, 8; IEEE 802.1AR-2018, 8; RFC 5280, 4.
 */
DEVID_CHECK enum devid_err devid_issuer_issue(const struct devid_issuer *issuer,
                                              const struct devid_issue *issue,
                                              struct devid_issued *issued,
                                              struct devid_error *err);

#endif
