/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, by libcrypto. */
#include "attest_internal.h"

#include "../backend.h"
#include "../libcrypto.h"

#include <openssl/evp.h>

enum devid_err attest_digest(const struct devid_hash *hash,
                             OSSL_LIB_CTX *libctx, struct devid_bytes data,
                             uint8_t *digest, struct devid_error *err)
{
    int ok;

    devid_quiet_begin();
    ok = EVP_Q_digest(libctx, hash->name, DEVID_PROPQ, data.data, data.len,
                      digest, NULL);
    devid_quiet_end();
    return ok == 1 ? DEVID_OK
                   : devid_fail(err, DEVID_ERR_SYSTEM, 0,
                                "OpenSSL does not compute %s", hash->name);
}
