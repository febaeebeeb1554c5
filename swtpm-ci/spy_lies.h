/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token that lacks what SoftHSM has, or ignores what it is asked for. Its
 * lies are words with blanks between them:
 *
 *   CKA_PRIVATE=0            an attribute of one byte has this value, in new
 *                            private keys for which another is asked, too
 *   CKA_LOCAL=none           no object has the attribute
 *   CKM_RSA_PKCS_PSS=none    the token lacks the mechanism
 *   CKF_USER_PIN_LOCKED=1    the token's flag is set; 0: it is not
 */
#ifndef DEVID_SPY_LIES_H
#define DEVID_SPY_LIES_H

#include <p11-kit/pkcs11.h>

/*
 * The module with these lies told over it; the module itself where there are
 * none, NULL where one is not known: that is printed. Once a process.
 */
CK_FUNCTION_LIST *spy_lies(CK_FUNCTION_LIST *module, const char *lies);

#endif
