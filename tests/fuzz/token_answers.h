/* SPDX-License-Identifier: Apache-2.0 */
/* What a token says, right or wrong, as the fuzzer has it. */
#ifndef DEVID_FUZZ_TOKEN_ANSWERS_H
#define DEVID_FUZZ_TOKEN_ANSWERS_H

#include "answers.h"

#include <p11-kit/pkcs11.h>

/* A byte of zero: CKR_OK. */
CK_RV verdict(void);
/* A count or length: what is right, or what the fuzzer has. */
CK_ULONG number(CK_ULONG right);
/* What a module may do with a buffer of the caller's: says a length, fills it.
 */
CK_RV fill(CK_BYTE *out, CK_ULONG *len, const void *right, CK_ULONG right_len);

#endif
