/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TCTI before the one that was opened, which hands on whole answers alone.
 * tpm2-tss does not compare what came with what an answer's header says: it
 * would read on in what is left of the command, or of an answer before.
 */
#include "tpm2.h"

#define MAGIC 0x6465766964616e73ULL
#define HEADER_LEN 10u
#define SIZE_AT 2u /* TPM 2.0 Part 3, 5.3: behind the tag */

static TSS2_TCTI_CONTEXT *inner_of(TSS2_TCTI_CONTEXT *tcti)
{
    return ((struct tpm2_answers *)tcti)->conn->tcti_ctx;
}

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *tcti, size_t size,
                        const uint8_t *command)
{
    return Tss2_Tcti_Transmit(inner_of(tcti), size, command);
}

static size_t announced(const uint8_t *response)
{
    const uint8_t *size = response + SIZE_AT;

    return (size_t)size[0] << 24 | (size_t)size[1] << 16 |
           (size_t)size[2] << 8 | size[3];
}

static TSS2_RC receive(TSS2_TCTI_CONTEXT *tcti, size_t *size, uint8_t *response,
                       int32_t timeout)
{
    TSS2_RC rc = Tss2_Tcti_Receive(inner_of(tcti), size, response, timeout);

    if (rc != TSS2_RC_SUCCESS || response == NULL)
        return rc;
    return *size >= HEADER_LEN && *size == announced(response)
               ? rc
               : TSS2_TCTI_RC_MALFORMED_RESPONSE;
}

static TSS2_RC cancel(TSS2_TCTI_CONTEXT *tcti)
{
    return Tss2_Tcti_Cancel(inner_of(tcti));
}

static TSS2_RC get_poll_handles(TSS2_TCTI_CONTEXT *tcti,
                                TSS2_TCTI_POLL_HANDLE *handles, size_t *count)
{
    return Tss2_Tcti_GetPollHandles(inner_of(tcti), handles, count);
}

static TSS2_RC set_locality(TSS2_TCTI_CONTEXT *tcti, uint8_t locality)
{
    return Tss2_Tcti_SetLocality(inner_of(tcti), locality);
}

/* The inner one is its opener's to end. */
static void finalize(TSS2_TCTI_CONTEXT *tcti)
{
    (void)tcti;
}

TSS2_TCTI_CONTEXT *tpm2_answers_of(struct tpm2_conn *conn)
{
    conn->answers = (struct tpm2_answers){
        .common =
            {
                .magic = MAGIC,
                .version = 1,
                .transmit = transmit,
                .receive = receive,
                .finalize = finalize,
                .cancel = cancel,
                .getPollHandles = get_poll_handles,
                .setLocality = set_locality,
            },
        .conn = conn,
    };
    return (TSS2_TCTI_CONTEXT *)&conn->answers;
}
