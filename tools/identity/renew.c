/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "exits.h"
#include "message.h"
#include "renewal.h"
#include "report.h"

enum {
    ALL,
    IDENTITY,
    ROOT,
    FORCE,
    TIMEOUT
};

enum {
    PATIENCE_DEFAULT_S = 60,
    PATIENCE_MAX_S = 24 * 3600,
    RETRY_BELIEVED_S = 24 * 3600
};

static const struct option_row options[] = {
    [ALL] = {"all", NULL, "all identities, as without --identity", false,
             false},
    [IDENTITY] = {"identity", "NAME", "this one alone", false, false},
    [ROOT] = {"root", "DIRECTORY",
              "where identities are; the default is " IDENTITIES_ROOT, false,
              false},
    [FORCE] = {"force", NULL, "also what is not due", false, false},
    [TIMEOUT] = {"timeout", "SECONDS",
                 "how long one request to a CA is tried; the default is 60",
                 false, false},
    {0},
};

/* ---- shared -------------------------------------------------------------- */

enum exit_code renewal_patience(const struct args *args, const char *command,
                                int row, unsigned *patience_s)
{
    const char *text = args_text(args, row);
    char *end = NULL;
    long seconds = text != NULL ? strtol(text, &end, 10) : PATIENCE_DEFAULT_S;

    *patience_s = (unsigned)seconds;
    if (text == NULL || (*text != '\0' && *end == '\0' && seconds >= 1 &&
                         seconds <= PATIENCE_MAX_S))
        return EXIT_DONE;
    return wrong_use(command,
                     "--timeout is a number of seconds from 1 to %d, not '%s'",
                     (int)PATIENCE_MAX_S, text);
}

json_t *renewal_report(const struct identity *identity)
{
    json_t *report = report_new();
    X509 *cert = identity_certificate(identity);

    report_text(report, "identity", identity->name);
    if (cert != NULL) {
        report_number(report, "not_after", identity_validity(cert).not_after);
        report_number(report, "next_renewal", identity->state.next_renewal);
    }
    X509_free(cert);
    return report;
}

enum exit_code renewal_attempt(struct enrolment *e)
{
    struct identity_state *state = &e->identity->state;
    int64_t wait_s = state->retry_at - identity_now();
    struct timespec pause = {.tv_sec = (time_t)wait_s};

    /* A clock that was set back would have us wait for ever. */
    if (wait_s > RETRY_BELIEVED_S)
        wait_s = 0;
    if (wait_s > (int64_t)e->patience_s)
        return fail_with(EXIT_UNREACHABLE,
                         "the CA of '%s' wants to be asked again in %lld "
                         "seconds, not before",
                         e->identity->name, (long long)wait_s);
    if (wait_s > 0)
        (void)nanosleep(&pause, NULL); /* cut short, it is asked sooner */
    state->retry_at = 0;
    return enrolment_run(e);
}

/* ---- renew --------------------------------------------------------------- */

static bool is_due(const struct enrolment *e)
{
    const struct identity_state *state = &e->identity->state;
    struct identity_validity validity;
    char id[IDENTITY_ID_SIZE];

    if (e->old == NULL || state->pending_key != NULL ||
        state->pending_request != NULL)
        return true;
    validity = identity_validity(e->old);
    identity_device_id(e->identity, e->old, id);
    return identity_now() >= identity_due(&validity, id);
}

static enum exit_code renew(struct enrolment *e)
{
    enum exit_code code = identity_lock(e->identity);

    /* Who held the lock a moment ago may have written it. */
    if (code == EXIT_DONE)
        identity_state_read(e->identity);
    e->old = identity_certificate(e->identity);
    if (code == EXIT_DONE)
        code = enrolment_tidy(e);
    if (code != EXIT_DONE)
        return code;
    if (args_flag(e->args, FORCE) || is_due(e))
        return renewal_attempt(e);
    return e->identity->state.hook_pending ? enrolment_hook(e) : EXIT_DONE;
}

static enum exit_code renew_one(const struct args *args, const char *root,
                                const char *name)
{
    struct progress progress;
    struct identity identity;
    struct enrolment e = {
        .args = args, .identity = &identity, .progress = &progress};
    enum exit_code code =
        renewal_patience(args, "renew", TIMEOUT, &e.patience_s);

    if (code == EXIT_DONE)
        code = identity_load(root, name, &identity);
    if (code != EXIT_DONE)
        return code;
    progress_start(&progress, args_flag(args, ROW_JSON));
    code = renew(&e);
    code = progress_end(&progress, code, "", renewal_report(&identity));
    enrolment_clear(&e);
    identity_clear(&identity);
    return code;
}

/* One that fails does not keep the others from it. */
static enum exit_code renew_all(const struct args *args, const char *root)
{
    char **names = NULL;
    enum exit_code worst = identities_names(root, &names);

    for (char **name = names; name != NULL && *name != NULL; name++) {
        enum exit_code code = renew_one(args, root, *name);

        if (worst == EXIT_DONE)
            worst = code;
    }
    identities_free_names(names);
    return worst;
}

static enum exit_code run(const struct args *args)
{
    const char *root = args_text(args, ROOT);
    const char *name = args_text(args, IDENTITY);

    if (root == NULL)
        root = IDENTITIES_ROOT;
    if (name != NULL && args_flag(args, ALL))
        return wrong_use("renew", "--all and --identity exclude each other");
    return name != NULL ? renew_one(args, root, name) : renew_all(args, root);
}

const struct command renew_command = {
    .name = "renew",
    .operands = "",
    .help = "renew the identities that are due",
    .example = "  devid renew\n"
               "  devid renew --identity nginx --force\n",
    .options = options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_MODULE) | TAKES(ROW_AUTH_SOURCE) |
              TAKES(ROW_PARENT_AUTH_SOURCE) | TAKES(ROW_JSON),
    .exits = enrolment_exits,
    .run = run,
};
