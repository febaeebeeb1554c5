/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `devid provision` share. */
#ifndef DEVID_TOOLS_PROVISION_H
#define DEVID_TOOLS_PROVISION_H

#include "args.h"
#include "certificates.h"
#include "handshake.h"
#include "http.h"
#include "identity.h"
#include "keep.h"
#include "line.h"
#include "progress.h"
#include "steps.h"
#include "where.h"

enum provision_row {
    PROVISION_STATION,
    PROVISION_SERIAL,
    PROVISION_MODEL,
    PROVISION_TOKEN,
    PROVISION_CA,
    PROVISION_FINGERPRINT,
    PROVISION_MAC,
    PROVISION_OPERATOR,
    PROVISION_ALGORITHM,
    PROVISION_EK,
    PROVISION_DIR,
    PROVISION_NV,
    PROVISION_LABEL,
    PROVISION_LOCK,
    PROVISION_NEW_OWNER,
    PROVISION_TIMEOUT,
    PROVISION_END
};

struct provision {
    const struct args *args;
    struct progress progress;
    struct keep_spec keep;
    struct where where; /* the station, for one connection after another */
    struct http *http;
    char refusal[HTTP_CODE_SIZE]; /* of a connection that is closed */
    struct line_station station;
    struct devid *engine;
    struct devid_identity *identity; /* of a TPM */
    struct devid_lock *lock;         /* NULL: nothing is to be locked */
    bool resumed; /* a locked unit: it does not prove again who it is */
    struct line_unit unit;
    struct certificates certificates;
    struct devid_public idevid; /* whose they are */
    struct devid_public iak;    /* of a TPM */
    char id[2 * 32 + 1];        /* as devid_whoami has it, of the EK; without
                                   a TPM: of the IDevID */
};

/* ---- provision_tpm.c: the steps of a TPM ----------------------------------
 */

/* Keys, request, challenge, certificates, NV and disk. */
enum exit_code provision_tpm(struct provision *p);

/* ---- provision_token.c: without a TPM
 * ---------------------------------------- */

enum exit_code provision_token(struct provision *p);

/* ---- provision_lock.c -------------------------------------------------------
 */

/* Before it begins: could the station keep what the unit is locked by? */
enum exit_code provision_lock_possible(const struct provision *p);
/* What there is to set; values for it. */
enum exit_code provision_lock_prepare(struct provision *p);
/* Over a connection under the unit's identity. */
enum exit_code provision_lock_escrow(struct provision *p);
/* Last of all. */
enum exit_code provision_lock_apply(struct provision *p);
/*
 * The endorsement hierarchy is locked already: carry on with what the folder
 * says of the unit. False: it is not this one.
 */
bool provision_lock_resume(struct provision *p);

/* ---- provision_end.c: under the new identity
 * --------------------------------- */

/* The self-test; what is to be locked. */
enum exit_code provision_end(struct provision *p);

/* ---- provision.c -----------------------------------------------------------
 */

/* The certificates are there: check them. */
enum exit_code provision_check(struct provision *p, bool has_iak);
/* The device's id is the SHA-256 of this key's SubjectPublicKeyInfo. */
void provision_set_id(struct provision *p, const struct devid_public *pub);
/* Write the folder. */
enum exit_code provision_folder(struct provision *p,
                                const struct devid_key *key);
/* Write the labels that were asked for. */
enum exit_code provision_label(struct provision *p);
/* Close the connection; what the last refusal was is told at the end. */
void provision_hang_up(struct provision *p);

#endif
