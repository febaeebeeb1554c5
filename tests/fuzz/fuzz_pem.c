/* SPDX-License-Identifier: Apache-2.0 */
/* Key files as PEM. */
#include "fuzz.h"

#include "keyfile.h"

#include <openssl/crypto.h>
#include <string.h>

/* What is written is read as the same DER. */
static void write_anew(const struct devid_keyfile *file)
{
    uint8_t *der = NULL;
    char *text = NULL;
    size_t text_len = 0;
    size_t len = 0;

    if (devid_keyfile_to_pem(file, &text, &text_len, NULL) != DEVID_OK) {
        must(file->der == NULL && text == NULL);
        return;
    }
    must(devid_keyfile_unpem(text, text_len, &der, &len, NULL) == DEVID_OK);
    must(len == file->der_len && memcmp(der, file->der, len) == 0);
    OPENSSL_free(text);
    OPENSSL_free(der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct devid_keyfile file;
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;

    if (devid_keyfile_unpem((const char *)data, size, &der, &len, &err) ==
        DEVID_OK) {
        must(der != NULL && len > 0);
        if (devid_keyfile_parse(der, len, NULL, &file, &err) == DEVID_OK) {
            write_anew(&file);
            devid_keyfile_clear(&file);
        }
        OPENSSL_free(der);
    } else {
        must(der == NULL && err.text[0] != '\0');
    }
    must_leave_no_error();
    return 0;
}
