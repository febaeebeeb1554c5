/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the URI in a key file may name. A file may be anybody's, and who decodes
 * it root: it runs no program, and chooses no library.
 */
#ifndef DEVID_PKCS11_KEYURI_H
#define DEVID_PKCS11_KEYURI_H

#include "pkcs11.h"

/* ---- load.c ---------------------------------------------------------- */

/*
 * A key file names a module: the path of that library as who administers this
 * machine has named it, by the setting pkcs11-module, by a URI of his or in
 * p11-kit's configuration; OPENSSL_malloc. _INPUT where nobody has: what a file
 * says is not loaded. Cost: as p11_choose(), of p11-kit's modules.
 */
DEVID_CHECK enum devid_err p11_module_check_file(const char *setting,
                                                 const char *path, char **known,
                                                 struct devid_error *err);

/* ---- pin.c ----------------------------------------------------------- */

/* _INPUT where its PIN is to come from a program, or from what only looks like
 * a file. */
DEVID_CHECK enum devid_err p11_pin_check_file(const struct p11_uri *uri,
                                              struct devid_error *err);
/* What a key file may say of where the PIN is; NULL. Borrows from the URI. */
const char *p11_pin_reference(const struct p11_uri *uri);

#endif
