/* SPDX-License-Identifier: Apache-2.0 */
/* What load.c and module.c share: the modules of this process. */
#ifndef DEVID_PKCS11_MODULE_H
#define DEVID_PKCS11_MODULE_H

#include "pkcs11.h"

/* A module is started again so often at once, then once a second. */
#define P11_RESTARTS_MAX 4

void p11_load_lock(void);
void p11_load_unlock(void);
/* The list; modules are added under the lock and never taken away. */
struct p11_module *p11_loaded(void);

/* Install the handlers of forks, once. */
void p11_watch_forks(void);

#endif
