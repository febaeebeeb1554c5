/* SPDX-License-Identifier: Apache-2.0 */
/* The policies of the TCG's templates, which need no TPM. Pure. */
#ifndef DEVID_TPM2_TCG_POLICY_H
#define DEVID_TPM2_TCG_POLICY_H

#include "public.h"

enum tpm2_role {
    TPM2_ROLE_IDEVID,
    TPM2_ROLE_IAK,
    TPM2_ROLE_EK,
};

/*
 * A policy of the TCG's: its branches, in the order that PolicyOR takes them,
 * and what comes of them. A low-range EK has one branch and no PolicyOR.
 */
enum tpm2_branch {
    TPM2_BRANCH_SECRET, /* PolicySecret(TPM_RH_ENDORSEMENT) */
    TPM2_BRANCH_CERTIFY,
    TPM2_BRANCH_ACTIVATE,
};
struct tpm2_tcg_policy {
    TPMI_ALG_HASH hash;
    TPML_DIGEST branches;
    TPM2B_DIGEST digest; /* authPolicy */
};
/* `low`: of an EK in the low range. _ALG for a hash without such keys. */
DEVID_CHECK enum devid_err tpm2_tcg_policy(enum tpm2_role role, bool low,
                                           OSSL_LIB_CTX *libctx,
                                           struct tpm2_tcg_policy *policy,
                                           struct devid_error *err);

#endif
