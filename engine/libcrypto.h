/* SPDX-License-Identifier: Apache-2.0 */
/* How the engine uses libcrypto. */
#ifndef DEVID_LIBCRYPTO_H
#define DEVID_LIBCRYPTO_H

#include <openssl/err.h>

/*
 * Every fetch carries this: the engine also runs inside the provider `devid`,
 * whose own methods must never answer for software.
 */
#define DEVID_PROPQ "provider!=devid"

/*
 * Calls to libcrypto stand between these two, so that a refusal of ours, which
 * has its own sentence, leaves nothing in the queue of the program around us.
 */
static inline void devid_quiet_begin(void)
{
    (void)ERR_set_mark();
}

static inline void devid_quiet_end(void)
{
    (void)ERR_pop_to_mark();
}

#endif
