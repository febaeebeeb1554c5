/* SPDX-License-Identifier: Apache-2.0 */
#include "tcti_fault.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>
#include <tss2/tss2_tpm2_types.h>

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
    bool answered;       /* what follows is the answer to it */
    TSS2_RC rc;
    uint8_t response[TPM2_MAX_RESPONSE_SIZE];
    size_t len;
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
    const uint32_t code = size >= HEADER_LEN ? read_u32(command + CODE_AT) : 0;

    c->now = TCTI_FAULT_NONE;
    c->answered = false;
    plan.commands += plan.only == 0 || plan.only == code;
    if ((plan.only == 0 || plan.only == code) && strikes()) {
        c->now = plan.kind;
        c->again = false;
        if (plan.struck++ == 0)
            plan.command = code;
    }
    if (c->now == TCTI_FAULT_TRANSMIT || c->now == TCTI_FAULT_CONNECT)
        return TSS2_TCTI_RC_IO_ERROR;
    if (c->now == TCTI_FAULT_CODE || c->now == TCTI_FAULT_ANSWER)
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

static void answer_code(struct context *c)
{
    memset(c->response, 0, HEADER_LEN);
    c->response[0] = 0x80; /* TPM_ST_NO_SESSIONS */
    c->response[1] = 0x01;
    put_u32(c->response + SIZE_AT, HEADER_LEN);
    put_u32(c->response + CODE_AT, plan.code);
    c->len = HEADER_LEN;
}

static void spoil_size(struct context *c)
{
    size_t body = c->len - HEADER_LEN;

    if (c->now == TCTI_FAULT_HEADER)
        c->len = HEADER_LEN / 2;
    if (c->now == TCTI_FAULT_SHORT)
        c->len -= 1 + body / 2;
    if (c->now == TCTI_FAULT_CUT)
        c->len -= body / 2;
    if (c->now == TCTI_FAULT_LONG) {
        fill_noise(c->response + c->len, sizeof(c->response) - c->len);
        c->len = sizeof(c->response);
    }
    if (c->now == TCTI_FAULT_CUT || c->now == TCTI_FAULT_LONG)
        put_u32(c->response + SIZE_AT, (uint32_t)c->len);
}

static void spoil_bytes(struct context *c)
{
    const struct timespec late = {.tv_sec = SLOW_S};
    uint8_t *body = c->response + HEADER_LEN;
    size_t len = c->len - HEADER_LEN;

    if (c->now == TCTI_FAULT_NOISE)
        fill_noise(c->response, c->len);
    if (c->now == TCTI_FAULT_BODY)
        fill_noise(body, len);
    if (c->now == TCTI_FAULT_ONES)
        memset(body, 0xff, len);
    if (c->now == TCTI_FAULT_FLIPPED)
        c->response[len > 0 ? HEADER_LEN + len / 2 : HEADER_LEN - 1] ^= 0x10;
    if (c->now == TCTI_FAULT_HANDLE && len >= 4)
        put_u32(body, plan.code);
    if (c->now == TCTI_FAULT_SLOW)
        (void)nanosleep(&late, NULL);
}

/* The answer to the command under way, once. */
static void make_answer(struct context *c)
{
    c->rc = TSS2_RC_SUCCESS;
    c->answered = true;
    if (c->now == TCTI_FAULT_CODE) {
        answer_code(c);
        return;
    }
    if (c->now == TCTI_FAULT_ANSWER) {
        memcpy(c->response, plan.answer, plan.answer_len);
        c->len = plan.answer_len;
        return;
    }
    c->len = sizeof(c->response);
    c->rc = Tss2_Tcti_Receive(c->inner, &c->len, c->response,
                              TSS2_TCTI_TIMEOUT_BLOCK);
    if (c->rc != TSS2_RC_SUCCESS || c->len < HEADER_LEN)
        return;
    if (c->now == TCTI_FAULT_RECEIVE)
        c->rc = TSS2_TCTI_RC_IO_ERROR;
    spoil_bytes(c);
    spoil_size(c);
}

/* With no buffer it is asked for the size alone. */
static TSS2_RC receive(TSS2_TCTI_CONTEXT *tcti, size_t *size, uint8_t *response,
                       int32_t timeout)
{
    struct context *c = of(tcti);

    (void)timeout;
    if (c->now == TCTI_FAULT_AGAIN && !c->again) {
        c->again = true;
        return TSS2_TCTI_RC_TRY_AGAIN;
    }
    if (!c->answered)
        make_answer(c);
    if (c->rc != TSS2_RC_SUCCESS)
        return c->rc;
    if (response == NULL || c->now == TCTI_FAULT_TOO_LONG) {
        *size =
            c->now == TCTI_FAULT_TOO_LONG ? 2 * sizeof(c->response) : c->len;
        return response == NULL ? TSS2_RC_SUCCESS
                                : TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
    }
    if (*size < c->len)
        return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
    memcpy(response, c->response, c->len);
    *size = c->len;
    return TSS2_RC_SUCCESS;
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
