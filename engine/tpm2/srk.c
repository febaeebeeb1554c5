/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The storage key that stands for the owner's hierarchy once that has an
 * authorisation value which nobody here knows: at the handle that the TCG has
 * for it keys can still be made and loaded under it.
 * Source: TCG, TPM v2.0 Provisioning Guidance 1.0, 7.5.1.
 */
#include "tpm2.h"

enum devid_err tpm2_srk_keep(struct tpm2_conn *conn, struct devid_error *err)
{
    ESYS_TR there = ESYS_TR_NONE;
    ESYS_TR made = ESYS_TR_NONE;
    enum devid_err e =
        tpm2_read_handle(conn, TPM2_SRK_HANDLE, &there, NULL, err);

    /* Who was killed here has left the one that he made. */
    if (e == DEVID_OK || e == DEVID_ERR_NOT_FOUND)
        (void)tpm2_reap_lost(conn);
    if (e == DEVID_ERR_NOT_FOUND) {
        e = tpm2_primary_create(conn, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, &made,
                                err);
        if (e == DEVID_OK)
            e = tpm2_persist(conn, made, TPM2_SRK_HANDLE, NULL, &there, err);
        tpm2_flush(conn, made);
    }
    if (there != ESYS_TR_NONE)
        (void)Esys_TR_Close(conn->esys, &there);
    return e;
}
