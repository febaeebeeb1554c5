/* SPDX-License-Identifier: Apache-2.0 */
#include "raw.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_mu.h>
#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>

static TSS2_TCTI_CONTEXT *clean; /* past the faults */

void raw_ask(const uint8_t *command, size_t len, uint8_t *answer,
             size_t *answer_len)
{
    if (Tss2_Tcti_Transmit(clean, len, command) != 0 ||
        Tss2_Tcti_Receive(clean, answer_len, answer, TSS2_TCTI_TIMEOUT_BLOCK) !=
            0) {
        (void)fprintf(stderr, "the TPM is gone\n");
        exit(EXIT_FAILURE);
    }
}

size_t raw_put(uint8_t *to, size_t at, uint32_t value)
{
    (void)Tss2_MU_UINT32_Marshal(value, to, at + 4, &at);
    return at;
}

size_t raw_header(uint8_t *command, uint32_t len, TPM2_CC code)
{
    command[0] = 0x80; /* TPM_ST_NO_SESSIONS */
    command[1] = 0x01;
    return raw_put(command, raw_put(command, 2, len), code);
}

const char *raw_open(const char *module, const char *inner,
                     struct tcti_fault_plan **plan)
{
    static char tcti[512];
    void *library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
    fault_plan_fn *get = NULL;

    (void)setenv("TSS2_LOG", "all+none", 1);
    if (library != NULL)
        *(void **)&get = dlsym(library, "tcti_fault_plan");
    if (get == NULL) {
        (void)fprintf(stderr, "%s\n", dlerror());
        exit(EXIT_FAILURE);
    }
    *plan = get();
    (void)snprintf(tcti, sizeof(tcti), "%s:%s", module, inner);
    if (Tss2_TctiLdr_Initialize(inner, &clean) != 0) {
        (void)fprintf(stderr, "no TPM at %s\n", inner);
        exit(EXIT_FAILURE);
    }
    return tcti;
}

/* ---- in the name of a hierarchy ---------------------------------------- */

struct authorised {
    TPM2_CC code;
    uint32_t handles[2];
    size_t handle_count;
    const char *value;
    const uint8_t *parameters;
    size_t len;
};

/* Of the hierarchies that the first three bits of TPMA_PERMANENT speak of. */
static const uint32_t hierarchies[RAW_VALUES] = {
    TPM2_RH_OWNER, TPM2_RH_ENDORSEMENT, TPM2_RH_LOCKOUT};

/* By its value, in a password session: TPM 2.0 Part 1, 18.4. */
static void ask_authorised(const struct authorised *a)
{
    const uint8_t value_len = (uint8_t)strlen(a->value);
    uint8_t command[256];
    uint8_t answer[TPM2_MAX_RESPONSE_SIZE];
    size_t len = sizeof(answer);
    size_t at = raw_header(command, 0, a->code);

    command[1] = 0x02; /* TPM_ST_SESSIONS */
    for (size_t i = 0; i < a->handle_count; i++)
        at = raw_put(command, at, a->handles[i]);
    at = raw_put(command, at, 9u + value_len);
    at = raw_put(command, at, TPM2_RH_PW);
    memset(command + at, 0, 5); /* nonce, attributes, the value's size */
    command[at + 4] = value_len;
    memcpy(command + at + 5, a->value, value_len);
    at += 5u + value_len;
    memcpy(command + at, a->parameters, a->len);
    at += a->len;
    (void)raw_put(command, 2, (uint32_t)at);
    raw_ask(command, at, answer, &len);
    if (len >= 10 && memcmp(answer + 6, "\0\0\0", 4) == 0)
        return;
    (void)fprintf(stderr,
                  "the TPM refuses 0x%x: its owner's values are not "
                  "those that were kept\n",
                  a->code);
    exit(EXIT_FAILURE);
}

uint32_t raw_capability(uint32_t capability, uint32_t first)
{
    uint8_t command[22];
    uint8_t answer[TPM2_MAX_RESPONSE_SIZE];
    size_t len = sizeof(answer);
    size_t at = raw_header(command, sizeof(command), TPM2_CC_GetCapability);
    TPMS_CAPABILITY_DATA data = {0};

    at = raw_put(command, raw_put(command, at, capability), first);
    raw_ask(command, raw_put(command, at, 1), answer, &len);
    at = 11; /* behind the header and moreData */
    if (Tss2_MU_TPMS_CAPABILITY_DATA_Unmarshal(answer, len, &at, &data) != 0) {
        (void)fprintf(stderr, "GetCapability: no such answer\n");
        exit(EXIT_FAILURE);
    }
    if (capability == TPM2_CAP_TPM_PROPERTIES)
        return data.data.tpmProperties.tpmProperty[0].value;
    return data.data.handles.count > 0 ? data.data.handles.handle[0] : 0;
}

unsigned raw_authorisations(void)
{
    return raw_capability(TPM2_CAP_TPM_PROPERTIES, TPM2_PT_PERMANENT) & 7u;
}

bool raw_has(uint32_t handle)
{
    return raw_capability(TPM2_CAP_HANDLES, handle) == handle;
}

void raw_unlock(char values[RAW_VALUES][RAW_VALUE_SIZE])
{
    /* Tries, and seconds of both recoveries, as swtpm has them at first. */
    static const uint8_t parameters[12] = {0, 0,    0, 3, 0, 0,
                                           3, 0xe8, 0, 0, 3, 0xe8};
    const unsigned set = raw_authorisations();

    for (unsigned i = 0; i < RAW_VALUES; i++) {
        if ((set & 1u << i) != 0)
            ask_authorised(&(struct authorised){
                .code = TPM2_CC_HierarchyChangeAuth,
                .handles = {hierarchies[i]},
                .handle_count = 1,
                .value = values[i],
                .parameters = (const uint8_t[2]){0, 0},
                .len = 2,
            });
    }
    if (raw_has(RAW_SEED_INDEX))
        ask_authorised(&(struct authorised){
            .code = TPM2_CC_NV_UndefineSpace,
            .handles = {TPM2_RH_OWNER, RAW_SEED_INDEX},
            .handle_count = 2,
            .value = "",
            .parameters = parameters,
        });
    ask_authorised(&(struct authorised){
        .code = TPM2_CC_DictionaryAttackParameters,
        .handles = {TPM2_RH_LOCKOUT},
        .handle_count = 1,
        .value = "",
        .parameters = parameters,
        .len = sizeof(parameters),
    });
}

void raw_close(void)
{
    Tss2_TctiLdr_Finalize(&clean);
}
