/* SPDX-License-Identifier: Apache-2.0 */
#include "raw.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

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

void raw_close(void)
{
    Tss2_TctiLdr_Finalize(&clean);
}
