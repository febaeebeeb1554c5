/* SPDX-License-Identifier: Apache-2.0 */
/* The reasons against a device, as a ledger and as people read them. */
#include "attest_internal.h"

#include <stdarg.h>
#include <stdio.h>

const char *devid_attest_reason_name(enum devid_attest_reason reason)
{
    switch (reason) {
    case DEVID_ATTEST_TRUSTED:
        return "trusted";
    case DEVID_ATTEST_UNDECIDED:
        return "undecided";
    case DEVID_ATTEST_EK_MISSING:
        return "ek-missing";
    case DEVID_ATTEST_EK_MALFORMED:
        return "ek-malformed";
    case DEVID_ATTEST_EK_KEY:
        return "ek-key";
    case DEVID_ATTEST_EK_ROCA:
        return "ek-roca";
    case DEVID_ATTEST_EK_NOT_ALLOWED:
        return "ek-not-allowed";
    case DEVID_ATTEST_EK_PURPOSE:
        return "ek-purpose";
    case DEVID_ATTEST_EK_CRITICAL_EXTENSION:
        return "ek-critical-extension";
    case DEVID_ATTEST_EK_ISSUER_UNKNOWN:
        return "ek-issuer-unknown";
    case DEVID_ATTEST_EK_SIGNATURE:
        return "ek-signature";
    case DEVID_ATTEST_EK_CHAIN:
        return "ek-chain";
    case DEVID_ATTEST_EK_SHA1:
        return "ek-sha1";
    case DEVID_ATTEST_EK_NOT_YET_VALID:
        return "ek-not-yet-valid";
    case DEVID_ATTEST_EK_EXPIRED:
        return "ek-expired";
    }
    return "unknown";
}

enum devid_attest_reason attest_refuse(struct devid_attest_verdict *verdict,
                                       enum devid_attest_reason reason,
                                       const char *format, ...)
{
    va_list args;

    verdict->reason = reason;
    va_start(args, format);
    /* A sentence that is too long is cut, never lost. */
    (void)vsnprintf(verdict->error.text, sizeof(verdict->error.text), format,
                    args);
    va_end(args);
    return reason;
}

enum devid_attest_reason attest_undecided(struct devid_attest_verdict *verdict)
{
    return attest_refuse(verdict, DEVID_ATTEST_UNDECIDED, "out of memory");
}
