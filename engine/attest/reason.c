/* SPDX-License-Identifier: Apache-2.0 */
/* The reasons against a device, as a ledger and as people read them. */
#include "attest_internal.h"

#include <stdarg.h>
#include <stdio.h>

const char *devid_attest_reason_name(enum devid_attest_reason reason)
{
    static const char *const names[] = {
        [DEVID_ATTEST_TRUSTED] = "trusted",
        [DEVID_ATTEST_UNDECIDED] = "undecided",
        [DEVID_ATTEST_SERIAL] = "serial",
        [DEVID_ATTEST_EK_MISSING] = "ek-missing",
        [DEVID_ATTEST_EK_MALFORMED] = "ek-malformed",
        [DEVID_ATTEST_EK_KEY] = "ek-key",
        [DEVID_ATTEST_EK_ROCA] = "ek-roca",
        [DEVID_ATTEST_EK_NOT_ALLOWED] = "ek-not-allowed",
        [DEVID_ATTEST_EK_PURPOSE] = "ek-purpose",
        [DEVID_ATTEST_EK_CRITICAL_EXTENSION] = "ek-critical-extension",
        [DEVID_ATTEST_EK_ISSUER_UNKNOWN] = "ek-issuer-unknown",
        [DEVID_ATTEST_EK_SIGNATURE] = "ek-signature",
        [DEVID_ATTEST_EK_CHAIN] = "ek-chain",
        [DEVID_ATTEST_EK_SHA1] = "ek-sha1",
        [DEVID_ATTEST_EK_NOT_YET_VALID] = "ek-not-yet-valid",
        [DEVID_ATTEST_EK_EXPIRED] = "ek-expired",
        [DEVID_ATTEST_IAK_MALFORMED] = "iak-malformed",
        [DEVID_ATTEST_IAK_KEY] = "iak-key",
        [DEVID_ATTEST_IAK_ATTRIBUTES] = "iak-attributes",
        [DEVID_ATTEST_IAK_TEMPLATE] = "iak-template",
        [DEVID_ATTEST_IDEVID_MALFORMED] = "idevid-malformed",
        [DEVID_ATTEST_IDEVID_KEY] = "idevid-key",
        [DEVID_ATTEST_IDEVID_ATTRIBUTES] = "idevid-attributes",
        [DEVID_ATTEST_IDEVID_TEMPLATE] = "idevid-template",
        [DEVID_ATTEST_REQUEST_SIGNATURE] = "request-signature",
        [DEVID_ATTEST_IAK_PROOF_MISSING] = "iak-proof-missing",
        [DEVID_ATTEST_IAK_TICKET] = "iak-ticket",
        [DEVID_ATTEST_IAK_INFO] = "iak-info",
        [DEVID_ATTEST_IAK_INFO_SIGNATURE] = "iak-info-signature",
        [DEVID_ATTEST_IAK_INFO_NAME] = "iak-info-name",
        [DEVID_ATTEST_IAK_CREATION] = "iak-creation",
        [DEVID_ATTEST_IDEVID_PROOF_MISSING] = "idevid-proof-missing",
        [DEVID_ATTEST_IDEVID_INFO] = "idevid-info",
        [DEVID_ATTEST_IDEVID_INFO_SIGNATURE] = "idevid-info-signature",
        [DEVID_ATTEST_IDEVID_INFO_NAME] = "idevid-info-name",
        [DEVID_ATTEST_IDEVID_NONCE] = "idevid-nonce",
    };
    size_t i = (size_t)reason;

    return i < sizeof(names) / sizeof(names[0]) ? names[i] : "unknown";
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
