/* SPDX-License-Identifier: Apache-2.0 */
#include "token_answers.h"

#include <string.h>

enum {
    LIE_MAX = 8192, /* of a length that is said */
};

CK_RV verdict(void)
{
    static const CK_RV refusals[] = {
        CKR_DEVICE_ERROR,
        CKR_DEVICE_REMOVED,
        CKR_SESSION_HANDLE_INVALID,
        CKR_SESSION_CLOSED,
        CKR_OBJECT_HANDLE_INVALID,
        CKR_KEY_HANDLE_INVALID,
        CKR_TOKEN_NOT_PRESENT,
        CKR_USER_NOT_LOGGED_IN,
        CKR_USER_ALREADY_LOGGED_IN,
        CKR_PIN_INCORRECT,
        CKR_PIN_LOCKED,
        CKR_MECHANISM_INVALID,
        CKR_ATTRIBUTE_TYPE_INVALID,
        CKR_ATTRIBUTE_SENSITIVE,
        CKR_BUFFER_TOO_SMALL,
        CKR_CRYPTOKI_NOT_INITIALIZED,
        CKR_CRYPTOKI_ALREADY_INITIALIZED,
        CKR_GENERAL_ERROR,
        CKR_SESSION_READ_ONLY,
        CKR_TEMPLATE_INCONSISTENT,
        CKR_FUNCTION_NOT_SUPPORTED,
        CKR_VENDOR_DEFINED + 7,
    };
    uint8_t byte = answers_byte();

    if (byte < 0x80)
        return CKR_OK;
    return refusals[byte % (sizeof(refusals) / sizeof(*refusals))];
}

CK_ULONG number(CK_ULONG right)
{
    uint8_t byte = answers_byte();
    uint8_t two[2];

    if (byte == 0)
        return right;
    if (byte == 0xff)
        return CK_UNAVAILABLE_INFORMATION;
    answers_take(two, sizeof(two));
    return ((CK_ULONG)two[0] << 8 | two[1]) % (LIE_MAX + 1);
}

CK_RV fill(CK_BYTE *out, CK_ULONG *len, const void *right, CK_ULONG right_len)
{
    CK_ULONG size = *len;
    CK_ULONG said = number(right_len);

    *len = said;
    if (out == NULL || said == CK_UNAVAILABLE_INFORMATION)
        return CKR_OK;
    if (said > size)
        return answers_byte() == 0 ? CKR_BUFFER_TOO_SMALL : CKR_OK;
    if (said == right_len)
        memcpy(out, right, said);
    else
        answers_take(out, said);
    return CKR_OK;
}
