/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of an identity that only its TPM can take, in memory: what devid
 * request and devid activate do with files, and devid provision with a station.
 */
#ifndef DEVID_TOOLS_STEPS_H
#define DEVID_TOOLS_STEPS_H

#include "command.h"
#include "identity.h"

/* A device's request; zero it. */
struct step_request {
    struct devid_identity_request fields;
    uint8_t *der; /* the TCG-CSR-IDEVID; OPENSSL_malloc */
    size_t len;
};
void step_request_clear(struct step_request *request);

/*
 * Make the keys where they are not there, have the TPM certify them, and have
 * the IDevID sign it all. Where the EK has no certificate that is said.
 * Returns what devid_identity_request and devid_identity_sign return.
 */
DEVID_CHECK enum devid_err step_request(struct devid_identity *identity,
                                        const char *serial, const char *model,
                                        struct step_request *request,
                                        struct devid_error *err);

/*
 * A challenge as tpm2_makecredential writes it: the tools' mark and version 1,
 * TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET. Borrows. False: it is none.
 */
bool step_challenge_parse(const uint8_t *data, size_t len,
                          struct devid_activation *out);

/* Print the engine's sentence; EXIT_DEVICE where the device is at fault. */
enum exit_code step_fail(enum devid_err e, const struct devid_error *err);

#endif
