/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a PKCS#11 module gives who wants nothing else: C_SignInit and C_Sign in
 * threads with a session each, by the one private key of a label.
 */
#include "measure.h"

#include <p11-kit/pkcs11.h>

#include <dlfcn.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXIT_USAGE = 2,
    SLOTS_MAX = 16,
    PIN_MAX = 64
};

static const char usage[] =
    "Usage: raw_token MODULE PIN-FILE LABEL THREADS SECONDS\n"
    "Signs with the key of that label, ECDSA or RSA-PSS with SHA-256, as "
    "often\n"
    "as it goes; prints the rate.\n";

static CK_FUNCTION_LIST *f;
static CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
static CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
static CK_OBJECT_HANDLE key;

static void check(CK_RV rv, const char *what)
{
    if (rv != CKR_OK)
        errx(EXIT_FAILURE, "%s answered 0x%lx", what, rv);
}

static void load(const char *path)
{
    CK_C_INITIALIZE_ARGS threads = {.flags = CKF_OS_LOCKING_OK};
    CK_C_GetFunctionList get = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (library != NULL)
        *(void **)&get = dlsym(library, "C_GetFunctionList");
    if (get == NULL)
        errx(EXIT_FAILURE, "%s is no PKCS#11 module", path);
    check(get(&f), "C_GetFunctionList");
    check(f->C_Initialize(&threads), "C_Initialize");
}

static CK_SLOT_ID find_slot(void)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;

    check(f->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;

        check(f->C_GetTokenInfo(slots[i], &info), "C_GetTokenInfo");
        if ((info.flags & CKF_USER_PIN_INITIALIZED) != 0)
            return slots[i];
    }
    errx(EXIT_FAILURE, "there is no token with a PIN");
}

static void log_in(CK_SESSION_HANDLE session, const char *path)
{
    CK_UTF8CHAR pin[PIN_MAX];
    FILE *file = fopen(path, "re");
    size_t len;

    if (file == NULL)
        err(EXIT_FAILURE, "cannot open %s", path);
    len = fread(pin, 1, sizeof(pin), file);
    (void)fclose(file); /* read only: nothing to lose */
    if (len > 0 && pin[len - 1] == '\n')
        len--;
    check(f->C_Login(session, CKU_USER, pin, len), "C_Login");
}

static void find_key(CK_SESSION_HANDLE session, char *label)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = CKK_EC;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof(class)},
                             {CKA_LABEL, label, strlen(label)}};
    CK_ATTRIBUTE asked = {CKA_KEY_TYPE, &type, sizeof(type)};
    CK_ULONG count = 0;

    check(f->C_FindObjectsInit(session, wanted, 2), "C_FindObjectsInit");
    check(f->C_FindObjects(session, &key, 1, &count), "C_FindObjects");
    check(f->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    if (count == 0)
        errx(EXIT_FAILURE, "there is no key %s", label);
    check(f->C_GetAttributeValue(session, key, &asked, 1),
          "C_GetAttributeValue");
    if (type == CKK_RSA)
        mechanism =
            (CK_MECHANISM){CKM_RSA_PKCS_PSS, &pss, (CK_ULONG)sizeof(pss)};
}

static void sign(void *arg)
{
    const CK_SESSION_HANDLE *session = arg;
    CK_BYTE digest[32] = {1};
    CK_BYTE signature[512];
    CK_ULONG len = sizeof(signature);

    check(f->C_SignInit(*session, &mechanism, key), "C_SignInit");
    check(f->C_Sign(*session, digest, sizeof(digest), signature, &len),
          "C_Sign");
}

int main(int argc, char **argv)
{
    CK_SESSION_HANDLE sessions[MEASURE_CLIENTS_MAX];
    void *args[MEASURE_CLIENTS_MAX];
    struct cpu_watch watch = {0};
    CK_SLOT_ID slot;
    size_t threads;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (argc != 6) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    threads = measure_clients(argv[4]);
    load(argv[1]);
    slot = find_slot();
    for (size_t i = 0; i < threads; i++) {
        check(f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL,
                               &sessions[i]),
              "C_OpenSession");
        args[i] = &sessions[i];
    }
    log_in(sessions[0], argv[2]);
    find_key(sessions[0], argv[3]);
    measure_run(sign, args, threads, measure_seconds(argv[5]), &watch);
    check(f->C_Finalize(NULL), "C_Finalize");
    return EXIT_SUCCESS;
}
