/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many objects onto a token, fast: COUNT data objects, "other 0" and so on,
 * that everybody may see; or, with the PIN, as many private keys.
 *
 * Usage: fill_token MODULE TOKEN-LABEL COUNT [PIN-FILE]
 */
#include <p11-kit/pkcs11.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MAX 16
#define PIN_MAX 64

static CK_FUNCTION_LIST *f;

static int failed(const char *what, CK_RV rv)
{
    (void)fprintf(stderr, "fill_token: %s: 0x%lx\n", what, rv);
    return 1;
}

static CK_RV load(const char *path)
{
    CK_C_GetFunctionList get = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (library != NULL)
        *(void **)&get = dlsym(library, "C_GetFunctionList");
    if (get == NULL)
        return CKR_GENERAL_ERROR;
    return get(&f) == CKR_OK ? f->C_Initialize(NULL) : CKR_GENERAL_ERROR;
}

static CK_RV find_slot(const char *label, CK_SLOT_ID *slot)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    CK_RV rv = f->C_GetSlotList(CK_TRUE, slots, &count);

    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
        CK_TOKEN_INFO info;

        rv = f->C_GetTokenInfo(slots[i], &info);
        *slot = slots[i];
        if (rv == CKR_OK &&
            strncmp((const char *)info.label, label, strlen(label)) == 0)
            return CKR_OK;
    }
    return rv == CKR_OK ? CKR_TOKEN_NOT_PRESENT : rv;
}

static CK_RV log_in(CK_SESSION_HANDLE session, const char *path)
{
    CK_UTF8CHAR pin[PIN_MAX];
    FILE *file = fopen(path, "re");
    size_t len;

    if (file == NULL)
        return CKR_PIN_INCORRECT;
    len = fread(pin, 1, sizeof(pin), file);
    (void)fclose(file); /* read only: nothing to lose */
    if (len > 0 && pin[len - 1] == '\n')
        len--;
    return f->C_Login(session, CKU_USER, pin, len);
}

/* A P-256 key whose secret is its number, from 1. */
static CK_RV create_key(CK_SESSION_HANDLE session, long number)
{
    static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
                             0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = CKK_EC;
    CK_BBOOL yes = CK_TRUE;
    CK_OBJECT_HANDLE object;
    CK_BYTE secret[32] = {0};
    char label[32];
    CK_ATTRIBUTE rows[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_KEY_TYPE, &type, sizeof(type)},
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_PRIVATE, &yes, sizeof(yes)},
        {CKA_SIGN, &yes, sizeof(yes)},
        {CKA_EC_PARAMS, p256, sizeof(p256)},
        {CKA_LABEL, label, 0},
        {CKA_ID, label, 0},
        {CKA_VALUE, secret, sizeof(secret)},
    };

    secret[30] = (CK_BYTE)((number + 1) >> 8);
    secret[31] = (CK_BYTE)(number + 1);
    rows[6].ulValueLen =
        (CK_ULONG)snprintf(label, sizeof(label), "other %ld", number);
    rows[7].ulValueLen = rows[6].ulValueLen;
    return f->C_CreateObject(session, rows, sizeof(rows) / sizeof(rows[0]),
                             &object);
}

static CK_RV create(CK_SESSION_HANDLE session, long number)
{
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_OBJECT_HANDLE object;
    char label[32];
    CK_ATTRIBUTE rows[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_PRIVATE, &no, sizeof(no)},
        {CKA_LABEL, label, 0},
        {CKA_VALUE, label, 0},
    };

    rows[3].ulValueLen =
        (CK_ULONG)snprintf(label, sizeof(label), "other %ld", number);
    rows[4].ulValueLen = rows[3].ulValueLen;
    return f->C_CreateObject(session, rows, sizeof(rows) / sizeof(rows[0]),
                             &object);
}

int main(int argc, char **argv)
{
    CK_SESSION_HANDLE session = 0;
    CK_SLOT_ID slot = 0;
    long count = argc == 4 || argc == 5 ? strtol(argv[3], NULL, 10) : 0;
    CK_RV rv;

    if (count <= 0)
        return failed("fill_token MODULE TOKEN-LABEL COUNT [PIN-FILE]", 0);
    rv = load(argv[1]);
    if (rv == CKR_OK)
        rv = find_slot(argv[2], &slot);
    if (rv == CKR_OK)
        rv = f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
                              NULL, &session);
    if (rv == CKR_OK && argc == 5)
        rv = log_in(session, argv[4]);
    if (rv != CKR_OK)
        return failed("the token cannot be used", rv);
    for (long i = 0; i < count; i++) {
        rv = argc == 5 ? create_key(session, i) : create(session, i);
        if (rv != CKR_OK)
            return failed("an object does not go onto the token", rv);
    }
    rv = f->C_Finalize(NULL);
    return rv == CKR_OK ? 0 : failed("the module does not end", rv);
}
