/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module whose token answers as the fuzzer says. A byte of zero is
 * what a right token would answer: one slot, one EC key, one certificate; so an
 * input of a few bytes goes far, and each other byte is a lie.
 */
#include "token_answers.h"

#include <string.h>

static CK_ULONG found; /* objects that the search at work has still to give */
static CK_OBJECT_CLASS class;

/* ---- slots and tokens -------------------------------------------------- */

static CK_RV do_Initialize(void *args)
{
    (void)args;
    return verdict();
}

static CK_RV do_Finalize(void *reserved)
{
    (void)reserved;
    return CKR_OK;
}

static CK_RV do_GetInfo(CK_INFO *info)
{
    answers_take(info, sizeof(*info));
    return verdict();
}

static CK_RV do_GetSlotList(CK_BBOOL present, CK_SLOT_ID *slots,
                            CK_ULONG *count)
{
    CK_ULONG size = *count;

    (void)present;
    *count = number(1);
    if (slots == NULL)
        return verdict();
    for (CK_ULONG i = 0; i < *count && i < size; i++)
        slots[i] = i;
    if (*count > size)
        return answers_byte() == 0 ? CKR_BUFFER_TOO_SMALL : CKR_OK;
    return verdict();
}

static CK_RV do_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
    (void)slot;
    answers_take(info, sizeof(*info));
    return verdict();
}

static CK_RV do_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    (void)slot;
    if (answers_byte() != 0) {
        answers_take(info, sizeof(*info));
        return verdict();
    }
    memset(info, 0, sizeof(*info));
    memset(info->label, ' ', sizeof(info->label));
    memcpy(info->label, "fuzz", 4);
    memset(info->serialNumber, '1', sizeof(info->serialNumber));
    info->flags = CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_RNG;
    return verdict();
}

static CK_RV do_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list,
                                 CK_ULONG *count)
{
    CK_ULONG size = *count;

    (void)slot;
    *count = number(1);
    for (CK_ULONG i = 0; list != NULL && i < *count && i < size; i++)
        list[i] = CKM_ECDSA;
    return verdict();
}

static CK_RV do_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type,
                                 CK_MECHANISM_INFO *info)
{
    (void)slot;
    (void)type;
    answers_take(info, sizeof(*info));
    return verdict();
}

/* ---- sessions ---------------------------------------------------------- */

static CK_RV do_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *arg,
                            CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
    (void)slot;
    (void)flags;
    (void)arg;
    (void)notify;
    *session = 1;
    return verdict();
}

static CK_RV do_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
    (void)session;
    answers_take(info, sizeof(*info));
    return verdict();
}

static CK_RV do_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user,
                      CK_UTF8CHAR *pin, CK_ULONG len)
{
    (void)session;
    (void)user;
    (void)pin;
    (void)len;
    return verdict();
}

static CK_RV do_CloseSession(CK_SESSION_HANDLE session)
{
    (void)session;
    return CKR_OK;
}

static CK_RV do_CloseAllSessions(CK_SLOT_ID slot)
{
    (void)slot;
    return CKR_OK;
}

static CK_RV do_Logout(CK_SESSION_HANDLE session)
{
    (void)session;
    return CKR_OK;
}

/* ---- objects ----------------------------------------------------------- */

static CK_RV do_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE *wanted,
                                CK_ULONG count)
{
    (void)session;
    found = 1;
    class = CKO_PRIVATE_KEY;
    for (CK_ULONG i = 0; i < count; i++) {
        if (wanted[i].type == CKA_CLASS)
            memcpy(&class, wanted[i].pValue, sizeof(class));
    }
    return verdict();
}

static CK_RV do_FindObjects(CK_SESSION_HANDLE session,
                            CK_OBJECT_HANDLE *objects, CK_ULONG max,
                            CK_ULONG *count)
{
    (void)session;
    *count = number(found);
    found = 0;
    for (CK_ULONG i = 0; i < *count && i < max; i++)
        objects[i] = 1 + i;
    return verdict();
}

static CK_RV do_FindObjectsFinal(CK_SESSION_HANDLE session)
{
    (void)session;
    return verdict();
}

/* The generator of P-256, whose private key is one. */
static const CK_BYTE point[] = {
    0x04, 0x41, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8,
    0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
    0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f,
    0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c,
    0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb,
    0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
static const CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
                               0xce, 0x3d, 0x03, 0x01, 0x07};

static CK_RV give(CK_ATTRIBUTE *a, const void *right, CK_ULONG len)
{
    return fill(a->pValue, &a->ulValueLen, right, len);
}

static CK_RV give_attribute(CK_ATTRIBUTE *a)
{
    static const CK_KEY_TYPE types[] = {CKK_EC, CKK_RSA, CKK_EC_EDWARDS};
    static const CK_BYTE modulus[256] = {0xff};
    static const CK_BYTE exponent[] = {1, 0, 1};
    static const CK_BYTE sequence[] = {0x30, 0x00};
    CK_KEY_TYPE type;
    CK_BBOOL yes;

    switch (a->type) {
    case CKA_CLASS:
        return give(a, &class, sizeof(class));
    case CKA_KEY_TYPE:
        type = types[answers_byte() % 3];
        return give(a, &type, sizeof(type));
    case CKA_ID:
        return give(a, "\1", 1);
    case CKA_LABEL:
        return give(a, "unit", 4);
    case CKA_EC_PARAMS:
        return give(a, p256, sizeof(p256));
    case CKA_EC_POINT:
        return give(a, point, sizeof(point));
    case CKA_MODULUS:
        return give(a, modulus, sizeof(modulus));
    case CKA_PUBLIC_EXPONENT:
        return give(a, exponent, sizeof(exponent));
    case CKA_VALUE:
        return give(a, sequence, sizeof(sequence));
    default: /* the others are yes or no */
        yes = a->type != CKA_ALWAYS_AUTHENTICATE && a->type != CKA_EXTRACTABLE;
        return give(a, &yes, sizeof(yes));
    }
}

static CK_RV do_GetAttributeValue(CK_SESSION_HANDLE session,
                                  CK_OBJECT_HANDLE object, CK_ATTRIBUTE *list,
                                  CK_ULONG count)
{
    CK_RV rv = verdict();

    (void)session;
    (void)object;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_RV one = give_attribute(&list[i]);

        if (one != CKR_OK && rv == CKR_OK)
            rv = one;
    }
    return rv;
}

static CK_RV do_SetAttributeValue(CK_SESSION_HANDLE session,
                                  CK_OBJECT_HANDLE object, CK_ATTRIBUTE *list,
                                  CK_ULONG count)
{
    (void)session;
    (void)object;
    (void)list;
    (void)count;
    return verdict();
}

static CK_RV do_CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE *list,
                             CK_ULONG count, CK_OBJECT_HANDLE *object)
{
    (void)session;
    (void)list;
    (void)count;
    *object = 1;
    return verdict();
}

static CK_RV do_DestroyObject(CK_SESSION_HANDLE session,
                              CK_OBJECT_HANDLE object)
{
    (void)session;
    (void)object;
    return verdict();
}

static CK_RV do_GenerateKeyPair(CK_SESSION_HANDLE session,
                                CK_MECHANISM *mechanism, CK_ATTRIBUTE *public,
                                CK_ULONG public_count, CK_ATTRIBUTE *private,
                                CK_ULONG private_count, CK_OBJECT_HANDLE *one,
                                CK_OBJECT_HANDLE *two)
{
    (void)session;
    (void)mechanism;
    (void)public;
    (void)public_count;
    (void)private;
    (void)private_count;
    *one = 1;
    *two = 2;
    class = CKO_PRIVATE_KEY;
    return verdict();
}

/* ---- at work ----------------------------------------------------------- */

static CK_RV begin(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                   CK_OBJECT_HANDLE key)
{
    (void)session;
    (void)mechanism;
    (void)key;
    return verdict();
}

static CK_RV answer(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len,
                    CK_BYTE *out, CK_ULONG *len)
{
    static const CK_BYTE right[256] = {1};
    CK_RV rv = verdict();

    (void)session;
    (void)in;
    if (rv != CKR_OK)
        return rv;
    /* As long as an ECDSA signature, or as an RSA block. */
    return fill(out, len, right, in_len > 100 ? 256 : 64);
}

static CK_RV do_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                          CK_OBJECT_HANDLE base, CK_ATTRIBUTE *list,
                          CK_ULONG count, CK_OBJECT_HANDLE *key)
{
    (void)session;
    (void)mechanism;
    (void)base;
    (void)list;
    (void)count;
    *key = 3;
    return verdict();
}

static CK_RV do_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE *out,
                               CK_ULONG len)
{
    (void)session;
    answers_take(out, len);
    return verdict();
}

/* Not static: p11-kit looks for it by its name. */
ANSWERS_EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

static CK_FUNCTION_LIST functions = {
    .version = {2, 40},
    .C_Initialize = do_Initialize,
    .C_Finalize = do_Finalize,
    .C_GetInfo = do_GetInfo,
    .C_GetFunctionList = C_GetFunctionList,
    .C_GetSlotList = do_GetSlotList,
    .C_GetSlotInfo = do_GetSlotInfo,
    .C_GetTokenInfo = do_GetTokenInfo,
    .C_GetMechanismList = do_GetMechanismList,
    .C_GetMechanismInfo = do_GetMechanismInfo,
    .C_OpenSession = do_OpenSession,
    .C_CloseSession = do_CloseSession,
    .C_CloseAllSessions = do_CloseAllSessions,
    .C_GetSessionInfo = do_GetSessionInfo,
    .C_Login = do_Login,
    .C_Logout = do_Logout,
    .C_FindObjectsInit = do_FindObjectsInit,
    .C_FindObjects = do_FindObjects,
    .C_FindObjectsFinal = do_FindObjectsFinal,
    .C_GetAttributeValue = do_GetAttributeValue,
    .C_SetAttributeValue = do_SetAttributeValue,
    .C_CreateObject = do_CreateObject,
    .C_DestroyObject = do_DestroyObject,
    .C_GenerateKeyPair = do_GenerateKeyPair,
    .C_SignInit = begin,
    .C_Sign = answer,
    .C_DecryptInit = begin,
    .C_Decrypt = answer,
    .C_DeriveKey = do_DeriveKey,
    .C_GenerateRandom = do_GenerateRandom,
};

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    *list = &functions;
    return CKR_OK;
}
