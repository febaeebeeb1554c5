/* SPDX-License-Identifier: Apache-2.0 */
/* The storage key above a key. Part of tpm2.h. */
#ifndef DEVID_TPM2_PARENT_H
#define DEVID_TPM2_PARENT_H

#include "../backend.h"

#include <tss2/tss2_esys.h>

struct tpm2_conn;

/* ---- parent.c: the key above a key ----------------------------------- */

/* A parent in use: an ESYS object, and whether it must be flushed. */
struct tpm2_parent {
    uint32_t id; /* persistent handle or TPM_RH_ value */
    ESYS_TR handle;
    bool transient;
    struct devid_secret *auth; /* borrowed: of a persistent parent */
};
/*
 * Persistent handle (one ReadPublic) or hierarchy (CreatePrimary of the
 * well-known ECC P-256 storage key). _NOT_FOUND for an empty handle.
 */
DEVID_CHECK enum devid_err tpm2_parent_open(struct tpm2_conn *conn,
                                            uint32_t parent,
                                            struct devid_secret *auth,
                                            struct tpm2_parent *out,
                                            struct devid_error *err);
/* The same; 0 stands for 0x81000001 where it exists, else owner, and becomes
   which it was. */
DEVID_CHECK enum devid_err tpm2_parent_open_default(struct tpm2_conn *conn,
                                                    uint32_t *parent,
                                                    struct devid_secret *auth,
                                                    struct tpm2_parent *out,
                                                    struct devid_error *err);
/* The storage primary of a hierarchy; `session` authorises it. */
DEVID_CHECK enum devid_err tpm2_primary_create(struct tpm2_conn *conn,
                                               ESYS_TR hierarchy,
                                               ESYS_TR session, ESYS_TR *handle,
                                               struct devid_error *err);
/* TPM2_Load under it. _WRONG_KEY for a blob of another TPM or parent. */
DEVID_CHECK enum devid_err
tpm2_parent_load(struct tpm2_conn *conn, const struct tpm2_parent *parent,
                 const TPM2B_PRIVATE *blob, const TPM2B_PUBLIC *pub,
                 ESYS_TR *handle, struct devid_error *err);
void tpm2_parent_close(struct tpm2_conn *conn, struct tpm2_parent *parent);
/* "0x81000001", owner, endorsement, platform, null. */
DEVID_CHECK enum devid_err tpm2_parent_parse(const char *text, uint32_t *parent,
                                             struct devid_error *err);
/* In words: "persistent handle 0x81000001", "the owner hierarchy". */
void tpm2_parent_words(uint32_t parent, char *text, size_t size);
/* The hierarchy's ESYS_TR for a TPM_RH_ value; ESYS_TR_NONE for others. */
ESYS_TR tpm2_hierarchy(uint32_t parent);

/* ---- parent_name.c: is it the key that it ought to be? ----------------- */

/*
 * Has the storage key of this ESYS object the Name that the setting
 * tpm2-parent-name gives? Computed from the public area, by which ESYS salts
 * a session. To be asked before the key is used for anything.
 *
 * where  "handle 0x81000001", "the owner hierarchy": who shows the key
 *
 * Returns DEVID_OK, also where there is no such setting; _WRONG_KEY, _SYSTEM.
 * Cost: no command.
 */
DEVID_CHECK enum devid_err tpm2_parent_check(struct tpm2_conn *conn,
                                             ESYS_TR object, const char *where,
                                             struct devid_error *err);

/* A Name in hex, as far as it fits. */
void tpm2_name_hex(const TPM2B_NAME *name, char *text, size_t size);

/* ---- srk.c ------------------------------------------------------------ */

/*
 * Put the owner's primary key at 0x81000001, where nothing is there; the
 * hierarchy has no authorisation value yet.
 */
DEVID_CHECK enum devid_err tpm2_srk_keep(struct tpm2_conn *conn,
                                         struct devid_error *err);

#endif
