/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of PKCS#11 modules, through libp11: found, described, logged in
 * to. libp11 takes PINs as C strings.
 */
#ifndef DEVID_TOOLS_TOKENS_H
#define DEVID_TOOLS_TOKENS_H

#include <libp11.h>
#include <p11-kit/uri.h>

#include "args.h"
#include "modules.h"
#include "report.h"

struct token_module {
    const char *path; /* borrowed from struct tokens */
    PKCS11_CTX *ctx;
    PKCS11_SLOT *slots;
    unsigned slots_count;
};

/* All modules that were asked for, initialised. */
struct tokens {
    struct modules files;
    struct token_module *modules;
    size_t count;
    P11KitUri *uri; /* of --device; NULL: not given */
};

/* One token in its slot. */
struct token {
    struct token_module *module;
    unsigned long slot_id;
    PKCS11_SLOT *slot;
    PKCS11_TOKEN *info;
    char name[64]; /* in sentences: "the token factory" */
};

/*
 * Load the modules that --device, --module or DEVID_PKCS11_MODULE names, else
 * those that p11-kit knows, of which one that does not start is passed over
 * with a note. Prints the sentence on failure; the caller closes either way.
 */
enum exit_code tokens_open(const struct args *args, struct tokens *tokens);
void tokens_close(struct tokens *tokens);

/* Called for each token; anything but EXIT_DONE ends the walk. */
typedef enum exit_code token_fn(const struct token *token, void *arg);
enum exit_code tokens_each(struct tokens *tokens, token_fn *fn, void *arg);

/*
 * The one token that --device names, or without it the only one there is:
 * `blank` where one that is not initialised is looked for, which is then left
 * out otherwise. Prints the sentence on failure, with the tokens that match
 * where they are several.
 */
enum exit_code tokens_find(struct tokens *tokens, bool blank,
                           struct token *token);

/* Ask the token anew; what was logged in to it is logged out. */
enum exit_code token_refresh(struct token *token);

/* Members of devid-token(1). */
void token_describe(json_t *report, const struct token *token);

/* An action of token.c with a file of its own. */
extern const struct command token_list_action;

/* What libp11's last call was answered with: a CK_RV; 0 where it says none. */
unsigned long token_rv(void);

/* "CKR_PIN_INCORRECT" and the like in words. */
const char *token_rv_words(unsigned long rv);

#endif
