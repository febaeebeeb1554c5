/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values that a device is locked by. All of them come from one seed, so
 * that 33 bytes in NV bring them back after a power cut.
 */
#ifndef DEVID_LOCK_H
#define DEVID_LOCK_H

#include "identity.h"

#define DEVID_LOCK_COUNT 3     /* owner, endorsement, lockout; in this order */
#define DEVID_LOCK_SEED_LEN 33 /* which values are its own, 32 random bytes */

struct devid_secret;

struct devid_lock {
    unsigned set;  /* in the TPM, by whomever */
    unsigned ours; /* those that have a value here */
    struct devid_secret *values[DEVID_LOCK_COUNT]; /* own; NULL: not ours */
    bool parameters; /* the dictionary-attack parameters are as they shall be */
};

DEVID_CHECK enum devid_err devid_lock_new(struct devid_lock **lock,
                                          struct devid_error *err);

/* A new seed for these authorisations. Secret: the caller wipes it. */
DEVID_CHECK enum devid_err
devid_lock_seed_make(unsigned ours, uint8_t seed[DEVID_LOCK_SEED_LEN],
                     struct devid_error *err);

/*
 * Can it be the seed of a run before, as far as lock->set says: is each value
 * its own or set by another, and of its own the first ones alone?
 */
bool devid_lock_seed_fits(const struct devid_lock *lock,
                          const uint8_t seed[DEVID_LOCK_SEED_LEN]);

/*
 * Values from a seed: 32 characters of base64 each, so that they pass through
 * files and terminals. Returns DEVID_OK, DEVID_ERR_SYSTEM.
 */
DEVID_CHECK enum devid_err
devid_lock_seed_take(struct devid_lock *lock,
                     const uint8_t seed[DEVID_LOCK_SEED_LEN],
                     struct devid_error *err);

#endif
