/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret: an auth value or a PIN. It lives in a page of its own that is
 * locked into memory and kept out of core dumps, and is wiped with it.
 * (OpenSSL's secure heap is plain memory unless the program made one.)
 */
#ifndef DEVID_SECRET_H
#define DEVID_SECRET_H

#include "devid.h"

#define DEVID_SECRET_MAX 1024 /* bytes */

struct devid_secret;

/* Copy `len` bytes; the caller wipes its own. _INPUT (too long), _SYSTEM. */
DEVID_CHECK enum devid_err devid_secret_new(const void *data, size_t len,
                                            struct devid_secret **secret,
                                            struct devid_error *err);
/* NULL-safe; wipes this process's copy; sets NULL. */
void devid_secret_free(struct devid_secret **secret);

const uint8_t *devid_secret_data(const struct devid_secret *secret);
size_t devid_secret_len(const struct devid_secret *secret);

/*
 * Has a device refused this secret? The answer is shared by all processes
 * that were forked since the secret was made, so that a wrong value is tried
 * once and not once a worker.
 */
void devid_secret_refuse(struct devid_secret *secret);
bool devid_secret_is_refused(const struct devid_secret *secret);

/*
 * Where a device counts wrong values, workers that start together must not
 * each try: one takes the turn, the others wait for what it learns. A turn
 * ends with devid_secret_end() or devid_secret_refuse(); that of a process
 * that died ends by itself.
 */
enum devid_secret_turn {
    DEVID_SECRET_TRY,     /* nobody knows yet: try, and say how it went */
    DEVID_SECRET_GOOD,    /* was accepted before: try without more ado */
    DEVID_SECRET_REFUSED, /* do not try */
};
enum devid_secret_turn devid_secret_begin(struct devid_secret *secret);
/* `good`: the device took it; else it said nothing about it. */
void devid_secret_end(struct devid_secret *secret, bool good);

/*
 * The secret that a setting names as file:PATH or env:NAME (captured when the
 * setting was made); *secret is NULL where the setting is not given. A file's
 * last line feed does not count. _INPUT, _SYSTEM.
 */
DEVID_CHECK enum devid_err devid_secret_from_setting(const struct devid *engine,
                                                     const char *setting,
                                                     struct devid_secret **out,
                                                     struct devid_error *err);

#endif
