/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module for tests of PINs: SoftHSM, which never locks a PIN, behind
 * a token that says whatever the test wants it to say, and a log of each PIN
 * that was tried.
 *
 *   PIN_STATES_MODULE  the module's file
 *   PIN_STATES_FLAGS   or-ed into the flags of C_GetTokenInfo, in hexadecimal
 *   PIN_STATES_LOG     a line for each C_Login, C_SetPIN and C_InitPIN
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
    __attribute__((visibility("default")));

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST ours;

static void note(const char *call)
{
    const char *path = getenv("PIN_STATES_LOG");
    FILE *log = path ? fopen(path, "ae") : NULL;

    if (!log)
        return;
    (void)fprintf(log, "%s\n", call);
    (void)fclose(log);
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    const char *flags = getenv("PIN_STATES_FLAGS");
    CK_RV rv = real->C_GetTokenInfo(slot, info);

    if (rv == CKR_OK && flags && info->flags & CKF_TOKEN_INITIALIZED)
        info->flags |= strtoul(flags, NULL, 16);
    return rv;
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user,
                   CK_UTF8CHAR *pin, CK_ULONG len)
{
    note(user == CKU_SO ? "C_Login SO" : "C_Login user");
    return real->C_Login(session, user, pin, len);
}

static CK_RV set_pin(CK_SESSION_HANDLE session, CK_UTF8CHAR *old,
                     CK_ULONG old_len, CK_UTF8CHAR *new_one, CK_ULONG new_len)
{
    note("C_SetPIN");
    return real->C_SetPIN(session, old, old_len, new_one, new_len);
}

static CK_RV init_pin(CK_SESSION_HANDLE session, CK_UTF8CHAR *pin, CK_ULONG len)
{
    note("C_InitPIN");
    return real->C_InitPIN(session, pin, len);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    const char *path = getenv("PIN_STATES_MODULE");
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    CK_C_GetFunctionList get = NULL;

    if (library)
        *(void **)&get = dlsym(library, "C_GetFunctionList");
    if (!get || get(&real) != CKR_OK)
        return CKR_GENERAL_ERROR;
    ours = *real;
    ours.C_GetTokenInfo = get_token_info;
    ours.C_Login = login;
    ours.C_SetPIN = set_pin;
    ours.C_InitPIN = init_pin;
    *list = &ours;
    return CKR_OK;
}
