/* SPDX-License-Identifier: Apache-2.0 */
/* The back ends that are built in. The first answers where no URI is given. */
#include "backend.h"

extern const struct devid_backend devid_tpm2_backend;
extern const struct devid_backend devid_pkcs11_backend;

const struct devid_backend *const devid_backends[] = {
    &devid_tpm2_backend,
    &devid_pkcs11_backend,
    NULL,
};
