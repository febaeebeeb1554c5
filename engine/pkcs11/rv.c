/* SPDX-License-Identifier: Apache-2.0 */
/* Return values: what each means for the caller, and for a second try. */
#include "pkcs11.h"

#include <stdio.h>
#include <string.h>

struct meaning {
    CK_RV rv;
    const char *name;
    enum p11_action action;
    enum devid_err code;
    const char *sentence; /* NULL: the general one */
};

static const struct meaning meanings[] = {
    {CKR_HOST_MEMORY, "CKR_HOST_MEMORY", P11_ACTION_FAIL, DEVID_ERR_SYSTEM,
     NULL},
    {CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID", P11_ACTION_REOPEN,
     DEVID_ERR_NO_DEVICE, "the token's slot is gone"},
    {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR", P11_ACTION_REOPEN,
     DEVID_ERR_DEVICE, NULL},
    {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED", P11_ACTION_FAIL,
     DEVID_ERR_DEVICE, NULL},
    {CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD", P11_ACTION_FAIL, DEVID_ERR_DEVICE,
     NULL},
    {CKR_ATTRIBUTE_TYPE_INVALID, "CKR_ATTRIBUTE_TYPE_INVALID", P11_ACTION_FAIL,
     DEVID_ERR_DEVICE, NULL},
    {CKR_ATTRIBUTE_VALUE_INVALID, "CKR_ATTRIBUTE_VALUE_INVALID",
     P11_ACTION_FAIL, DEVID_ERR_ALG, NULL},
    {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR", P11_ACTION_REOPEN, DEVID_ERR_DEVICE,
     NULL},
    {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY", P11_ACTION_FAIL, DEVID_ERR_BUSY,
     "the token has no room left: delete what is not needed"},
    {CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED", P11_ACTION_REOPEN,
     DEVID_ERR_NO_DEVICE, "the token was removed: put it back"},
    {CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED", P11_ACTION_FAIL,
     DEVID_ERR_ALG, NULL},
    {CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID", P11_ACTION_REFIND,
     DEVID_ERR_NOT_FOUND, "the key is no longer on the token"},
    {CKR_KEY_SIZE_RANGE, "CKR_KEY_SIZE_RANGE", P11_ACTION_FAIL, DEVID_ERR_ALG,
     NULL},
    {CKR_KEY_TYPE_INCONSISTENT, "CKR_KEY_TYPE_INCONSISTENT", P11_ACTION_FAIL,
     DEVID_ERR_WRONG_KEY, "the key on the token is of another type"},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED",
     P11_ACTION_FAIL, DEVID_ERR_ALG,
     "the key on the token was not made for this: it lacks CKA_SIGN"},
    {CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID", P11_ACTION_FAIL,
     DEVID_ERR_ALG, "the token lacks this mechanism"},
    {CKR_MECHANISM_PARAM_INVALID, "CKR_MECHANISM_PARAM_INVALID",
     P11_ACTION_FAIL, DEVID_ERR_ALG,
     "the token lacks this form of the mechanism"},
    {CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID", P11_ACTION_REFIND,
     DEVID_ERR_NOT_FOUND, "the object is no longer on the token"},
    {CKR_OPERATION_ACTIVE, "CKR_OPERATION_ACTIVE", P11_ACTION_REFIND,
     DEVID_ERR_DEVICE, NULL},
    {CKR_OPERATION_NOT_INITIALIZED, "CKR_OPERATION_NOT_INITIALIZED",
     P11_ACTION_REFIND, DEVID_ERR_DEVICE, NULL},
    {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT", P11_ACTION_FAIL, DEVID_ERR_AUTH,
     NULL},
    {CKR_PIN_INVALID, "CKR_PIN_INVALID", P11_ACTION_FAIL, DEVID_ERR_AUTH, NULL},
    {CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE", P11_ACTION_FAIL, DEVID_ERR_AUTH,
     NULL},
    {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED", P11_ACTION_FAIL, DEVID_ERR_AUTH,
     "the PIN has expired: change it"},
    {CKR_PIN_LOCKED, "CKR_PIN_LOCKED", P11_ACTION_FAIL, DEVID_ERR_LOCKED, NULL},
    {CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED", P11_ACTION_REOPEN,
     DEVID_ERR_DEVICE, NULL},
    {CKR_SESSION_COUNT, "CKR_SESSION_COUNT", P11_ACTION_FAIL, DEVID_ERR_BUSY,
     "the token has no session left: too many programs use it at once"},
    {CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID",
     P11_ACTION_REOPEN, DEVID_ERR_DEVICE, NULL},
    {CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT", P11_ACTION_REOPEN,
     DEVID_ERR_NO_DEVICE, "the token is not there: put it back"},
    {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED", P11_ACTION_REOPEN,
     DEVID_ERR_NO_DEVICE, NULL},
    {CKR_TOKEN_WRITE_PROTECTED, "CKR_TOKEN_WRITE_PROTECTED", P11_ACTION_FAIL,
     DEVID_ERR_DEVICE, "the token is write-protected"},
    {CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN", P11_ACTION_REFIND,
     DEVID_ERR_AUTH,
     "the token wants its PIN: give it in a file by pin-source in the key's "
     "URI, or by the setting pin-source"},
    {CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED",
     P11_ACTION_FAIL, DEVID_ERR_AUTH, "the token has no user PIN yet: set one"},
    {CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED",
     P11_ACTION_REOPEN, DEVID_ERR_DEVICE, NULL},
    {CKR_TEMPLATE_INCONSISTENT, "CKR_TEMPLATE_INCONSISTENT", P11_ACTION_FAIL,
     DEVID_ERR_ALG, NULL},
    {CKR_DATA_LEN_RANGE, "CKR_DATA_LEN_RANGE", P11_ACTION_FAIL, DEVID_ERR_ALG,
     NULL},
    {CKR_SESSION_READ_ONLY, "CKR_SESSION_READ_ONLY", P11_ACTION_FAIL,
     DEVID_ERR_DEVICE, NULL},
};

static const struct meaning *find(CK_RV rv)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].rv == rv)
            return &meanings[i];
    }
    return NULL;
}

enum p11_action p11_rv_action(CK_RV rv)
{
    const struct meaning *m = find(rv);

    return m != NULL ? m->action : P11_ACTION_FAIL;
}

const char *p11_rv_name(CK_RV rv)
{
    const struct meaning *m = find(rv);

    return m != NULL ? m->name : NULL;
}

/* How its sentences begin. */
#define TOKEN "the token"
#define SUBJECT TOKEN " did not "

enum devid_err p11_fail(struct devid_error *err, CK_RV rv, const char *what)
{
    const struct meaning *m = find(rv);
    char number[32];

    (void)snprintf(number, sizeof(number), "0x%lx", rv);
    if (m != NULL && m->sentence != NULL)
        return devid_fail(err, m->code, (uint32_t)rv, SUBJECT "%s: %s (%s)",
                          what, m->sentence, m->name);
    return devid_fail(err, m != NULL ? m->code : DEVID_ERR_DEVICE, (uint32_t)rv,
                      SUBJECT "%s: it answered %s", what,
                      m != NULL ? m->name : number);
}

enum devid_err p11_fail_excess(struct devid_error *err, CK_ULONG said,
                               size_t room, const char *what)
{
    return devid_fail(err, DEVID_ERR_DEVICE, 0,
                      "the token's PKCS#11 module is faulty: it says that it "
                      "gave %lu %s, where it was asked for %zu at most",
                      said, what, room);
}

void p11_fail_name(struct devid_error *err, const char *label)
{
    char rest[sizeof(err->text)];

    if (*label == '\0' || strncmp(err->text, SUBJECT, strlen(SUBJECT)) != 0)
        return;
    (void)snprintf(rest, sizeof(rest), "%s", err->text + strlen(TOKEN));
    (void)snprintf(err->text, sizeof(err->text), TOKEN " '%s'%.*s", label,
                   (int)(sizeof(err->text) - sizeof(TOKEN) - 40), rest);
}
