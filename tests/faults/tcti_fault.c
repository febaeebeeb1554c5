/* SPDX-License-Identifier: Apache-2.0 */
#include "tcti_fault.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>

#define MAGIC 0x646576696466ULL
#define HEADER_LEN 10u
#define SIZE_AT 2u
#define CODE_AT 6u
#define SLOW_S 120 /* where time is the test's own: see clock.c */

struct context {
    TSS2_TCTI_CONTEXT_COMMON_V2 common;
    TSS2_TCTI_CONTEXT *inner;
    enum tcti_fault now; /* what becomes of the command under way */
    bool again;          /* TCTI_FAULT_AGAIN: was said */
};

static struct tcti_fault_plan plan;

fault_plan_fn tcti_fault_plan;
__attribute__((visibility("default"))) struct tcti_fault_plan *
tcti_fault_plan(void)
{
    return &plan;
}

static void put_u32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t read_u32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
           (uint32_t)from[2] << 8 | from[3];
}

static bool strikes(void)
{
    return plan.kind != TCTI_FAULT_NONE && plan.commands >= plan.at &&
           (plan.lasting || plan.commands == plan.at);
}

static struct context *of(TSS2_TCTI_CONTEXT *tcti)
{
    return (struct context *)tcti;
}

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *tcti, size_t size,
                        const uint8_t *command)
{
    struct context *c = of(tcti);

    plan.commands++;
    c->now = TCTI_FAULT_NONE;
    if (strikes()) {
        c->now = plan.kind;
        c->again = false;
        if (plan.struck++ == 0 && size >= HEADER_LEN)
            plan.command = read_u32(command + CODE_AT);
    }
    if (c->now == TCTI_FAULT_TRANSMIT || c->now == TCTI_FAULT_CONNECT)
        return TSS2_TCTI_RC_IO_ERROR;
    if (c->now == TCTI_FAULT_CODE)
        return TSS2_RC_SUCCESS;
    return Tss2_Tcti_Transmit(c->inner, size, command);
}

/* The same noise each time: a failure that is found can be looked at again. */
static void fill_noise(uint8_t *data, size_t len)
{
    uint32_t state = 0x2545f491u + plan.at;

    for (size_t i = 0; i < len; i++) {
        state = state * 1664525u + 1013904223u;
        data[i] = (uint8_t)(state >> 24);
    }
}

static TSS2_RC answer_code(size_t *size, uint8_t *response)
{
    memset(response, 0, HEADER_LEN);
    response[0] = 0x80; /* TPM_ST_NO_SESSIONS */
    response[1] = 0x01;
    put_u32(response + SIZE_AT, HEADER_LEN);
    put_u32(response + CODE_AT, plan.code);
    *size = HEADER_LEN;
    return TSS2_RC_SUCCESS;
}

static TSS2_RC spoil(enum tcti_fault kind, size_t room, size_t *size,
                     uint8_t *response)
{
    const struct timespec late = {.tv_sec = SLOW_S};
    size_t body = *size > HEADER_LEN ? *size - HEADER_LEN : 0;

    switch (kind) {
    case TCTI_FAULT_RECEIVE:
        return TSS2_TCTI_RC_IO_ERROR;
    case TCTI_FAULT_TOO_LONG:
        *size = room + 1;
        return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
    case TCTI_FAULT_HEADER:
        *size = HEADER_LEN / 2;
        break;
    case TCTI_FAULT_SHORT:
        *size -= 1 + body / 2;
        break;
    case TCTI_FAULT_CUT:
        *size -= body / 2;
        put_u32(response + SIZE_AT, (uint32_t)*size);
        break;
    case TCTI_FAULT_NOISE:
        fill_noise(response, *size);
        break;
    case TCTI_FAULT_BODY:
        fill_noise(response + HEADER_LEN, body);
        break;
    case TCTI_FAULT_ONES:
        memset(response + HEADER_LEN, 0xff, body);
        break;
    case TCTI_FAULT_FLIPPED:
        response[body > 0 ? HEADER_LEN + body / 2 : HEADER_LEN - 1] ^= 0x10;
        break;
    case TCTI_FAULT_LONG:
        fill_noise(response + *size, room - *size);
        *size = room;
        put_u32(response + SIZE_AT, (uint32_t)room);
        break;
    case TCTI_FAULT_SLOW:
        (void)nanosleep(&late, NULL);
        break;
    case TCTI_FAULT_NONE:
    case TCTI_FAULT_TRANSMIT:
    case TCTI_FAULT_CONNECT:
    case TCTI_FAULT_AGAIN:
    case TCTI_FAULT_CODE:
        break;
    }
    return TSS2_RC_SUCCESS;
}

static TSS2_RC receive(TSS2_TCTI_CONTEXT *tcti, size_t *size, uint8_t *response,
                       int32_t timeout)
{
    struct context *c = of(tcti);
    const size_t room = *size;
    enum tcti_fault kind = c->now;
    TSS2_RC rc;

    if (response == NULL) /* who asks how much room is needed */
        return Tss2_Tcti_Receive(c->inner, size, response, timeout);
    if (kind == TCTI_FAULT_CODE)
        return answer_code(size, response);
    if (kind == TCTI_FAULT_AGAIN && !c->again) {
        c->again = true;
        return TSS2_TCTI_RC_TRY_AGAIN;
    }
    rc = Tss2_Tcti_Receive(c->inner, size, response, timeout);
    return rc != TSS2_RC_SUCCESS || *size < HEADER_LEN
               ? rc
               : spoil(kind, room, size, response);
}

static void finalize(TSS2_TCTI_CONTEXT *tcti)
{
    Tss2_TctiLdr_Finalize(&of(tcti)->inner);
}

static TSS2_RC cancel(TSS2_TCTI_CONTEXT *tcti)
{
    return Tss2_Tcti_Cancel(of(tcti)->inner);
}

static TSS2_RC get_poll_handles(TSS2_TCTI_CONTEXT *tcti,
                                TSS2_TCTI_POLL_HANDLE *handles, size_t *count)
{
    return Tss2_Tcti_GetPollHandles(of(tcti)->inner, handles, count);
}

static TSS2_RC set_locality(TSS2_TCTI_CONTEXT *tcti, uint8_t locality)
{
    return Tss2_Tcti_SetLocality(of(tcti)->inner, locality);
}

static TSS2_RC init(TSS2_TCTI_CONTEXT *tcti, size_t *size, const char *conf)
{
    struct context *c = of(tcti);

    if (size == NULL)
        return TSS2_TCTI_RC_BAD_REFERENCE;
    if (tcti == NULL) {
        *size = sizeof(*c);
        return TSS2_RC_SUCCESS;
    }
    memset(c, 0, sizeof(*c));
    c->common.v1 = (TSS2_TCTI_CONTEXT_COMMON_V1){
        .magic = MAGIC,
        .version = 1,
        .transmit = transmit,
        .receive = receive,
        .finalize = finalize,
        .cancel = cancel,
        .getPollHandles = get_poll_handles,
        .setLocality = set_locality,
    };
    if (plan.kind == TCTI_FAULT_CONNECT && plan.struck > 0)
        return TSS2_TCTI_RC_IO_ERROR;
    return Tss2_TctiLdr_Initialize(conf, &c->inner);
}

static const TSS2_TCTI_INFO info = {
    .version = 1,
    .name = "tcti-fault",
    .description = "fails one command of another TCTI",
    .config_help = "the TCTI string of the other",
    .init = init,
};

const TSS2_TCTI_INFO *Tss2_Tcti_Info(void);
__attribute__((visibility("default"))) const TSS2_TCTI_INFO *
Tss2_Tcti_Info(void)
{
    return &info;
}
