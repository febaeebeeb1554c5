/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A brake on who guesses secrets: an address has GUESSES_FREE wrong ones, and
 * gets one back each GUESS_S seconds. Its memory is bounded: where more
 * addresses are remembered than there is room for, the one goes that has the
 * least to wait for.
 */
#ifndef DEVID_STATION_GUESSES_H
#define DEVID_STATION_GUESSES_H

#include <stdint.h>

enum {
    GUESSES_FREE = 10,
    GUESS_S = 10,
    GUESSES_ADDRESSES = 512
};

struct guesses;

/* NULL: out of memory. */
struct guesses *guesses_new(void);
/* NULL-safe; sets NULL. */
void guesses_free(struct guesses **guesses);

/*
 * In how many seconds a secret from there is looked at; 0: now. From any
 * thread. NULL-safe: there is no brake.
 *
 * peer    an address as text; of IPv6 its first 64 bits count, since all the
 *         others are one client's; what is none counts as one address
 * now_ms  of a clock that nobody sets
 */
unsigned guesses_wait(struct guesses *guesses, const char *peer,
                      int64_t now_ms);
/* One from there was wrong. Likewise. */
void guesses_wrong(struct guesses *guesses, const char *peer, int64_t now_ms);

#endif
