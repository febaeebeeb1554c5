/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies as key files carry them: lists of TPM commands, whose arguments
 * only the TPM back end takes apart. Pure: no device.
 * Source: draft-bottomley-tpm2-keys, sections 4 and 5.
 */
#ifndef DEVID_POLICY_H
#define DEVID_POLICY_H

#include "devid.h"

struct devid_policy_command {
    uint32_t code; /* TPM_CC */
    uint8_t *arguments;
    size_t len; /* bytes */
};

struct devid_policy {
    char *name; /* of a signed policy, UTF-8; or NULL */
    struct devid_policy_command *commands;
    size_t count;
};

/* The signed ones, in the order in which they are tried. */
struct devid_policies {
    struct devid_policy *items;
    size_t count;
};

/* Add a command at the end; the arguments are copied. _SYSTEM. */
DEVID_CHECK enum devid_err
devid_policy_append(struct devid_policy *policy, uint32_t code,
                    const void *arguments, size_t len, struct devid_error *err);
/*
 * Commands as lines of hex: the code in eight digits, then the arguments.
 * _INPUT names the line. Source: openssl_tpm2_engine's policy files.
 */
DEVID_CHECK enum devid_err devid_policy_from_text(const char *text,
                                                  struct devid_policy *policy,
                                                  struct devid_error *err);
/* Put a policy before all others; taken over, also on failure. _SYSTEM. */
DEVID_CHECK enum devid_err devid_policies_prepend(struct devid_policies *list,
                                                  struct devid_policy *policy,
                                                  struct devid_error *err);

void devid_policy_clear(struct devid_policy *policy);
void devid_policies_clear(struct devid_policies *list);

#endif
