/* SPDX-License-Identifier: Apache-2.0 */
/* Key files as DER. */
#include "fuzz.h"

#include "keyfile.h"

#include <openssl/crypto.h>

#include <string.h>

/* What was parsed, written anew, must parse to the same. */
static void write_anew(struct devid_keyfile *file)
{
    struct devid_keyfile again;
    uint8_t *der = NULL;
    size_t len = 0;

    OPENSSL_free(file->der);
    file->der = NULL;
    must(devid_keyfile_encode(file, &der, &len, NULL) == DEVID_OK);
    must(devid_keyfile_parse(der, len, NULL, &again, NULL) == DEVID_OK);
    must(again.format == file->format && again.parent == file->parent &&
         again.empty_auth == file->empty_auth &&
         again.rsa_parent == file->rsa_parent &&
         again.importable == file->importable &&
         again.policy.count == file->policy.count &&
         again.signed_policies.count == file->signed_policies.count &&
         again.tpm_private_len == file->tpm_private_len);
    if (file->format == DEVID_KEYFILE_REFERENCE)
        must(strcmp(again.uri, file->uri) == 0 &&
             devid_public_equal(&again.public_key, &file->public_key));
    OPENSSL_free(der);
    devid_keyfile_clear(&again);
}

/* A PKCS#11 PROVIDER URI has no public key, and so is not written. */
static void write_back(struct devid_keyfile *file, const uint8_t *data,
                       size_t size)
{
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;

    if (file->der == NULL) {
        must(devid_keyfile_encode(file, &der, &len, &err) == DEVID_ERR_USAGE);
        must(der == NULL && err.text[0] != '\0');
        return;
    }
    must(devid_keyfile_encode(file, &der, &len, &err) == DEVID_OK);
    must(len == size && memcmp(der, data, len) == 0);
    OPENSSL_free(der);
    write_anew(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct devid_keyfile file;
    struct devid_error err = {0};
    bool recognised = false;

    if (devid_keyfile_parse(data, size, &recognised, &file, &err) == DEVID_OK) {
        must(recognised);
        write_back(&file, data, size);
        devid_keyfile_clear(&file);
    } else {
        must(err.text[0] != '\0');
    }
    must_leave_no_error();
    return 0;
}
