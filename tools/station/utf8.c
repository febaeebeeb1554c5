/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

size_t utf8_len(const unsigned char *at)
{
    static const struct form {
        unsigned char mask, lead, least;
        size_t len;
    } forms[] = {
        {0xe0, 0xc0, 0xc2, 2}, {0xf0, 0xe0, 0xe0, 3}, {0xf8, 0xf0, 0xf0, 4}};

    if (*at < 0x80)
        return *at >= ' ' && *at != 0x7f;
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        if ((*at & forms[i].mask) != forms[i].lead)
            continue;
        for (size_t j = 1; j < forms[i].len; j++) {
            if ((at[j] & 0xc0) != 0x80)
                return 0;
        }
        /* Too long a form, a surrogate, or beyond Unicode. */
        if (*at < forms[i].least || (*at == 0xe0 && at[1] < 0xa0) ||
            (*at == 0xed && at[1] >= 0xa0) || (*at == 0xf0 && at[1] < 0x90) ||
            *at > 0xf4 || (*at == 0xf4 && at[1] >= 0x90))
            return 0;
        return forms[i].len;
    }
    return 0;
}

bool utf8_is_clean(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at) {
        size_t len = utf8_len(at);
        if (len == 0)
            return false;
        at += len;
    }
    return true;
}
