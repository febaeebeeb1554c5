/* SPDX-License-Identifier: Apache-2.0 */
/* Values in and around a signature: an ECDSA signature's DER, PSS's salt. */
#include "sig.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>

#include <string.h>

/* ---- DER of an ECDSA signature --------------------------------------- */

size_t prov_ecdsa_to_der(const struct prov_sig *self,
                         const struct devid_sig *raw, uint8_t *der)
{
    size_t half = raw->len / 2;
    ECDSA_SIG *value = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw->data, (int)half, NULL);
    BIGNUM *s = BN_bin2bn(raw->data + half, (int)half, NULL);
    int len = 0;

    if (value != NULL && r != NULL && s != NULL &&
        ECDSA_SIG_set0(value, r, s) == 1) {
        r = NULL; /* the signature's now */
        s = NULL;
        len = i2d_ECDSA_SIG(value, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(value);
    if (len > 0)
        return (size_t)len;
    prov_raise_memory(self->ctx);
    return 0;
}

bool prov_ecdsa_from_der(const uint8_t *der, size_t len, size_t coordinate_len,
                         struct devid_sig *raw)
{
    const uint8_t *at = der;
    ECDSA_SIG *value = d2i_ECDSA_SIG(NULL, &at, (long)len);
    uint8_t *again = NULL;
    int again_len = value != NULL ? i2d_ECDSA_SIG(value, &again) : 0;
    int half = (int)coordinate_len;
    bool ok =
        again_len > 0 && (size_t)again_len == len &&
        memcmp(again, der, len) == 0 &&
        BN_is_negative(ECDSA_SIG_get0_r(value)) == 0 &&
        BN_is_negative(ECDSA_SIG_get0_s(value)) == 0 &&
        BN_bn2binpad(ECDSA_SIG_get0_r(value), raw->data, half) == half &&
        BN_bn2binpad(ECDSA_SIG_get0_s(value), raw->data + half, half) == half;

    raw->len = 2 * coordinate_len;
    OPENSSL_free(again);
    ECDSA_SIG_free(value);
    return ok;
}

/* ---- the salt of RSA-PSS --------------------------------------------- */

size_t prov_longest_salt(const struct prov_sig *self)
{
    /* RFC 8017, 9.1.1: the encoded message is one bit shorter. */
    size_t room = ((size_t)devid_key_public(self->key)->bits - 1 + 7) / 8;
    size_t taken = self->hash->len + 2;

    return room > taken ? room - taken : 0;
}

bool prov_sig_salt(const struct prov_sig *self, size_t *salt_len)
{
    size_t longest;

    if (self->hash == NULL) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "an RSA-PSS signature needs the name of its hash");
        return false;
    }
    longest = prov_longest_salt(self);
    if (self->salt_len >= 0)
        *salt_len = (size_t)self->salt_len;
    else if (self->salt_len == PROV_SALT_DIGEST)
        *salt_len = self->hash->len;
    else if (self->salt_len == PROV_SALT_DIGEST_MAX)
        *salt_len = self->hash->len < longest ? self->hash->len : longest;
    else
        *salt_len = longest;
    if (*salt_len <= longest)
        return true;
    prov_raise(self->ctx, DEVID_ERR_ALG,
               "an RSA key of %u bits is too short for RSA-PSS with %s and a "
               "salt of %zu bytes: it has room for %zu",
               devid_key_public(self->key)->bits, self->hash->name, *salt_len,
               longest);
    return false;
}
