/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers of a TPM, past ESYS: it makes the keys of its sessions with
 * OpenSSL's generator, which may be waiting for these numbers, in the middle of
 * another operation. It has then not sent its command yet, so the link is free;
 * ESYS itself is not.
 */
#include "tpm2.h"

#include <string.h>

#include <openssl/crypto.h>

/* TPM 2.0 Part 3, TPM2_GetRandom: answers a digest at most. */
#define ANSWER_MAX 64
/* Part 1, 18: tag, size and code; then the count, or the size of the bytes. */
#define HEADER_LEN 10
#define COMMAND_LEN (HEADER_LEN + 2)

struct random_request {
    uint8_t *bytes;
    size_t len;
};

static TSS2_RC exchange(TSS2_TCTI_CONTEXT *link, uint8_t *answer, size_t *len,
                        uint8_t count)
{
    const uint8_t command[COMMAND_LEN] = {
        0x80, 0x01,  0,    0,    0, COMMAND_LEN, /* TPM_ST_NO_SESSIONS */
        0,    0,     0x01, 0x7b,                 /* TPM_CC_GetRandom */
        0,    count,
    };
    TSS2_RC rc = Tss2_Tcti_Transmit(link, sizeof(command), command);

    return rc != TSS2_RC_SUCCESS
               ? rc
               : Tss2_Tcti_Receive(link, len, answer, TSS2_TCTI_TIMEOUT_BLOCK);
}

/* Up to *len bytes; *len becomes what they are. */
static enum devid_err get_some(struct tpm2_conn *conn, uint8_t *bytes,
                               size_t *len, struct devid_error *err)
{
    uint8_t answer[COMMAND_LEN + ANSWER_MAX] = {0};
    size_t answer_len = sizeof(answer);
    size_t count = *len < ANSWER_MAX ? *len : ANSWER_MAX;
    TSS2_RC rc = exchange(conn->tcti_ctx, answer, &answer_len, (uint8_t)count);
    enum devid_err e = DEVID_OK;

    if (rc == TSS2_RC_SUCCESS && answer_len >= HEADER_LEN)
        rc = (TSS2_RC)answer[6] << 24 | (TSS2_RC)answer[7] << 16 |
             (TSS2_RC)answer[8] << 8 | answer[9];
    if (rc != TSS2_RC_SUCCESS)
        return tpm2_fail(err, rc, "give random numbers");
    *len = (size_t)answer[HEADER_LEN] << 8 | answer[HEADER_LEN + 1];
    if (*len == 0 || *len > count || answer_len != COMMAND_LEN + *len)
        e = devid_fail(err, DEVID_ERR_DEVICE, 0,
                       "the TPM answered %zu bytes with %zu random ones where "
                       "%zu were asked for",
                       answer_len, *len, count);
    else
        memcpy(bytes, answer + COMMAND_LEN, *len);
    OPENSSL_cleanse(answer, sizeof(answer));
    return e;
}

static enum devid_err random_op(struct tpm2_conn *conn, void *arg,
                                struct devid_error *err)
{
    const struct random_request *r = arg;
    enum devid_err e = DEVID_OK;
    size_t n = 0;

    if (conn->tcti_ctx == NULL)
        return devid_fail(err, DEVID_ERR_NO_DEVICE, 0,
                          "the TPM cannot give random numbers before it is "
                          "connected");
    for (size_t done = 0; e == DEVID_OK && done < r->len; done += n) {
        n = r->len - done;
        e = get_some(conn, r->bytes + done, &n, err);
    }
    return e;
}

enum devid_err tpm2_random(void *state, const char *device, uint8_t *bytes,
                           size_t len, struct devid_error *err)
{
    const struct tpm2_state *self = state;
    struct random_request request = {.bytes = bytes, .len = len};

    (void)device; /* the one that the TCTI names */
    return tpm2_run(self->conn, random_op, &request, err);
}
