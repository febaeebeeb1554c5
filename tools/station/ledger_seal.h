/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that signs heads, so that a slow key stops no commit. Of what it
 * is asked for while it signs, only the newest is signed next.
 */
#ifndef DEVID_STATION_LEDGER_SEAL_H
#define DEVID_STATION_LEDGER_SEAL_H

#include "ledger_chain.h"

struct sealer;

/* `ready` is called, in the sealer's thread, with each signature made. */
DEVID_CHECK enum devid_err sealer_new(EVP_PKEY *key, const char *station,
                                      void (*ready)(void *arg), void *arg,
                                      struct sealer **sealer,
                                      struct devid_error *err);
/* Ends the signature in work first. NULL-safe. */
void sealer_free(struct sealer **sealer);

/* Whether it is signing, or has something to sign. */
bool sealer_busy(struct sealer *sealer);
/* Ask for a signature; never waits. */
void sealer_ask(struct sealer *sealer, int64_t seq, const char *head);
/* Wait until there is nothing left to sign, at most so long. */
void sealer_wait(struct sealer *sealer, int64_t ms);
/* The newest signature, once. */
bool sealer_take(struct sealer *sealer, struct chain_seal *seal);
/* Whether there is one to be taken. */
bool sealer_has(struct sealer *sealer);
/* What was asked for is void: it was not committed. */
void sealer_void(struct sealer *sealer);
/* Why the last signature failed; DEVID_OK where it did not. */
enum devid_err sealer_error(struct sealer *sealer, struct devid_error *err);

#endif
