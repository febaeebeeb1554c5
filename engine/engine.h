/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's inside: settings, back ends and their state. */
#ifndef DEVID_ENGINE_H
#define DEVID_ENGINE_H

#include "backend.h"

struct devid *devid_up_ref(struct devid *engine);

/*
 * The back end for a URI's scheme (NULL: the first), with its state, opened
 * when it is first asked for. DEVID_ERR_INPUT where no back end has the
 * scheme: the sentence lists those there are.
 */
DEVID_CHECK enum devid_err devid_backend_for(struct devid *engine,
                                             const char *uri,
                                             const struct devid_backend **be,
                                             void **state,
                                             struct devid_error *err);

/*
 * The value of the environment variable that a setting env:NAME names, as it
 * was when the setting was made (nginx empties its environment); or NULL.
 */
const struct devid_secret *devid_captured(const struct devid *engine,
                                          const char *setting);

#endif
