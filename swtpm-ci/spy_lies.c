/* SPDX-License-Identifier: Apache-2.0 */
#include "spy_lies.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIES_MAX 8
#define ATTRIBUTES_MAX 32

enum kind {
    ATTRIBUTE,
    MECHANISM,
    FLAG
};

static const struct {
    const char *name;
    CK_ULONG type;
    enum kind kind;
} names[] = {
    {"CKA_EXTRACTABLE", CKA_EXTRACTABLE, ATTRIBUTE},
    {"CKA_SENSITIVE", CKA_SENSITIVE, ATTRIBUTE},
    {"CKA_NEVER_EXTRACTABLE", CKA_NEVER_EXTRACTABLE, ATTRIBUTE},
    {"CKA_ALWAYS_SENSITIVE", CKA_ALWAYS_SENSITIVE, ATTRIBUTE},
    {"CKA_LOCAL", CKA_LOCAL, ATTRIBUTE},
    {"CKA_PRIVATE", CKA_PRIVATE, ATTRIBUTE},
    {"CKA_ALWAYS_AUTHENTICATE", CKA_ALWAYS_AUTHENTICATE, ATTRIBUTE},
    {"CKM_RSA_PKCS", CKM_RSA_PKCS, MECHANISM},
    {"CKM_RSA_PKCS_OAEP", CKM_RSA_PKCS_OAEP, MECHANISM},
    {"CKM_RSA_PKCS_PSS", CKM_RSA_PKCS_PSS, MECHANISM},
    {"CKM_RSA_X_509", CKM_RSA_X_509, MECHANISM},
    {"CKM_EDDSA", CKM_EDDSA, MECHANISM},
    {"CKM_EC_EDWARDS_KEY_PAIR_GEN", CKM_EC_EDWARDS_KEY_PAIR_GEN, MECHANISM},
    {"CKF_USER_PIN_COUNT_LOW", CKF_USER_PIN_COUNT_LOW, FLAG},
    {"CKF_USER_PIN_FINAL_TRY", CKF_USER_PIN_FINAL_TRY, FLAG},
    {"CKF_USER_PIN_LOCKED", CKF_USER_PIN_LOCKED, FLAG},
};

static struct lie {
    CK_ULONG type;
    enum kind kind;
    bool is_none;
    CK_BYTE value;
} told[LIES_MAX];
static size_t told_count;

static CK_FUNCTION_LIST *truth;
static CK_FUNCTION_LIST liar;

static struct lie *find(enum kind kind, CK_ULONG type)
{
    for (size_t i = 0; i < told_count; i++) {
        if (told[i].kind == kind && told[i].type == type)
            return &told[i];
    }
    return NULL;
}

static CK_RV lie_attributes(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
                            CK_ATTRIBUTE *t, CK_ULONG n)
{
    CK_RV rv = truth->C_GetAttributeValue(s, o, t, n);

    for (CK_ULONG i = 0; i < n; i++) {
        const struct lie *lie = find(ATTRIBUTE, t[i].type);

        if (lie == NULL)
            continue;
        if (lie->is_none) {
            t[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
            rv = CKR_ATTRIBUTE_TYPE_INVALID;
        } else if (t[i].pValue != NULL && t[i].ulValueLen == 1) {
            memcpy(t[i].pValue, &lie->value, 1);
        }
    }
    return rv;
}

static CK_RV lie_sign_init(CK_SESSION_HANDLE s, CK_MECHANISM *m,
                           CK_OBJECT_HANDLE o)
{
    return find(MECHANISM, m->mechanism) != NULL ? CKR_MECHANISM_INVALID
                                                 : truth->C_SignInit(s, m, o);
}

static CK_RV lie_decrypt_init(CK_SESSION_HANDLE s, CK_MECHANISM *m,
                              CK_OBJECT_HANDLE o)
{
    return find(MECHANISM, m->mechanism) != NULL
               ? CKR_MECHANISM_INVALID
               : truth->C_DecryptInit(s, m, o);
}

static CK_RV lie_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = truth->C_GetTokenInfo(slot, info);

    for (size_t i = 0; i < told_count && rv == CKR_OK; i++) {
        if (told[i].kind != FLAG)
            continue;
        if (told[i].value != 0)
            info->flags |= told[i].type;
        else
            info->flags &= ~told[i].type;
    }
    return rv;
}

static CK_RV lie_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type,
                                CK_MECHANISM_INFO *info)
{
    return find(MECHANISM, type) != NULL
               ? CKR_MECHANISM_INVALID
               : truth->C_GetMechanismInfo(slot, type, info);
}

/* NOLINTNEXTLINE(readability-function-size): its parameters are PKCS#11's */
static CK_RV lie_generate(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_ATTRIBUTE *t,
                          CK_ULONG n, CK_ATTRIBUTE *pt, CK_ULONG pn,
                          CK_OBJECT_HANDLE *o, CK_OBJECT_HANDLE *po)
{
    CK_ATTRIBUTE asked[ATTRIBUTES_MAX];

    if (pn > ATTRIBUTES_MAX)
        return CKR_ARGUMENTS_BAD;
    if (find(MECHANISM, m->mechanism) != NULL)
        return CKR_MECHANISM_INVALID;
    for (CK_ULONG i = 0; i < pn; i++) {
        struct lie *lie = find(ATTRIBUTE, pt[i].type);

        asked[i] = pt[i];
        if (lie != NULL && !lie->is_none && asked[i].ulValueLen == 1)
            asked[i].pValue = &lie->value;
    }
    return truth->C_GenerateKeyPair(s, m, t, n, asked, pn, o, po);
}

static bool learn(const char *word)
{
    size_t len = strcspn(word, "=");

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct lie *lie = &told[told_count];

        if (strlen(names[i].name) != len ||
            memcmp(names[i].name, word, len) != 0 || word[len] == '\0')
            continue;
        lie->type = names[i].type;
        lie->kind = names[i].kind;
        lie->is_none = strcmp(word + len + 1, "none") == 0;
        lie->value = (CK_BYTE)strtoul(word + len + 1, NULL, 0);
        told_count++;
        return true;
    }
    return false;
}

CK_FUNCTION_LIST *spy_lies(CK_FUNCTION_LIST *module, const char *lies)
{
    char *words = lies == NULL ? NULL : strdup(lies);
    char *rest = NULL;
    char *word;

    if (words == NULL)
        return lies == NULL ? module : NULL;
    for (word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        if (told_count == LIES_MAX || !learn(word)) {
            (void)fprintf(stderr, "pkcs11-spy: cannot say '%s'\n", word);
            free(words);
            return NULL;
        }
    }
    free(words);
    truth = module;
    liar = *module;
    liar.C_GetAttributeValue = lie_attributes;
    liar.C_GenerateKeyPair = lie_generate;
    liar.C_SignInit = lie_sign_init;
    liar.C_DecryptInit = lie_decrypt_init;
    liar.C_GetTokenInfo = lie_token_info;
    liar.C_GetMechanismInfo = lie_mechanism_info;
    return &liar;
}
