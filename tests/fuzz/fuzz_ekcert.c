/* SPDX-License-Identifier: Apache-2.0 */
/* EK certificates as they lie in NV: wrapped, padded, and with the faults of
 * their vendors. */
#include "fuzz.h"

#include "attest.h"

#include <string.h>

static bool nobody(void *arg, const char *digest)
{
    (void)arg;
    must(strlen(digest) == DEVID_EK_DIGEST_SIZE - 1);
    return false;
}

static bool everybody(void *arg, const char *digest)
{
    (void)nobody(arg, digest);
    return true;
}

static void verify(struct devid_bytes nv,
                   const struct devid_attest_policy *policy)
{
    struct devid_attest_verdict verdict;

    if (devid_ek_verify(nv, policy, &verdict) != DEVID_ATTEST_TRUSTED) {
        must(verdict.error.text[0] != '\0');
        return;
    }
    must(policy->ek_allowed == everybody);
    must(verdict.ek_cert.len > 0 || policy->ek_public.len > 0);
    must(verdict.error.text[0] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct devid_bytes nv = {data, size};
    struct devid_attest_policy policy = {.now = 1800000000};
    struct devid_error err = {0};
    struct devid_bytes der;

    if (devid_ek_unwrap(nv, &der, &err) == DEVID_OK)
        must(der.data >= data && der.len > 0 &&
             der.data + der.len <= data + size);
    else
        must(der.len == 0 && err.text[0] != '\0');
    verify(nv, &policy); /* by nobody's certificate */
    policy.ek_allowed = nobody;
    verify(nv, &policy);
    policy.ek_allowed = everybody;
    verify(nv, &policy);
    policy.allow_no_eku = true;
    verify(nv, &policy);
    policy.ek_public = nv;
    verify((struct devid_bytes){NULL, 0}, &policy);
    must_leave_no_error();
    return 0;
}
