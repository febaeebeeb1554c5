/* SPDX-License-Identifier: Apache-2.0 */
/* usage: sweep_tpm2 [OPTION...] libtss2-tcti-fault.so TCTI */
#include "operations_identity.h"
#include "raw.h"

#include "../../swtpm-ci/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_mu.h>

/* TPM 2.0 Part 2, 7.2; tss2 shifts a signed int. */
#define TRANSIENT_FIRST 0x80000000u
#define LOADED_SESSION_FIRST 0x02000000u
#define ACTIVE_SESSION_FIRST 0x03000000u

static struct tcti_fault_plan *plan;
static const char *tcti;

/* A way to spoil the link, or a response code. */
#define LINK(called, what, ...)                                                \
    {                                                                          \
        .name = called, .kind = what, __VA_ARGS__                              \
    }
#define CODE(called, value, ...)                                               \
    LINK(called, TCTI_FAULT_CODE, .code = value, __VA_ARGS__)
#define WRONG .spoils = true, .loses = true
#define LOST .loses = true

static const struct fault faults[] = {
    LINK("transmit error", TCTI_FAULT_TRANSMIT, .loses = false),
    LINK("receive error", TCTI_FAULT_RECEIVE, LOST),
    LINK("link gone", TCTI_FAULT_CONNECT, .loses = false),
    LINK("answer later", TCTI_FAULT_AGAIN, .loses = false),
    LINK("half a header", TCTI_FAULT_HEADER, LOST),
    LINK("short answer", TCTI_FAULT_SHORT, WRONG),
    LINK("cut answer", TCTI_FAULT_CUT, WRONG),
    LINK("noise", TCTI_FAULT_NOISE, WRONG),
    LINK("noise behind the header", TCTI_FAULT_BODY, WRONG),
    LINK("0xff behind the header", TCTI_FAULT_ONES, WRONG),
    LINK("flipped bit", TCTI_FAULT_FLIPPED, WRONG),
    LINK("long answer", TCTI_FAULT_LONG, WRONG),
    LINK("too long an answer", TCTI_FAULT_TOO_LONG, LOST),
    LINK("slow", TCTI_FAULT_SLOW, .loses = false),
    CODE("RETRY", TPM2_RC_RETRY, .loses = false),
    CODE("YIELDED", TPM2_RC_YIELDED, .loses = false),
    CODE("TESTING", TPM2_RC_TESTING, .loses = false),
    CODE("MEMORY", TPM2_RC_MEMORY, .loses = false),
    CODE("OBJECT_MEMORY", TPM2_RC_OBJECT_MEMORY, .loses = false),
    CODE("SESSION_MEMORY", TPM2_RC_SESSION_MEMORY, .loses = false),
    CODE("LOCKOUT", TPM2_RC_LOCKOUT, .loses = false),
    CODE("AUTH_FAIL", TPM2_RC_AUTH_FAIL | TPM2_RC_S | TPM2_RC_1,
         .loses = false),
    /* What is asked for is gone, it says: nothing to flush, or to list. */
    CODE("REFERENCE_H0", TPM2_RC_REFERENCE_H0, .denies = true),
    CODE("REFERENCE_S0", TPM2_RC_REFERENCE_S0, .loses = false),
    CODE("HANDLE", TPM2_RC_HANDLE | TPM2_RC_1, WRONG),
    CODE("INITIALIZE", TPM2_RC_INITIALIZE, .loses = false),
    CODE("FAILURE", TPM2_RC_FAILURE, .loses = false),
    CODE("NV_RATE", TPM2_RC_NV_RATE, .loses = false),
    CODE("COMMAND_CODE", TPM2_RC_COMMAND_CODE, .loses = false),
    CODE("VALUE", TPM2_RC_VALUE | TPM2_RC_P | TPM2_RC_1, .loses = false),
    CODE("manager's IO error", TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_IO_ERROR,
         .loses = false),
    {.name = NULL},
};

static void set(const struct trial *t, const char *name, const char *value)
{
    struct devid_error err = {0};

    must(devid_set(t->engine, name, value, &err), &err, name);
}

static void configure(const struct trial *t)
{
    set(t, "tcti", tcti);
    set(t, "tpm2-sharing", t->op->managed ? "managed" : "bare");
    /* What passes does so within the limit; what lasts is over at once. */
    set(t, "lock-timeout", t->lasting ? "0" : "20");
    set(t, "check-signatures", "always");
    set(t, "random-source", "tpm2:");
}

static void arm(const struct trial *t)
{
    *plan = (struct tcti_fault_plan){
        .kind = t->fault->kind,
        .code = (uint32_t)t->fault->code,
        .at = t->at,
        .lasting = t->lasting,
    };
}

/* A code reaches the caller as it came, where nothing else went wrong. */
static void judge(const struct trial *t, enum devid_err e,
                  const struct devid_error *err, char *text, size_t size)
{
    if (t->fault->kind == TCTI_FAULT_CODE && e != DEVID_OK && t->at == 1 &&
        t->lasting && err->device_rc != t->fault->code &&
        e != DEVID_ERR_NOT_FOUND)
        (void)snprintf(text, size, "the code is 0x%x", err->device_rc);
}

static unsigned disarm(const char **what)
{
    const char *name = tpm_command_name(plan->command);
    unsigned struck = plan->struck;

    *what = name != NULL ? name : "?";
    *plan = (struct tcti_fault_plan){.kind = TCTI_FAULT_NONE};
    return struck;
}

/* ---- what is left ---------------------------------------------------- */

static void flush(uint32_t handle)
{
    uint8_t command[14];
    uint8_t answer[TPM2_MAX_RESPONSE_SIZE];
    size_t len = sizeof(answer);

    (void)raw_put(command,
                  raw_header(command, sizeof(command), TPM2_CC_FlushContext),
                  handle);
    raw_ask(command, sizeof(command), answer, &len);
}

/* Flushes what there is of a kind of handle; returns how many. */
static unsigned flush_kind(uint32_t first)
{
    uint8_t command[22];
    uint8_t answer[TPM2_MAX_RESPONSE_SIZE];
    size_t len = sizeof(answer);
    size_t at = 11; /* behind the header and moreData */
    TPMS_CAPABILITY_DATA data = {0};

    at = raw_header(command, sizeof(command), TPM2_CC_GetCapability);
    at =
        raw_put(command,
                raw_put(command, raw_put(command, at, TPM2_CAP_HANDLES), first),
                TPM2_MAX_CAP_HANDLES);
    raw_ask(command, at, answer, &len);
    at = 11;
    if (Tss2_MU_TPMS_CAPABILITY_DATA_Unmarshal(answer, len, &at, &data) != 0) {
        (void)fprintf(stderr, "GetCapability: no such answer\n");
        exit(EXIT_FAILURE);
    }
    for (UINT32 i = 0; i < data.data.handles.count; i++)
        flush(data.data.handles.handle[i]);
    return data.data.handles.count;
}

/*
 * Nobody who is lied to for good can clean up. Else it is what was told that it
 * is gone already, in FlushContext; and of what has no Name to know it by, a
 * session, or is somebody else's key, the handle that came in an answer that
 * was lost: such a session goes when its place is needed.
 */
static bool excuses(const struct trial *t)
{
    if (!t->fault->loses && !t->fault->denies)
        return false;
    return t->lasting || strcmp(t->struck, "FlushContext") == 0 ||
           (t->fault->loses && (strcmp(t->struck, "StartAuthSession") == 0 ||
                                strcmp(t->struck, "LoadExternal") == 0));
}

static void left(const struct trial *t, bool closed, char *text, size_t size)
{
    unsigned objects = flush_kind(TRANSIENT_FIRST);
    unsigned loaded = flush_kind(LOADED_SESSION_FIRST);
    unsigned saved = flush_kind(ACTIVE_SESSION_FIRST);

    (void)closed;
    /* With no manager behind it nobody cleans up when the link is lost. */
    if (t->op->managed)
        return;
    if (objects + loaded + saved > 0)
        (void)snprintf(text, size,
                       "%u objects, %u sessions loaded and %u saved", objects,
                       loaded, saved);
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"TPM",    "this key",  "public key",
                                        "parent", "hierarchy", "this device",
                                        NULL};
    const struct stand stand = {
        .name = "tpm2",
        .operations = identity_operations,
        .secret = FIXTURE_AUTH,
        .words = words,
        .faults = faults,
        .configure = configure,
        .arm = arm,
        .disarm = disarm,
        .judge = judge,
        .excuses = excuses,
        .left = left,
    };
    struct sweep_options options = {0};
    int status;

    if (!sweep_options(&argc, &argv, &options) || argc != 2) {
        (void)fprintf(stderr, "usage: sweep_tpm2 [--whole] [--verbose] "
                              "[--operation NAME] [--fault NAME] "
                              "[--part K/N] [--report FILE] MODULE TCTI\n");
        return 2;
    }
    tcti = raw_open(argv[0], argv[1], &plan);
    status = sweep_run(&stand, &options);
    identity_free();
    raw_close();
    return status;
}
