/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a device is, for a program that looks for what is wrong with it: what it
 * says of itself, raw, and what it holds. Nothing is changed in the device, and
 * no authorisation is used up.
 */
#ifndef DEVID_STATE_H
#define DEVID_STATE_H

#include "devid.h"

/* A property of a TPM: TPM_PT and its value. Source: TPM 2.0 Part 2, 6.13. */
struct devid_property {
    uint32_t id;
    uint32_t value;
};

/* A persistent key of a TPM. */
struct devid_state_key {
    uint32_t handle;
    const char *role; /* "SRK", "EK", ... as the TCG's registry has it; or "" */
    bool was_read;    /* false: all slots of the TPM are filled; the rest of
                         this is not known then */
    bool has_public;  /* false: a key of a kind that the engine does not know */
    struct devid_public public_key;
    bool no_da;           /* a wrong auth value does not count */
    bool has_auth_policy; /* used by a policy */
    char attributes[256]; /* in words */
    char name[160];       /* the TPM's Name of it, hex; or "" */
};

/* A TPM's time since it was made. Source: TPM 2.0 Part 2, 10.11. */
struct devid_state_clock {
    bool known;
    uint64_t clock_ms; /* that it was powered */
    uint32_t resets;
    uint32_t restarts;
    bool safe; /* no larger value was ever reported */
};

/* What a token says of itself. Source: PKCS#11 v2.40, CK_TOKEN_INFO. */
struct devid_token_state {
    char label[40];
    char manufacturer[40];
    char model[24];
    char serial[24];
    char firmware[16];
    uint32_t flags;   /* CKF_..., raw */
    bool initialised; /* has a label and PINs */
    bool write_protected;
    bool login_required;
    bool pin_initialised; /* the user's */
    bool pin_count_low;   /* a wrong one was given since the last right one */
    bool pin_final_try;   /* the next wrong one locks it */
    bool pin_locked;
    bool pin_to_be_changed;
    bool so_pin_locked;
    int64_t free_public; /* bytes; -1: it does not say */
    int64_t free_private;
};

struct devid_device_state {
    const char *backend; /* "TPM 2.0", "PKCS#11" */
    char device[256];    /* where: the TCTI string, or the token's name */
    bool is_token;
    bool managed; /* behind a resource manager */

    /* of a TPM */
    struct devid_property *properties; /* TPM_PT_FIXED and TPM_PT_VAR */
    size_t property_count;
    struct devid_state_key *keys;
    size_t key_count;
    uint32_t *nv_indices;
    size_t nv_count;
    struct devid_state_clock clock;

    struct devid_token_state token;
};

/*
 * Ask a device how it is.
 *
 * device  its URI, "tpm2:" (also NULL) or a token's
 * state   out: to be cleared by the caller, also after a failure
 *
 * Returns DEVID_OK; _INPUT (the URI), _NOT_FOUND (no such token), _NO_DEVICE,
 * _BUSY, _DEVICE.
 * Cost of a TPM: 5 commands (GetCapability of the fixed properties, of the
 * variable ones, of persistent handles, of NV indices; ReadClock), and a
 * ReadPublic for each persistent key. Of a token: C_GetTokenInfo and what
 * finding it takes; no login.
 * Source: TPM 2.0 Part 3, TPM2_GetCapability, TPM2_ReadClock.
 */
DEVID_CHECK enum devid_err devid_device_state(struct devid *engine,
                                              const char *device,
                                              struct devid_device_state *state,
                                              struct devid_error *err);
/* NULL-safe. */
void devid_device_state_clear(struct devid_device_state *state);

#endif
