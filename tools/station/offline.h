/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without a network: a request comes in on a stick, the challenge and the
 * certificates go out on one. The same exchanges as the server's, by an
 * operator who needs no token.
 */
#ifndef DEVID_STATION_OFFLINE_H
#define DEVID_STATION_OFFLINE_H

#include "exchange.h"

/* A request's file, as the body of POST /v1/units. */
struct file {
    json_t *body; /* NULL: there is none */
};
/* Both print the sentence on failure. */
enum exit_code offline_open(const char *path, struct file *file);
void offline_close(struct file *file);
/* Without a TPM: PKCS#10. */
bool offline_is_asserted(const struct file *file);

/* From its first step to its end: a refusal is the program's. */
enum exit_code offline_drive(struct exchange *x);
/* POST /v1/units of a request; serial, model: where it does not say them, or
 * NULL. */
enum exit_code offline_units(struct exchange *x, const struct file *file,
                             const char *serial, const char *model);
enum exit_code offline_find(const struct context *context, const char *serial,
                            struct ledger_unit *unit);

/* A member of the answer, "" where it is not there; borrowed. */
const char *offline_text(const struct exchange *x, const char *name);
/* The bytes of one in base64; OPENSSL_free. */
uint8_t *offline_bytes(const struct exchange *x, const char *name, size_t *len);

#endif
