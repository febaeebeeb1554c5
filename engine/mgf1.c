/* SPDX-License-Identifier: Apache-2.0 */
#include "mgf1.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

bool devid_mgf1_xor(const struct devid_mgf1 *mgf1, const uint8_t *seed,
                    size_t seed_len, uint8_t *data, size_t len)
{
    uint8_t mask[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    bool ok = true;

    for (uint32_t counter = 0; ok && len > 0; counter++) {
        const uint8_t c[4] = {(uint8_t)(counter >> 24),
                              (uint8_t)(counter >> 16), (uint8_t)(counter >> 8),
                              (uint8_t)counter};

        ok = EVP_DigestInit_ex2(mgf1->ctx, mgf1->hash, NULL) == 1 &&
             EVP_DigestUpdate(mgf1->ctx, seed, seed_len) == 1 &&
             EVP_DigestUpdate(mgf1->ctx, c, sizeof(c)) == 1 &&
             EVP_DigestFinal_ex(mgf1->ctx, mask, &n) == 1;
        for (size_t i = 0; ok && i < n && len > 0; i++, len--)
            *data++ ^= mask[i];
    }
    OPENSSL_cleanse(mask, sizeof(mask));
    return ok;
}
