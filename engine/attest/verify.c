/* SPDX-License-Identifier: Apache-2.0 */
/* A request as a whole: who vouches for whom, from the vendor downwards. */
#include "attest_internal.h"

#include <string.h>

#define SERIAL_MAX 64 /* RFC 5280, ub-serial-number */

/* Where the first byte stands that no PrintableString takes; `len`: nowhere. */
static size_t printable(struct devid_bytes serial)
{
    static const char marks[] = " '()+,-./:=?";
    size_t i;

    for (i = 0; i < serial.len; i++) {
        char c = (char)serial.data[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
              (c >= 'a' && c <= 'z') ||
              (c != '\0' && strchr(marks, c) != NULL)))
            break;
    }
    return i;
}

enum devid_attest_reason
devid_serial_check(struct devid_bytes serial,
                   struct devid_attest_verdict *verdict)
{
    size_t at = printable(serial);

    if (serial.len == 0 || serial.len > SERIAL_MAX) {
        return attest_refuse(
            verdict, DEVID_ATTEST_SERIAL,
            "the serial number (prodSerial) has %zu characters: 1 "
            "to %d are wanted",
            serial.len, SERIAL_MAX);
    }
    if (at < serial.len) {
        return attest_refuse(
            verdict, DEVID_ATTEST_SERIAL,
            "the serial number (prodSerial) has 0x%02x at character "
            "%zu: only A to Z, a to z, 0 to 9, space and "
            "' ( ) + , - . / : = ? are allowed",
            serial.data[at], at + 1);
    }
    return DEVID_ATTEST_TRUSTED;
}

static enum devid_attest_reason
check_signature(const struct devid_tcg_csr *csr,
                const struct devid_attest_policy *policy,
                struct devid_attest_verdict *verdict)
{
    struct devid_error err = {0};
    TPMT_SIGNATURE signature;

    if (attest_parse_signature(csr->signature, "signature", &signature,
                               &verdict->error) != DEVID_OK)
        return DEVID_ATTEST_REQUEST_SIGNATURE;
    if (attest_signature_verify(&verdict->idevid, policy->libctx, csr->contents,
                                &signature, &err) == DEVID_OK)
        return DEVID_ATTEST_TRUSTED;
    return attest_refuse(verdict, DEVID_ATTEST_REQUEST_SIGNATURE,
                         "the request's signature is not the IDevID's over its "
                         "contents: %.500s",
                         err.text);
}

static enum devid_attest_reason
check_keys(const struct devid_attest_request *request,
           const struct devid_attest_policy *policy,
           struct devid_attest_verdict *verdict)
{
    const struct devid_tcg_csr *csr = request->csr;
    struct attest_key keys[2];
    enum devid_attest_reason r =
        attest_iak_check(csr->attestPub, policy, &keys[0], verdict);

    if (r == DEVID_ATTEST_TRUSTED)
        r = attest_idevid_check(csr->signingPub, policy, &keys[1], verdict);
    if (r == DEVID_ATTEST_TRUSTED)
        r = check_signature(csr, policy, verdict);
    if (r == DEVID_ATTEST_TRUSTED)
        r = attest_creation_check(request, policy, &keys[0], verdict);
    if (r == DEVID_ATTEST_TRUSTED)
        r = attest_certify_check(request, keys, verdict);
    return r;
}

enum devid_attest_reason
devid_attest_verify(const struct devid_attest_request *request,
                    const struct devid_attest_policy *policy,
                    struct devid_attest_verdict *verdict)
{
    enum devid_attest_reason r;

    memset(verdict, 0, sizeof(*verdict));
    r = devid_serial_check(request->csr->prodSerial, verdict);
    if (r == DEVID_ATTEST_TRUSTED)
        r = devid_ek_verify(request->csr->ekCert, policy, verdict);
    if (r == DEVID_ATTEST_TRUSTED)
        r = check_keys(request, policy, verdict);
    verdict->reason = r;
    return r;
}
