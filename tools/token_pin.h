/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PINs of tokens: read, tried once, and what to say when one is refused.
 */
#ifndef DEVID_TOOLS_TOKEN_PIN_H
#define DEVID_TOOLS_TOKEN_PIN_H

#include "secret_input.h"
#include "tokens.h"

enum pin_owner {
    PIN_USER,
    PIN_SO /* the security officer */
};

/*
 * Read a PIN from where the option in `row` says, or ask for it on the
 * terminal where the option is not given. Prints the sentence on failure; the
 * caller wipes it either way.
 */
enum exit_code pin_read(const struct args *args, int row, const char *what,
                        bool is_new, struct secret *pin);

/* Refuse to try a PIN that is locked already, or that was never set. */
enum exit_code pin_check(const struct token *token, enum pin_owner owner);

/* Open a session that may write, and log in: one try. */
enum exit_code token_login(struct token *token, enum pin_owner owner,
                           const struct secret *pin);

/*
 * Say why libp11's last call failed, `doing` "set the user PIN"; where it was
 * the PIN of `owner` that was wrong, how many tries the token says are left.
 * Returns EXIT_FAILED.
 */
enum exit_code token_fail(struct token *token, enum pin_owner owner,
                          const char *doing);

#endif
