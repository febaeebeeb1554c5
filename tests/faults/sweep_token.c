/* SPDX-License-Identifier: Apache-2.0 */
/* usage: sweep_token [OPTION...] pkcs11-spy.so MODULE URI PIN-FILE */
#include "clock.h"
#include "operations_pkcs10.h"

#include "../../swtpm-ci/spy_fault.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MAX 8
#define PIN_MAX 64
/* Longer than it takes until a module may be started again as often as ever. */
#define PAUSE_S 10

static struct spy_seen *seen;
static CK_FUNCTION_LIST *module; /* past the spy */
static char pin[PIN_MAX];

#define FAULT(rv)                                                              \
    {                                                                          \
        .name = #rv, .code = rv                                                \
    }

/* The module has done it, and the answer says otherwise. */
#define DONE(rv)                                                               \
    {                                                                          \
        .name = #rv ", done", .kind = 1, .code = rv, .loses = true             \
    }

static const struct fault faults[] = {
    FAULT(CKR_DEVICE_REMOVED),
    FAULT(CKR_TOKEN_NOT_PRESENT),
    FAULT(CKR_SESSION_HANDLE_INVALID),
    FAULT(CKR_SESSION_CLOSED),
    FAULT(CKR_USER_NOT_LOGGED_IN),
    FAULT(CKR_HOST_MEMORY),
    FAULT(CKR_DEVICE_MEMORY),
    FAULT(CKR_FUNCTION_FAILED),
    FAULT(CKR_DEVICE_ERROR),
    FAULT(CKR_GENERAL_ERROR),
    FAULT(CKR_OBJECT_HANDLE_INVALID),
    FAULT(CKR_CRYPTOKI_NOT_INITIALIZED),
    FAULT(CKR_PIN_INCORRECT),
    FAULT(CKR_VENDOR_DEFINED),
    DONE(CKR_DEVICE_REMOVED),
    DONE(CKR_DEVICE_ERROR),
    DONE(CKR_FUNCTION_FAILED),
    DONE(CKR_SESSION_HANDLE_INVALID),
    {.name = NULL},
};

static void configure(const struct trial *t)
{
    struct devid_error err = {0};

    clock_pass(PAUSE_S);
    must(devid_set(t->engine, "random-source", t->stand->device, &err), &err,
         "random-source");
}

static void arm(const struct trial *t)
{
    seen->plan = (struct spy_plan){
        .at = t->at,
        .lasting = t->lasting,
        .rv = t->fault->code,
        .done = t->fault->kind != 0,
    };
}

static unsigned disarm(const char **what)
{
    unsigned struck = seen->plan.struck;

    *what = seen->plan.name;
    seen->plan.at = 0;
    return struck;
}

/* ---- what is left ---------------------------------------------------- */

/* As the user: private ones, too. */
static CK_ULONG count_labelled(CK_SLOT_ID slot, const char *label)
{
    CK_ATTRIBUTE query = {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)};
    CK_OBJECT_HANDLE objects[4];
    CK_SESSION_HANDLE session;
    CK_ULONG count = 0;
    CK_RV login;

    if (module->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session) !=
        CKR_OK)
        return 0;
    login = module->C_Login(session, CKU_USER, (CK_BYTE *)pin, strlen(pin));
    if (module->C_FindObjectsInit(session, &query, 1) == CKR_OK) {
        (void)module->C_FindObjects(session, objects, 4, &count);
        (void)module->C_FindObjectsFinal(session);
    }
    /* Unless somebody else has logged in, of whom this is the token's state. */
    if (login == CKR_OK)
        (void)module->C_Logout(session);
    (void)module->C_CloseSession(session);
    return count;
}

unsigned long token_new_objects(void)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    CK_ULONG found = 0;

    if (module->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
        return 0;
    for (CK_ULONG i = 0; i < count; i++)
        found += count_labelled(slots[i], FIXTURE_NEW_LABEL);
    return found;
}

static void judge(const struct trial *t, enum devid_err e,
                  const struct devid_error *err, char *text, size_t size)
{
    CK_ULONG found = e != DEVID_OK && !t->lasting ? token_new_objects() : 0;

    (void)err;
    if (t->fault->code == CKR_PIN_INCORRECT && seen->plan.logins > 1)
        (void)snprintf(text, size, "a refused PIN was tried %u times",
                       seen->plan.logins);
    else if (found > 0 && t->op->makes && t->pem == NULL)
        (void)snprintf(text, size, "it failed, and %lu objects are there",
                       found);
}

static void left(const struct trial *t, bool closed, char *text, size_t size)
{
    CK_ULONG found = closed ? 0 : token_new_objects();

    if (seen->sessions > (closed ? 0 : 1))
        (void)snprintf(text, size, "%ld sessions", seen->sessions);
    else if (found > 0 && t->op->makes)
        (void)snprintf(text, size, "%lu objects", found);
}

/* ---- the program ----------------------------------------------------- */

static void *symbol(const char *file, const char *name)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    void *found = library != NULL ? dlsym(library, name) : NULL;

    if (found != NULL)
        return found;
    (void)fprintf(stderr, "%s\n", dlerror());
    exit(EXIT_FAILURE);
}

static void open_stand(const char *spy, const char *real)
{
    spy_seen_fn *get_seen = NULL;
    CK_C_GetFunctionList get_list = NULL;

    *(void **)&get_seen = symbol(spy, "pkcs11_spy_seen");
    *(void **)&get_list = symbol(real, "C_GetFunctionList");
    seen = get_seen();
    if (get_list(&module) != CKR_OK)
        exit(EXIT_FAILURE);
}

static void read_pin(const char *path)
{
    FILE *file = fopen(path, "re");

    if (file == NULL || fgets(pin, sizeof(pin), file) == NULL ||
        fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    pin[strcspn(pin, "\n")] = '\0';
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"token", "PKCS#11 module", "the key",
                                        NULL};
    struct stand stand = {
        .name = "token",
        .operations = pkcs10_operations,
        .words = words,
        .faults = faults,
        .configure = configure,
        .arm = arm,
        .disarm = disarm,
        .judge = judge,
        .left = left,
    };
    struct sweep_options options = {0};

    if (!sweep_options(&argc, &argv, &options) || argc != 4) {
        (void)fprintf(stderr,
                      "usage: sweep_token [--whole] [--verbose] "
                      "[--operation NAME] [--fault NAME] "
                      "[--part K/N] [--report FILE] SPY MODULE URI PIN-FILE\n");
        return 2;
    }
    open_stand(argv[0], argv[1]);
    stand.device = argv[2];
    read_pin(argv[3]);
    stand.secret = pin;
    return sweep_run(&stand, &options);
}
