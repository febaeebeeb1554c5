/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys. */
#include "fuzz.h"

#include "devid.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* What such a key's signatures are called. */
static void name_signatures(const struct devid_public *pub)
{
    static const char *const hashes[] = {"SHA1", "SHA2-256", "SHA2-512",
                                         "SHA3-256"};
    struct devid_tbs tbs = {.scheme = devid_key_kind(pub->type)->scheme};
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;

    must(devid_algorithm_id(&tbs, &der, &len, &err) == DEVID_OK ||
         tbs.scheme != DEVID_EDDSA);
    OPENSSL_free(der);
    for (size_t i = 0; i < sizeof(hashes) / sizeof(*hashes); i++) {
        tbs.hash = devid_hash_by_name(hashes[i]);
        if (tbs.hash == NULL)
            continue;
        tbs.salt_len = tbs.hash->len;
        if (devid_algorithm_id(&tbs, &der, &len, &err) == DEVID_OK)
            must(der != NULL && len > 0);
        else
            must(err.text[0] != '\0');
        OPENSSL_free(der);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct devid_public pub;
    struct devid_public again;
    struct devid_error err = {0};
    EVP_PKEY *pkey = NULL;
    uint8_t *der = NULL;
    size_t len = 0;

    if (devid_public_from_spki(data, size, &pub, &err) == DEVID_OK) {
        must(devid_public_to_spki(&pub, &der, &len, &err) == DEVID_OK);
        must(devid_public_from_spki(der, len, &again, &err) == DEVID_OK);
        must(devid_public_equal(&pub, &again));
        OPENSSL_free(der);
        name_signatures(&pub);
        /* Off the curve or not: no matter which, but no crash. */
        if (devid_public_to_pkey(&pub, NULL, &pkey, &err) == DEVID_OK)
            EVP_PKEY_free(pkey);
    } else {
        must(err.text[0] != '\0');
    }
    must_leave_no_error();
    return 0;
}
