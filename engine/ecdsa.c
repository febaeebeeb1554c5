/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA signatures between raw r||s and DER. */
#include "backend.h"
#include "libcrypto.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>

#include <string.h>

/* Ecdsa-Sig-Value of r||s; *der is OPENSSL_malloc'ed; 0 on failure. */
static int ecdsa_der(const uint8_t *raw, size_t coordinate_len, uint8_t **der)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, (int)coordinate_len, NULL);
    BIGNUM *s = BN_bin2bn(raw + coordinate_len, (int)coordinate_len, NULL);
    int len = 0;

    if (sig != NULL && r != NULL && s != NULL &&
        ECDSA_SIG_set0(sig, r, s) == 1) {
        r = NULL;
        s = NULL;
        len = i2d_ECDSA_SIG(sig, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len > 0 ? len : 0;
}

enum devid_err devid_ecdsa_to_der(const struct devid_sig *sig, uint8_t **der,
                                  size_t *len, struct devid_error *err)
{
    int n;

    *der = NULL;
    devid_quiet_begin();
    n = sig->len % 2 == 0 ? ecdsa_der(sig->data, sig->len / 2, der) : 0;
    devid_quiet_end();
    *len = (size_t)n;
    return n > 0 ? DEVID_OK : devid_no_memory(err);
}

/* Is this the one way to write the parsed signature? BER has others. */
static bool is_der(const ECDSA_SIG *parsed, const uint8_t *der, size_t len)
{
    uint8_t *again = NULL;
    int again_len = i2d_ECDSA_SIG(parsed, &again);
    bool same = again_len > 0 && (size_t)again_len == len &&
                memcmp(again, der, len) == 0;

    OPENSSL_free(again);
    return same;
}

/* r and s of a parsed signature; both must fit the curve. */
static bool put_raw(const ECDSA_SIG *parsed, size_t coordinate_len,
                    struct devid_sig *sig)
{
    const BIGNUM *r = ECDSA_SIG_get0_r(parsed);
    const BIGNUM *s = ECDSA_SIG_get0_s(parsed);
    int n = (int)coordinate_len;

    return !BN_is_negative(r) && !BN_is_negative(s) &&
           BN_bn2binpad(r, sig->data, n) == n &&
           BN_bn2binpad(s, sig->data + coordinate_len, n) == n;
}

enum devid_err devid_ecdsa_from_der(const uint8_t *der, size_t len,
                                    size_t coordinate_len,
                                    struct devid_sig *sig,
                                    struct devid_error *err)
{
    const uint8_t *p = der;
    ECDSA_SIG *parsed = NULL;
    bool ok;

    sig->len = 0;
    devid_quiet_begin();
    if (len <= DEVID_SIG_MAX && coordinate_len <= DEVID_COORDINATE_MAX)
        parsed = d2i_ECDSA_SIG(NULL, &p, (long)len);
    ok = parsed != NULL && is_der(parsed, der, len) &&
         put_raw(parsed, coordinate_len, sig);
    ECDSA_SIG_free(parsed);
    devid_quiet_end();
    if (!ok)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the ECDSA signature is no DER of two numbers of %zu "
                          "bytes",
                          coordinate_len);
    sig->len = 2 * coordinate_len;
    return DEVID_OK;
}
