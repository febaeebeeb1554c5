/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devid provision --lock: values for the TPM's authorisations go to the
 * station, wrapped for whom it has named, and are set when they are there.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "message.h"
#include "provision.h"
#include "report.h"

enum exit_code provision_lock_possible(const struct provision *p)
{
    if (!args_flag(p->args, PROVISION_LOCK) || p->station.escrow != NULL)
        return EXIT_DONE;
    return fail_with(EXIT_REFUSED,
                     "the station %s keeps no authorisations, so nobody could "
                     "ever undo --lock: it needs an escrow certificate",
                     p->station.name);
}

/* Its TPM was cleared since: what the station has of it is over. */
static void not_locked(struct provision *p)
{
    if (p->unit.state == LINE_LOCKED)
        p->unit.state = LINE_TESTED;
}

/* Nothing is to be locked: does the unit say with right that it is? */
static enum exit_code look(struct provision *p)
{
    struct devid_error err;
    unsigned set = 0;
    enum devid_err e;

    if (p->unit.state != LINE_LOCKED || p->identity == NULL)
        return EXIT_DONE;
    e = devid_lock_look(p->identity, &set, &err);
    if (e != DEVID_OK)
        return step_fail(e, &err);
    if (set != DEVID_LOCK_ALL)
        not_locked(p);
    return EXIT_DONE;
}

enum exit_code provision_lock_prepare(struct provision *p)
{
    const bool wanted = args_flag(p->args, PROVISION_LOCK);
    struct devid_error err;
    enum devid_err e;

    if (!wanted && !p->resumed)
        return look(p);
    e = devid_lock_begin(p->identity, &p->lock, &err);
    if (e != DEVID_OK)
        return step_fail(e, &err);
    if (p->resumed && devid_lock_values(p->lock) == 0)
        p->unit.state = LINE_LOCKED;
    if (devid_lock_values(p->lock) == 0)
        devid_lock_free(&p->lock); /* all is set */
    else if (!wanted)
        return fail("this unit was interrupted while it was locked: --lock "
                    "finishes that");
    else
        not_locked(p);
    return EXIT_DONE;
}

enum exit_code provision_lock_escrow(struct provision *p)
{
    struct devid_error err;
    enum exit_code code;
    uint8_t *cms = NULL;
    size_t len = 0;

    if (p->lock == NULL)
        return EXIT_DONE;
    if (devid_lock_wrap(p->lock, p->station.escrow,
                        args_text(p->args, PROVISION_SERIAL), &cms, &len, &err))
        return fail_engine(&err);
    code = line_escrow(p->http, &p->unit, cms, len);
    OPENSSL_free(cms);
    return code;
}

enum exit_code provision_lock_apply(struct provision *p)
{
    struct devid_error err;
    enum devid_err e = devid_lock_apply(p->identity, p->lock, &err);

    return e == DEVID_OK ? EXIT_DONE : step_fail(e, &err);
}

bool provision_lock_resume(struct provision *p)
{
    json_t *unit;
    const char *id;

    if (args_flag(p->args, ROW_ENDORSEMENT_AUTH_SOURCE))
        return false;
    unit = keep_read_unit(p->keep.folder);
    id = report_get(unit, "unit");
    p->resumed = *id != '\0' && strlen(id) < sizeof(p->unit.id) &&
                 strcmp(report_get(unit, "serial"),
                        args_text(p->args, PROVISION_SERIAL)) == 0;
    if (p->resumed) {
        (void)snprintf(p->unit.id, sizeof(p->unit.id), "%s", id);
        (void)snprintf(p->id, sizeof(p->id), "%s", report_get(unit, "id"));
        p->unit.state = LINE_TESTED;
        p->unit.attested = json_is_true(json_object_get(unit, "attested"));
    }
    json_decref(unit);
    return p->resumed;
}
