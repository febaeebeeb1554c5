/* SPDX-License-Identifier: Apache-2.0 */
/* Key files as PEM. */
#include "fuzz.h"

#include "keyfile.h"

#include <openssl/crypto.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct devid_keyfile file;
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;

    if (devid_keyfile_unpem((const char *)data, size, &der, &len, &err) ==
        DEVID_OK) {
        must(der != NULL && len > 0);
        if (devid_keyfile_parse(der, len, NULL, &file, &err) == DEVID_OK)
            devid_keyfile_clear(&file);
        OPENSSL_free(der);
    } else {
        must(der == NULL && err.text[0] != '\0');
    }
    must_leave_no_error();
    return 0;
}
