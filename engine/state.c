/* SPDX-License-Identifier: Apache-2.0 */
/* How a device is: from its face to the back end. */
#include "state.h"
#include "engine.h"

#include <string.h>

#include <openssl/crypto.h>

enum devid_err devid_device_state(struct devid *engine, const char *device,
                                  struct devid_device_state *state,
                                  struct devid_error *err)
{
    const char *uri = device != NULL ? device : "tpm2:";
    const struct devid_backend *be = NULL;
    void *own = NULL;
    enum devid_err e;

    memset(state, 0, sizeof(*state));
    e = devid_backend_for(engine, uri, &be, &own, err);
    if (e != DEVID_OK)
        return e;
    if (be->device_state == NULL)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "a %s device does not say how it is", be->name);
    state->backend = be->name;
    return be->device_state(own, uri, state, err);
}

void devid_device_state_clear(struct devid_device_state *state)
{
    if (state == NULL)
        return;
    OPENSSL_free(state->properties);
    OPENSSL_free(state->keys);
    OPENSSL_free(state->nv_indices);
    memset(state, 0, sizeof(*state));
}
