/* SPDX-License-Identifier: Apache-2.0 */
/* A chip whose NV buffer is small. */
#include "small_nv.h"

#include <err.h>
#include <stdlib.h>

#include <tss2/tss2_tpm2_types.h>

#include "command_log.h"

enum {
    HANDLES_LEN = 8, /* who authorises it, the index */
    SIZE_LEN = 4,    /* of the authorisations, of an answer's parameters */
    CAPABILITY_AT = TPM_HEADER_LEN + 1, /* behind moreData */
    COUNT_AT = CAPABILITY_AT + 4,
    PROPERTIES_AT = COUNT_AT + 4,
    PROPERTY_LEN = 8
};

uint32_t small_nv_parse(const char *text)
{
    char *end = NULL;
    const unsigned long size = strtoul(text, &end, 10);

    if (*text < '1' || *text > '9' || *end || size > TPM2_MAX_NV_BUFFER_SIZE)
        errx(EXIT_FAILURE,
             "--nv-buffer takes a number of bytes from 1 to %d, not \"%s\"",
             (int)TPM2_MAX_NV_BUFFER_SIZE, text);
    return (uint32_t)size;
}

static void put_u32(uint8_t *bytes, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(number >> (24 - 8 * i));
}

uint32_t small_nv_refuses(uint32_t buffer_max, const uint8_t *command,
                          size_t len)
{
    const uint32_t code = get_u32(command + TPM_CODE_AT);
    size_t at = TPM_HEADER_LEN + HANDLES_LEN;
    uint32_t size;

    if ((code != TPM2_CC_NV_Write && code != TPM2_CC_NV_Read) ||
        at + SIZE_LEN > len)
        return 0;
    at += SIZE_LEN + get_u32(command + at);
    if (at + 2 > len)
        return 0;
    /* Of both it is the first parameter. */
    size = (uint32_t)command[at] << 8 | command[at + 1];
    if (size <= buffer_max)
        return 0;
    return (code == TPM2_CC_NV_Write ? TPM2_RC_SIZE : TPM2_RC_VALUE) |
           TPM2_RC_P | TPM2_RC_1;
}

void small_nv_answer(uint32_t buffer_max, const uint8_t *command,
                     uint8_t *response, size_t len)
{
    uint32_t count;

    if (get_u32(command + TPM_CODE_AT) != TPM2_CC_GetCapability ||
        get_u32(response + TPM_CODE_AT) != TPM2_RC_SUCCESS ||
        len < PROPERTIES_AT ||
        get_u32(response + CAPABILITY_AT) != TPM2_CAP_TPM_PROPERTIES)
        return;
    count = get_u32(response + COUNT_AT);
    for (size_t at = PROPERTIES_AT; count > 0 && at + PROPERTY_LEN <= len;
         at += PROPERTY_LEN, count--) {
        if (get_u32(response + at) == TPM2_PT_NV_BUFFER_MAX &&
            get_u32(response + at + 4) > buffer_max)
            put_u32(response + at + 4, buffer_max);
    }
}
