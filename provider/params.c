/* SPDX-License-Identifier: Apache-2.0 */
#include "params.h"

#include <openssl/params.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool prov_take_word(const OSSL_PARAM *p, const struct prov_word *words,
                    int *number)
{
    const char *text = NULL;
    char *end = NULL;
    long value;

    if (p->data_type != OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_get_int(p, number) == 1;
    if (OSSL_PARAM_get_utf8_string_ptr(p, &text) != 1 || text == NULL)
        return false;
    for (; words->name != NULL; words++) {
        if (strcmp(text, words->name) == 0) {
            *number = words->number;
            return true;
        }
    }
    value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < -9 || value > DEVID_MODULUS_MAX)
        return false;
    *number = (int)value;
    return true;
}

int prov_give_word(OSSL_PARAM *p, const struct prov_word *words, int number)
{
    char digits[16];

    if (p->data_type != OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_set_int(p, number);
    for (; words->name != NULL; words++) {
        if (words->number == number)
            return OSSL_PARAM_set_utf8_string(p, words->name);
    }
    (void)snprintf(digits, sizeof(digits), "%d", number);
    return OSSL_PARAM_set_utf8_string(p, digits);
}

const struct devid_hash *prov_take_hash(const struct prov_ctx *ctx,
                                        const OSSL_PARAM *p)
{
    const char *name = NULL;
    const struct devid_hash *hash;

    if (OSSL_PARAM_get_utf8_string_ptr(p, &name) != 1)
        return NULL; /* libcrypto already raised */
    hash = devid_hash_by_name(name);
    if (hash == NULL)
        prov_raise(ctx, DEVID_ERR_ALG, "devid knows no hash '%.60s'", name);
    return hash;
}

int prov_give_hash(OSSL_PARAM *p, const struct devid_hash *hash)
{
    return OSSL_PARAM_set_utf8_string(p, hash != NULL ? hash->name : "");
}

int prov_set_params(void *self, const struct prov_setter *setters,
                    const OSSL_PARAM params[])
{
    if (params == NULL)
        return 1;
    for (; setters->name != NULL; setters++) {
        const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, setters->name);

        if (p != NULL && !setters->set(self, p))
            return 0; /* the setter raised */
    }
    return 1;
}
