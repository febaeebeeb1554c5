/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters of an operation, as libcrypto hands them over: numbers or words,
 * by the caller; hashes by their names.
 */
#ifndef PROV_PARAMS_H
#define PROV_PARAMS_H

#include "prov.h"

/* A table is ended by a row whose name is NULL. */
struct prov_word {
    const char *name;
    int number;
};
/* A number, as such or in digits, or a word of the table; false: neither. */
bool prov_take_word(const OSSL_PARAM *p, const struct prov_word *words,
                    int *number);
/* The same back: as the caller's buffer wants it. */
int prov_give_word(OSSL_PARAM *p, const struct prov_word *words, int number);

/* The hash that a parameter names; NULL: raised. */
const struct devid_hash *prov_take_hash(const struct prov_ctx *ctx,
                                        const OSSL_PARAM *p);
/* Its name, "" for none. */
int prov_give_hash(OSSL_PARAM *p, const struct devid_hash *hash);

/* What an operation's parameter does. A table is ended by a NULL name. */
struct prov_setter {
    const char *name;
    bool (*set)(void *self, const OSSL_PARAM *p); /* false: raised */
};
/* Those of `params` that are in the table, in its order. 0: raised. */
int prov_set_params(void *self, const struct prov_setter *setters,
                    const OSSL_PARAM params[]);

#endif
