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

#endif
