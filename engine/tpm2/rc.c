/* SPDX-License-Identifier: Apache-2.0 */
/* What a response code means: what to do about it, what to say of it. */
#include "tpm2.h"

#include <tss2/tss2_rc.h>

/*
 * A resource manager hands on the TPM's codes under a layer of its own
 * (11: its own answers in the TPM's numbering, 12: the TPM's).
 */
static bool speaks_for_tpm(TSS2_RC rc)
{
    TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;

    return layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER ||
           (layer == TSS2_RESMGR_RC_LAYER && (rc & 0xffffu) >= TPM2_RC_VER1);
}

TSS2_RC tpm2_rc_base(TSS2_RC rc)
{
    if (!speaks_for_tpm(rc))
        return 0;
    rc &= 0xffffu;
    /* TPM 2.0 Part 2, 6.6.2: format one carries the number of the handle,
       session or parameter at fault in bits 6 and 8 to 11. */
    return (rc & TPM2_RC_FMT1) != 0 ? rc & (TPM2_RC_FMT1 | 0x3fu) : rc;
}

/* TPM 2.0 Part 2, 6.6.2: not a parameter; a handle, or a session's. */
static bool blames_handle(TSS2_RC rc)
{
    return (rc & TPM2_RC_FMT1) != 0 && (rc & TPM2_RC_P) == 0;
}

enum tpm2_action tpm2_rc_action(TSS2_RC rc)
{
    if (rc == TSS2_RC_SUCCESS)
        return TPM2_ACTION_FAIL;
    if (!speaks_for_tpm(rc))
        return TPM2_ACTION_RECONNECT;
    /* tpm2-abrmd lets its own handle through where the TPM was reset. */
    if (tpm2_rc_base(rc) == TPM2_RC_VALUE && blames_handle(rc))
        return TPM2_ACTION_RECONNECT;
    switch (tpm2_rc_base(rc)) {
    case TPM2_RC_RETRY:
    case TPM2_RC_YIELDED:
    case TPM2_RC_TESTING:
    case TPM2_RC_NV_RATE:
    case TPM2_RC_NV_UNAVAILABLE:
    case TPM2_RC_MEMORY:
    case TPM2_RC_OBJECT_MEMORY:
    case TPM2_RC_SESSION_MEMORY:
    case TPM2_RC_OBJECT_HANDLES:
    case TPM2_RC_SESSION_HANDLES:
    case TPM2_RC_PCR_CHANGED: /* amid a policy: it is asked for anew */
        return TPM2_ACTION_WAIT;
    case TPM2_RC_REFERENCE_H0:
    case TPM2_RC_REFERENCE_S0:
    case TPM2_RC_HANDLE:
    case TPM2_RC_INITIALIZE:
        return TPM2_ACTION_RECONNECT;
    default: /* not an enum: every other code is final */
        return TPM2_ACTION_FAIL;
    }
}

static enum devid_err code_of(TSS2_RC rc)
{
    switch (tpm2_rc_base(rc)) {
    case TPM2_RC_LOCKOUT:
        return DEVID_ERR_LOCKED;
    case TPM2_RC_AUTH_FAIL:
    case TPM2_RC_BAD_AUTH:
    case TPM2_RC_AUTH_MISSING:
    case TPM2_RC_AUTH_UNAVAILABLE:
    case TPM2_RC_POLICY_FAIL:
        return DEVID_ERR_AUTH;
    default: /* not an enum */
        break;
    }
    return tpm2_rc_action(rc) == TPM2_ACTION_WAIT ? DEVID_ERR_BUSY
                                                  : DEVID_ERR_DEVICE;
}

/* What a person can do about the codes that people meet; or "". */
static const char *advice(TSS2_RC rc)
{
    switch (tpm2_rc_base(rc)) {
    case TPM2_RC_LOCKOUT:
        return "; it is in dictionary-attack lockout: wait, or reset it with "
               "tpm2_dictionarylockout";
    case TPM2_RC_AUTH_FAIL:
    case TPM2_RC_BAD_AUTH:
        return "; the authorisation value is wrong";
    case TPM2_RC_AUTH_UNAVAILABLE:
    case TPM2_RC_HIERARCHY:
        return "; the hierarchy is disabled on this machine";
    case TPM2_RC_FAILURE:
        return "; the TPM is in failure mode: power-cycle the machine";
    case TPM2_RC_INITIALIZE:
        return "; the TPM was not started: run tpm2_startup -c";
    case TPM2_RC_OBJECT_MEMORY:
    case TPM2_RC_OBJECT_HANDLES:
        return "; its slots are filled by other programs: use /dev/tpmrm0 or "
               "tpm2-abrmd, or flush with tpm2_flushcontext -t";
    case TPM2_RC_SESSION_MEMORY:
        return "; its session slots are filled by other programs: use "
               "/dev/tpmrm0 or tpm2-abrmd, or flush with tpm2_flushcontext -l";
    case TPM2_RC_SESSION_HANDLES:
        return "; other programs have saved all the sessions that it can "
               "have: flush them with tpm2_flushcontext -s";
    case TPM2_RC_NV_SPACE:
        return "; its non-volatile memory is full: free a persistent handle "
               "with devid delete";
    default: /* not an enum */
        return "";
    }
}

enum devid_err tpm2_fail(struct devid_error *err, TSS2_RC rc, const char *what)
{
    return devid_fail(err, code_of(rc), rc, "the TPM did not %s: %s%s (0x%x)",
                      what, Tss2_RC_Decode(rc), advice(rc), rc);
}
