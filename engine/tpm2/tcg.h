/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that the TCG has laid down for a device's identity: what is done
 * with them.
 *
 * Sources: TCG, TPM 2.0 Keys for Device Identity and Attestation 1.0, section
 * 7.3 (IDevID, IAK); TCG EK Credential Profile 2.5, annex B (EK).
 */
#ifndef DEVID_TPM2_TCG_H
#define DEVID_TPM2_TCG_H

#include "tcg_template.h"
#include "tpm2.h"

/* ---- tcg_policy.c (pure) --------------------------------------------- */

/*
 * The Qualified Name that a key has as a primary key of the endorsement
 * hierarchy (TPM 2.0 Part 1, 16.3).
 */
DEVID_CHECK enum devid_err tpm2_qualified_name(const TPM2B_PUBLIC *pub,
                                               OSSL_LIB_CTX *libctx,
                                               TPM2B_NAME *name,
                                               struct devid_error *err);

#endif
