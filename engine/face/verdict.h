/* SPDX-License-Identifier: Apache-2.0 */
/* Part of attest.h, which is what others include. Requests and vendors, judged.
 */
#ifndef DEVID_FACE_VERDICT_H
#define DEVID_FACE_VERDICT_H

#include "../devid.h"

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

/*
 * Whether a key is not to be certified: RSA shorter than 2048 bits, or with
 * that fingerprint. A sentence's end, "is too short"; NULL where it is sound.
 */
const char *devid_public_weakness(const struct devid_public *pub);

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
    DEVID_ATTEST_IAK_CREATION,  /* another hash than the creation data's,
                                   or what that says */
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

#endif
