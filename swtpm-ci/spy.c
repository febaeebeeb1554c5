/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module that forwards each call to the module that
 * DEVID_SPY_MODULE names, and then appends "PID NAME 0xRV" to the file that
 * DEVID_SPY_LOG names: one log for any number of processes. It counts what a
 * program costs; C_GetFunctionList, by which p11-kit loads it, is not counted.
 *
 * DEVID_SPY_FAULT makes one call fail: "C_Login=0xa4" is what it answers,
 * "C_Login=0xa4:FILE" once, by removing that file, "C_Initialize=crash" ends
 * the process as a module that is broken does. "12=0x30" is what the process's
 * twelfth call answers, "12=done:0x30" the same where the module has done it.
 * As long as there is a file FILE, "C_Login=before:FILE" keeps who calls from
 * the module, "C_Login=after:FILE" from its answer, for a test that kills it
 * there; the log then says "PID C_Login:waits 0x0". "kill=N" kills the process,
 * as a power cut does, when N calls are in the log. A test in the same process
 * has more: see spy_fault.h. DEVID_SPY_LIES is what the token says of itself:
 * see spy_lies.h.
 */
#include "spy_fault.h"
#include "spy_lies.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static CK_FUNCTION_LIST *real;
static char *log_file;
static const char *fault; /* as the environment was at the start */

static struct spy_seen seen;

spy_seen_fn pkcs11_spy_seen;
__attribute__((visibility("default"))) struct spy_seen *pkcs11_spy_seen(void)
{
    return &seen;
}

/* What the caller was told, or has asked for, whether it came about or not. */
static void count_sessions(const char *name, CK_RV rv)
{
    if (strcmp(name, "C_OpenSession") == 0 && rv == CKR_OK)
        seen.sessions++;
    else if (strcmp(name, "C_CloseSession") == 0)
        seen.sessions--;
    else if (strcmp(name, "C_Finalize") == 0)
        seen.sessions = 0;
}

static bool is_planned(const char *name, CK_RV *rv)
{
    struct spy_plan *plan = &seen.plan;

    plan->calls++;
    if (plan->at == 0 || plan->calls < plan->at ||
        (plan->calls > plan->at && !plan->lasting))
        return false;
    if (plan->struck++ == 0)
        plan->name = name;
    plan->logins += strcmp(name, "C_Login") == 0;
    *rv = plan->rv;
    return true;
}

/* By the log: this module may have been loaded anew meanwhile. */
static bool is_over(void)
{
    static const char kill_at[] = "kill=";
    long lines = 0;
    FILE *file;
    int c;

    if (fault == NULL || strncmp(fault, kill_at, sizeof(kill_at) - 1) != 0)
        return false;
    file = fopen(log_file, "re");
    while (file != NULL && (c = getc(file)) != EOF)
        lines += c == '\n';
    if (file != NULL)
        (void)fclose(file);
    return lines >= strtol(fault + sizeof(kill_at) - 1, NULL, 10);
}

static CK_RV note(const char *name, CK_RV rv)
{
    char line[96];
    int n;
    int fd;

    count_sessions(name, rv);
    if (log_file == NULL)
        return rv;
    n = snprintf(line, sizeof(line), "%ld %s 0x%lx\n", (long)getpid(), name,
                 rv);
    /* Opened anew each time: the program may have closed what it knows not. */
    fd = open(log_file, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd >= 0) {
        if (n > 0 && write(fd, line, (size_t)n) != n)
            (void)fprintf(stderr, "pkcs11-spy: %s is incomplete\n", log_file);
        (void)close(fd);
    }
    if (is_over())
        (void)raise(SIGKILL);
    return rv;
}

/* What is to become of a call; NULL: nothing out of the ordinary. */
static const char *fault_of(const char *name)
{
    size_t len = strlen(name);

    return fault != NULL && strncmp(fault, name, len) == 0 && fault[len] == '='
               ? fault + len + 1
               : NULL;
}

static void wait_where(const char *name, const char *where)
{
    const struct timespec moment = {.tv_nsec = 10000000L};
    const char *todo = fault_of(name);
    size_t len = strlen(where);
    char waits[64];

    if (todo == NULL || strncmp(todo, where, len) != 0 ||
        access(todo + len, F_OK) != 0)
        return;
    (void)snprintf(waits, sizeof(waits), "%s:waits", name);
    (void)note(waits, CKR_OK);
    while (access(todo + len, F_OK) == 0)
        (void)nanosleep(&moment, NULL); /* a signal only makes it shorter */
}

enum fate {
    FORWARDED,
    REFUSED, /* the module never sees it */
    LOST     /* the module does it, and the caller is told otherwise */
};

static enum fate fate_of(const char *name, CK_RV *rv)
{
    const char *todo = fault_of(name);
    char *rest = NULL;

    wait_where(name, "before:");
    if (is_planned(name, rv))
        return seen.plan.done ? LOST : REFUSED;
    if (todo == NULL)
        return FORWARDED;
    if (strcmp(todo, "crash") == 0) {
        (void)note(name, CKR_GENERAL_ERROR);
        (void)raise(SIGSEGV);
    }
    *rv = strtoul(todo, &rest, 0);
    /* What is no number is a place to wait at. */
    return *rest == '\0' || (*rest == ':' && unlink(rest + 1) == 0) ? REFUSED
                                                                    : FORWARDED;
}

/* One forwarding function a call. */
#define SPY(name, parameters, arguments)                                       \
    static CK_RV spy_##name parameters                                         \
    {                                                                          \
        CK_RV told = CKR_OK;                                                   \
        const enum fate fate = fate_of("C_" #name, &told);                     \
        CK_RV rv = fate == REFUSED ? told : real->C_##name arguments;          \
                                                                               \
        if (fate == LOST)                                                      \
            rv = told;                                                         \
        wait_where("C_" #name, "after:");                                      \
        return note("C_" #name, rv);                                           \
    }

#define S CK_SESSION_HANDLE s
#define O CK_OBJECT_HANDLE o
#define BYTES(x) CK_BYTE_PTR x, CK_ULONG x##_len
#define OUT(x) CK_BYTE_PTR x, CK_ULONG_PTR x##_len
#define MECHANISM CK_MECHANISM_PTR m
#define TEMPLATE CK_ATTRIBUTE_PTR t, CK_ULONG n

SPY(Initialize, (CK_VOID_PTR args), (args))
SPY(Finalize, (CK_VOID_PTR args), (args))
SPY(GetInfo, (CK_INFO_PTR info), (info))
SPY(GetSlotList, (CK_BBOOL present, CK_SLOT_ID_PTR list, CK_ULONG_PTR count),
    (present, list, count))
SPY(GetSlotInfo, (CK_SLOT_ID slot, CK_SLOT_INFO_PTR info), (slot, info))
SPY(GetTokenInfo, (CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info), (slot, info))
SPY(GetMechanismList,
    (CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR list, CK_ULONG_PTR count),
    (slot, list, count))
SPY(GetMechanismInfo,
    (CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info),
    (slot, type, info))
SPY(InitToken, (CK_SLOT_ID slot, BYTES(pin), CK_BYTE_PTR label),
    (slot, pin, pin_len, label))
SPY(InitPIN, (S, BYTES(pin)), (s, pin, pin_len))
SPY(SetPIN, (S, BYTES(from), BYTES(to)), (s, from, from_len, to, to_len))
SPY(OpenSession,
    (CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR application, CK_NOTIFY notify,
     CK_SESSION_HANDLE_PTR s),
    (slot, flags, application, notify, s))
SPY(CloseSession, (S), (s))
SPY(CloseAllSessions, (CK_SLOT_ID slot), (slot))
SPY(GetSessionInfo, (S, CK_SESSION_INFO_PTR info), (s, info))
SPY(Login, (S, CK_USER_TYPE user, BYTES(pin)), (s, user, pin, pin_len))
SPY(Logout, (S), (s))
SPY(CreateObject, (S, TEMPLATE, CK_OBJECT_HANDLE_PTR o), (s, t, n, o))
SPY(CopyObject, (S, O, TEMPLATE, CK_OBJECT_HANDLE_PTR to), (s, o, t, n, to))
SPY(DestroyObject, (S, O), (s, o))
SPY(GetObjectSize, (S, O, CK_ULONG_PTR size), (s, o, size))
SPY(GetAttributeValue, (S, O, TEMPLATE), (s, o, t, n))
SPY(SetAttributeValue, (S, O, TEMPLATE), (s, o, t, n))
SPY(FindObjectsInit, (S, TEMPLATE), (s, t, n))
SPY(FindObjects,
    (S, CK_OBJECT_HANDLE_PTR list, CK_ULONG max, CK_ULONG_PTR count),
    (s, list, max, count))
SPY(FindObjectsFinal, (S), (s))
SPY(EncryptInit, (S, MECHANISM, O), (s, m, o))
SPY(Encrypt, (S, BYTES(in), OUT(out)), (s, in, in_len, out, out_len))
SPY(DecryptInit, (S, MECHANISM, O), (s, m, o))
SPY(Decrypt, (S, BYTES(in), OUT(out)), (s, in, in_len, out, out_len))
SPY(SignInit, (S, MECHANISM, O), (s, m, o))
SPY(Sign, (S, BYTES(in), OUT(out)), (s, in, in_len, out, out_len))
SPY(VerifyInit, (S, MECHANISM, O), (s, m, o))
SPY(Verify, (S, BYTES(in), BYTES(sig)), (s, in, in_len, sig, sig_len))
SPY(GenerateKey, (S, MECHANISM, TEMPLATE, CK_OBJECT_HANDLE_PTR o),
    (s, m, t, n, o))
/* NOLINTNEXTLINE(readability-function-size): its parameters are PKCS#11's */
SPY(GenerateKeyPair,
    (S, MECHANISM, TEMPLATE, CK_ATTRIBUTE_PTR pt, CK_ULONG pn,
     CK_OBJECT_HANDLE_PTR o, CK_OBJECT_HANDLE_PTR po),
    (s, m, t, n, pt, pn, o, po))
SPY(DeriveKey, (S, MECHANISM, O, TEMPLATE, CK_OBJECT_HANDLE_PTR to),
    (s, m, o, t, n, to))
SPY(SeedRandom, (S, BYTES(seed)), (s, seed, seed_len))
SPY(GenerateRandom, (S, BYTES(out)), (s, out, out_len))

static CK_FUNCTION_LIST spy;

/* What has no spy of its own goes to the module unseen. */
static void fill(void)
{
    spy = *real;
#define SET(name) spy.C_##name = spy_##name
    SET(Initialize);
    SET(Finalize);
    SET(GetInfo);
    SET(GetSlotList);
    SET(GetSlotInfo);
    SET(GetTokenInfo);
    SET(GetMechanismList);
    SET(GetMechanismInfo);
    SET(InitToken);
    SET(InitPIN);
    SET(SetPIN);
    SET(OpenSession);
    SET(CloseSession);
    SET(CloseAllSessions);
    SET(GetSessionInfo);
    SET(Login);
    SET(Logout);
    SET(CreateObject);
    SET(CopyObject);
    SET(DestroyObject);
    SET(GetObjectSize);
    SET(GetAttributeValue);
    SET(SetAttributeValue);
    SET(FindObjectsInit);
    SET(FindObjects);
    SET(FindObjectsFinal);
    SET(EncryptInit);
    SET(Encrypt);
    SET(DecryptInit);
    SET(Decrypt);
    SET(SignInit);
    SET(Sign);
    SET(VerifyInit);
    SET(Verify);
    SET(GenerateKey);
    SET(GenerateKeyPair);
    SET(DeriveKey);
    SET(SeedRandom);
    SET(GenerateRandom);
#undef SET
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* "12=0x30", "12=done:0x30" */
static void plan_call(const char *todo)
{
    char *rest = NULL;
    unsigned long at = strtoul(todo, &rest, 10);

    if (at == 0 || *rest != '=')
        return;
    seen.plan.at = (unsigned)at;
    seen.plan.done = strncmp(rest, "=done:", 6) == 0;
    seen.plan.rv = strtoul(rest + (seen.plan.done ? 6 : 1), NULL, 0);
}

static void load(void)
{
    const char *module = getenv("DEVID_SPY_MODULE");
    const char *file = getenv("DEVID_SPY_LOG");
    const char *answer = getenv("DEVID_SPY_FAULT");
    CK_C_GetFunctionList get = NULL;
    void *library;

    if (module == NULL || *module == '\0')
        return;
    library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        (void)fprintf(stderr, "pkcs11-spy: %s\n", dlerror());
        return;
    }
    *(void **)&get = dlsym(library, "C_GetFunctionList");
    if (get == NULL || get(&real) != CKR_OK)
        return;
    real = spy_lies(real, getenv("DEVID_SPY_LIES"));
    if (real == NULL)
        return;
    log_file = file == NULL ? NULL : strdup(file);
    fault = answer == NULL ? NULL : strdup(answer);
    if (fault != NULL)
        plan_call(fault);
    fill();
}

__attribute__((visibility("default"))) CK_RV
C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    (void)pthread_once(&once, load);
    if (real == NULL)
        return CKR_GENERAL_ERROR;
    *list = &spy;
    return CKR_OK;
}
