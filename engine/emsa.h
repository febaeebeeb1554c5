/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature padding in software, for a device that can do the raw RSA
 * operation but not the scheme, or ECDSA but not with a digest of that size.
 * Pure: no device, no key.
 */
#ifndef DEVID_EMSA_H
#define DEVID_EMSA_H

#include "devid.h"

/* The largest DigestInfo of our hashes takes 83 bytes. */
#define DEVID_DIGEST_INFO_MAX 96

/*
 * DigestInfo of a digest; the digest itself where tbs->hash is NULL or
 * MD5-SHA1, which has no identifier.
 *
 * out  DEVID_DIGEST_INFO_MAX bytes
 *
 * Returns DEVID_OK, DEVID_ERR_USAGE (too long a digest), _SYSTEM.
 * Source: RFC 8017, 9.2.
 */
DEVID_CHECK enum devid_err devid_digest_info(const struct devid_tbs *tbs,
                                             uint8_t *out, size_t *len,
                                             struct devid_error *err);

/*
 * EMSA-PKCS1-v1_5.
 *
 * block  out: (modulus_bits + 7) / 8 bytes, for the raw RSA operation
 *
 * Returns DEVID_OK, DEVID_ERR_ALG (the modulus is too small), _USAGE, _SYSTEM.
 * Source: RFC 8017, 9.2.
 */
DEVID_CHECK enum devid_err devid_emsa_pkcs1(const struct devid_tbs *tbs,
                                            unsigned modulus_bits,
                                            uint8_t *block,
                                            struct devid_error *err);

/*
 * EMSA-PSS with MGF1.
 *
 * libctx  borrowed: where the hash is fetched, with provider!=devid
 * salt    tbs->salt_len bytes; NULL: random ones are taken
 * block   out: (modulus_bits + 7) / 8 bytes, for the raw RSA operation
 *
 * Returns DEVID_OK, DEVID_ERR_ALG (the modulus is too small for hash and
 * salt, or the hash is not to be had), DEVID_ERR_USAGE (no hash), _SYSTEM.
 * Source: RFC 8017, 9.1.1 and B.2.1.
 */
DEVID_CHECK enum devid_err devid_emsa_pss(OSSL_LIB_CTX *libctx,
                                          const struct devid_tbs *tbs,
                                          const uint8_t *salt,
                                          unsigned modulus_bits, uint8_t *block,
                                          struct devid_error *err);

/*
 * Fit a digest of any hash to a curve and to a digest size that TPMs have:
 * cut to the curve's length from the right, padded with zeros from the left
 * to 32, 48 or 64 bytes. The integer that ECDSA signs stays the same.
 *
 * coordinate_len  of the curve: 32, 48 or 66 bytes
 * out             64 bytes; out_len says how many are used
 *
 * False where it does not fit: no digest, or on P-521 one over 64 bytes.
 * Source: FIPS 186-5, 6.4.1: the leftmost bits of the digest.
 */
DEVID_CHECK bool devid_ecdsa_fit_digest(const uint8_t *digest, size_t len,
                                        size_t coordinate_len, uint8_t out[64],
                                        size_t *out_len);

/*
 * Bring a fitted digest to the size of the one hash that a key is bound to; the
 * integer that ECDSA signs stays the same.
 *
 * digest  64 bytes, as devid_ecdsa_fit_digest() left them
 * len     in and out: bytes used
 * wanted  32, 48 or 64
 *
 * False where that cannot be: nothing was changed.
 */
DEVID_CHECK bool devid_ecdsa_refit_digest(uint8_t digest[64], size_t *len,
                                          size_t coordinate_len, size_t wanted);

#endif
