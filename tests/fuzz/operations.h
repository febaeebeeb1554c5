/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine does with any device, asked of one that answers as it likes.
 */
#ifndef DEVID_FUZZ_OPERATIONS_H
#define DEVID_FUZZ_OPERATIONS_H

#include "devid.h"

typedef enum devid_err operation(struct devid *engine, struct devid_error *err);

/* The target's own: URIs, of tpm2: where NULL. */
struct operations_of {
    const char *device;
    const char *cert_to_read;
    const char *cert_to_write;
    const char *key_to_delete;
};
extern const struct operations_of operations_of;

operation operation_list;
operation operation_cert_read;
operation operation_cert_write;
operation operation_whoami;
operation operation_state;
operation operation_random;
operation operation_delete;

/* One of the target's own or of these; what must hold of each does. */
void operation_run(operation *run, struct devid *engine,
                   struct devid_error *err);

#endif
