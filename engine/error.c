/* SPDX-License-Identifier: Apache-2.0 */
/* One place that writes the sentence of a failure. */
#include "backend.h"

#include <stdarg.h>
#include <stdio.h>

enum devid_err devid_fail(struct devid_error *err, enum devid_err code,
                          uint32_t device_rc, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return code;
    err->device_rc = device_rc;
    va_start(args, format);
    /* A sentence that is too long is cut, never lost. */
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return code;
}

enum devid_err devid_no_memory(struct devid_error *err)
{
    return devid_fail(err, DEVID_ERR_SYSTEM, 0, "out of memory");
}

enum devid_err devid_fail_restricted(struct devid_error *err)
{
    return devid_fail(
        err, DEVID_ERR_ALG, 0,
        "this is a restricted key (an EK, an SRK or an attestation key): the "
        "TPM lets it handle only what the TPM made itself, so it cannot serve "
        "TLS, sign requests or decrypt; make one with devid keygen");
}

enum devid_err devid_fail_signs_only(struct devid_error *err,
                                     uint32_t device_rc)
{
    return devid_fail(
        err, DEVID_ERR_ALG, device_rc,
        "this key signs only: one that is to decrypt (RSA) or to agree on "
        "secrets (EC) too is made with devid keygen --decrypt");
}
