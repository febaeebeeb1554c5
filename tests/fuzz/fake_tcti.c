/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the place of tpm2-tss's loader of TCTIs: a TPM that answers what the
 * fuzzer says. An answer is a byte, two of a length, and so many more:
 *
 *   0x80 on  the answer itself, header and all
 *   0x40 on  it refuses, with the next of a table of codes; no more follows
 *   less     what stands behind the header of a success
 */
#include "fake_tcti.h"

#include "answers.h"
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>
#include <tss2/tss2_tpm2_types.h>

enum {
    HEADER_LEN = 10
};

static struct {
    TSS2_TCTI_CONTEXT_COMMON_V1 v1;
    uint8_t tag[2]; /* of the command that waits for its answer */
    bool is_open;
} tcti;

static unsigned commands;

unsigned fake_tcti_commands(void)
{
    unsigned n = commands;

    must(!tcti.is_open);
    commands = 0;
    return n;
}

static void put_u32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *ctx, size_t size,
                        const uint8_t *command)
{
    (void)ctx;
    must(size >= HEADER_LEN);
    memcpy(tcti.tag, command, 2);
    commands++;
    return TSS2_RC_SUCCESS;
}

static TSS2_RC code_of(uint8_t byte)
{
    static const TSS2_RC codes[] = {
        TPM2_RC_RETRY,
        TPM2_RC_YIELDED,
        TPM2_RC_OBJECT_MEMORY,
        TPM2_RC_SESSION_MEMORY,
        TPM2_RC_SESSION_HANDLES,
        TPM2_RC_LOCKOUT,
        TPM2_RC_INITIALIZE,
        TPM2_RC_REFERENCE_H0,
        TPM2_RC_HANDLE + TPM2_RC_1,
        TPM2_RC_AUTH_FAIL + TPM2_RC_S + TPM2_RC_1,
        TPM2_RC_INTEGRITY + TPM2_RC_P + TPM2_RC_1,
        TPM2_RC_NV_DEFINED,
        TPM2_RC_NV_UNINITIALIZED,
        TPM2_RC_NV_SPACE,
        TPM2_RC_COMMAND_CODE,
        TPM2_RC_VALUE + TPM2_RC_P + TPM2_RC_2,
    };

    return codes[byte % (sizeof(codes) / sizeof(*codes))];
}

static size_t make_answer(uint8_t *out)
{
    uint8_t kind = answers_byte();
    uint8_t size[2];
    size_t len;

    if (kind >= 0x40 && kind < 0x80) {
        memcpy(out, (const uint8_t[]){0x80, 0x01}, 2);
        put_u32(out + 2, HEADER_LEN);
        put_u32(out + 6, code_of(kind));
        return HEADER_LEN;
    }
    answers_take(size, sizeof(size));
    len = (size_t)size[0] << 8 | size[1];
    if (kind >= 0x80) {
        len %= TPM2_MAX_RESPONSE_SIZE + 1;
        answers_take(out, len);
        return len;
    }
    len %= TPM2_MAX_RESPONSE_SIZE - HEADER_LEN + 1;
    memcpy(out, tcti.tag, 2);
    put_u32(out + 2, (uint32_t)(len + HEADER_LEN));
    put_u32(out + 6, TPM2_RC_SUCCESS);
    answers_take(out + HEADER_LEN, len);
    return len + HEADER_LEN;
}

/* ESYS asks for the size first. */
static TSS2_RC receive(TSS2_TCTI_CONTEXT *ctx, size_t *size, uint8_t *response,
                       int32_t timeout)
{
    static uint8_t answer[TPM2_MAX_RESPONSE_SIZE];
    size_t len;

    (void)ctx;
    (void)timeout;
    if (response == NULL) {
        *size = sizeof(answer);
        return TSS2_RC_SUCCESS;
    }
    if (answers_left() == 0)
        return TSS2_TCTI_RC_IO_ERROR; /* the TPM is gone */
    len = make_answer(answer);
    if (len > *size)
        return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
    memcpy(response, answer, len);
    *size = len;
    return TSS2_RC_SUCCESS;
}

static void finalize(TSS2_TCTI_CONTEXT *ctx)
{
    (void)ctx;
}

static TSS2_RC no_cancel(TSS2_TCTI_CONTEXT *ctx)
{
    (void)ctx;
    return TSS2_TCTI_RC_NOT_IMPLEMENTED;
}

static TSS2_RC set_locality(TSS2_TCTI_CONTEXT *ctx, uint8_t locality)
{
    (void)ctx;
    (void)locality;
    return TSS2_RC_SUCCESS;
}

TSS2_RC Tss2_TctiLdr_Initialize(const char *name, TSS2_TCTI_CONTEXT **context)
{
    (void)name;
    must(!tcti.is_open);
    tcti.is_open = true;
    tcti.v1 = (TSS2_TCTI_CONTEXT_COMMON_V1){
        .magic = 0x66757a7a,
        .version = 1,
        .transmit = transmit,
        .receive = receive,
        .finalize = finalize,
        .cancel = no_cancel,
        .setLocality = set_locality,
    };
    *context = (TSS2_TCTI_CONTEXT *)(void *)&tcti;
    return TSS2_RC_SUCCESS;
}

void Tss2_TctiLdr_Finalize(TSS2_TCTI_CONTEXT **context)
{
    must(tcti.is_open);
    tcti.is_open = false;
    *context = NULL;
}
