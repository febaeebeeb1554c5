/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a provisioning, where the station knows the device by its new
 * identity. The device may admit one program at a time, and the provider is
 * another one: their connections to it take turns.
 */
#include "message.h"
#include "provision.h"

/* Do `work` over a connection of which the new identity is the client's. */
static enum exit_code under_identity(struct provision *p,
                                     enum exit_code (*work)(struct provision *))
{
    struct handshake handshake;
    enum exit_code code;

    provision_hang_up(p);
    devid_shutdown();
    code = handshake_open(p->args, p->keep.folder, &handshake);
    if (code == EXIT_DONE)
        code = http_open(&p->where.spec, &p->http);
    if (code == EXIT_DONE) {
        http_set_identity(p->http, &handshake.identity);
        code = work(p);
    }
    provision_hang_up(p);
    handshake_close(&handshake);
    return code;
}

/* Said again where it was locked before: that is a handshake too. */
static enum exit_code say_locked(struct provision *p)
{
    return line_advance(p->http, &p->unit, LINE_LOCKED);
}

static enum exit_code say_tested(struct provision *p)
{
    enum exit_code code;

    if (p->unit.state == LINE_LOCKED)
        return say_locked(p);
    if (p->resumed) /* the lock's seed is there: it was tested */
        return provision_lock_escrow(p);
    code = line_advance(p->http, &p->unit, LINE_INSTALLED);
    if (code == EXIT_DONE)
        code = line_advance(p->http, &p->unit, LINE_TESTED);
    return code == EXIT_DONE ? provision_lock_escrow(p) : code;
}

enum exit_code provision_end(struct provision *p)
{
    enum exit_code code = provision_lock_prepare(p);

    if (code != EXIT_DONE)
        return code;
    progress_step(&p->progress, "test");
    code = under_identity(p, say_tested);
    if (code == EXIT_DONE)
        progress_done(&p->progress,
                      "the station knows this device by its IDevID");
    if (code == EXIT_DONE)
        code = provision_label(p);
    if (code != EXIT_DONE || p->lock == NULL)
        return code;
    progress_step(&p->progress, "lock");
    code = provision_lock_apply(p);
    if (code == EXIT_DONE)
        code = under_identity(p, say_locked);
    if (code == EXIT_DONE)
        progress_done(&p->progress, "owner, endorsement, lockout");
    return code;
}
