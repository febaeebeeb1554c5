/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys. */
#include "fuzz.h"

#include "devid.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

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
        /* Off the curve or not: no matter which, but no crash. */
        if (devid_public_to_pkey(&pub, NULL, &pkey, &err) == DEVID_OK)
            EVP_PKEY_free(pkey);
    } else {
        must(err.text[0] != '\0');
    }
    must_leave_no_error();
    return 0;
}
