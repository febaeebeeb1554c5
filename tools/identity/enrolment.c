/* SPDX-License-Identifier: Apache-2.0 */
#include "enrolment.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keep.h"
#include "message.h"
#include "rights.h"

static const struct enrolment_protocol *const protocols[] = {
    &cmp_protocol,
    &est_protocol,
    NULL,
};

/* The identity's protocol; prints the sentence where there is no such. */
static enum exit_code find_protocol(struct enrolment *e)
{
    const char *name = e->identity->conf.protocol;

    for (size_t i = 0; protocols[i] != NULL; i++) {
        if (strcmp(protocols[i]->name, name) == 0) {
            e->protocol = protocols[i];
            return EXIT_DONE;
        }
    }
    return fail("the identity '%s' has the protocol %s, which this devid does "
                "not speak",
                e->identity->name, name);
}

bool enrolment_by_itself(const struct enrolment *e)
{
    return e->old != NULL && !e->anew && !e->disowned &&
           identity_validity(e->old).not_after > identity_now();
}

/* ---- after a run that was killed ----------------------------------------- */

static int64_t due_of(const struct enrolment *e, const X509 *cert)
{
    struct identity_validity validity = identity_validity(cert);
    char id[IDENTITY_ID_SIZE];

    identity_device_id(e->identity, cert, id);
    return identity_due(&validity, id);
}

/* The new identity is at work. */
static void settle(struct enrolment *e, const X509 *cert)
{
    struct identity_state *state = &e->identity->state;

    identity_set(&state->pending_label, NULL);
    identity_set(&state->pending_key, NULL);
    identity_set(&state->pending_request, NULL);
    identity_set(&state->last_error, NULL);
    state->retry_at = 0;
    state->last_success = identity_now();
    state->next_renewal = due_of(e, cert);
}

/* Was it killed behind the switch? */
static bool was_switched(const struct enrolment *e)
{
    const char *pem = e->identity->state.pending_key;
    struct devid_key *key = NULL;
    bool same;

    if (pem == NULL || e->old == NULL ||
        devid_key_from_pem(e->engine, pem, strlen(pem), &key, NULL) != DEVID_OK)
        return false;
    same = certificate_has_key(e->old, devid_key_public(key));
    devid_key_free(&key);
    return same;
}

enum exit_code enrolment_tidy(struct enrolment *e)
{
    const struct identity_state *state = &e->identity->state;
    enum exit_code code = EXIT_DONE;

    if (state->pending_key != NULL)
        code = enrolment_engine(e);
    if (code == EXIT_DONE && was_switched(e)) {
        settle(e, e->old);
        code = identity_state_write(e->identity);
    }
    return code == EXIT_DONE ? enrolment_retire(e) : code;
}

/* ---- one attempt --------------------------------------------------------- */

/* The engine lets go of the device, for the provider. */
static void change_turns(struct enrolment *e)
{
    (void)e;
    devid_shutdown();
}

static enum exit_code obtain(struct enrolment *e)
{
    enum exit_code code = enrolment_key(e);

    if (code == EXIT_DONE) {
        change_turns(e);
        code = e->protocol->obtain(e);
    }
    if (code != EXIT_DONE || e->certificates.idevid != NULL)
        return code;
    note("the CA wants a key of the kind %s", e->wanted);
    code = enrolment_discard(e);
    if (code == EXIT_DONE)
        code = enrolment_key(e);
    if (code == EXIT_DONE) {
        change_turns(e);
        code = e->protocol->obtain(e);
    }
    if (code == EXIT_DONE && e->certificates.idevid == NULL)
        code = fail("the CA wants now one kind of key, now another");
    return code;
}

/*
 * What is to follow the switch is written down before it: the command, and the
 * key that is not needed any more. That one is deleted by the next run, when
 * those who use it have let go of it.
 */
static enum exit_code announce(struct enrolment *e)
{
    struct identity_state *state = &e->identity->state;
    char current[DEVID_URI_SIZE];
    enum exit_code code = enrolment_current_uri(e, current);

    if (code != EXIT_DONE)
        return code;
    if (*current != '\0' && !e->identity->conf.same_key)
        identity_set(&state->retired, current);
    identity_set(&state->pending_request, NULL);
    state->retry_at = 0;
    state->hook_pending = e->identity->conf.after != NULL;
    return identity_state_write(e->identity);
}

static enum exit_code take_place(struct enrolment *e)
{
    const struct keep_spec spec = {.folder = e->identity->folder};
    enum exit_code code;
    bool changed = false;

    progress_step(e->progress, "disk");
    code = announce(e);
    if (code == EXIT_DONE)
        code = keep_on_disk(e->key, &spec, &e->certificates, NULL, &changed);
    if (code != EXIT_DONE)
        return code;
    settle(e, e->certificates.idevid);
    code = identity_state_write(e->identity);
    if (code == EXIT_DONE)
        progress_done(e->progress, "%s is written", e->identity->folder);
    return code;
}

static enum exit_code attempt(struct enrolment *e)
{
    enum exit_code code = find_protocol(e);

    if (code == EXIT_DONE)
        code = obtain(e);
    if (code == EXIT_DONE)
        code = enrolment_check(e);
    if (code == EXIT_DONE)
        code = enrolment_prove(e);
    if (code == EXIT_DONE)
        code = take_place(e);
    return code;
}

enum exit_code enrolment_run(struct enrolment *e)
{
    struct identity_state *state = &e->identity->state;
    enum exit_code code;

    state->last_attempt = identity_now();
    code = attempt(e);
    if (code == EXIT_DONE)
        return state->hook_pending ? enrolment_hook(e) : EXIT_DONE;
    identity_set(&state->last_error, last_failure());
    /* What it says of that, if it fails, is less than what was said. */
    (void)identity_state_write(e->identity);
    return code;
}

/* ---- what is to follow --------------------------------------------------- */

static enum exit_code run_command(const struct identity *identity)
{
    const char *command = identity->conf.after;
    int status = 0;
    pid_t child;

    (void)fflush(NULL);
    child = fork();
    if (child == 0) {
        rights_restore();
        if (setenv("DEVID_IDENTITY", identity->name, 1) == 0 &&
            setenv("DEVID_FOLDER", identity->folder, 1) == 0 &&
            dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
            (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (child < 0)
        return fail("no process for '%s': %s", command, strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return EXIT_DONE;
    return fail("the identity '%s' is renewed, but the command after that, "
                "'%s', %s %d; the next devid renew runs it again",
                identity->name, command,
                WIFEXITED(status) ? "ended with" : "was ended by signal",
                WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

enum exit_code enrolment_hook(struct enrolment *e)
{
    struct identity_state *state = &e->identity->state;
    enum exit_code code = EXIT_DONE;

    devid_shutdown(); /* the command may want the device */
    if (e->identity->conf.after != NULL) {
        progress_step(e->progress, "after");
        code = run_command(e->identity);
    }
    if (code == EXIT_DONE && e->identity->conf.after != NULL)
        progress_done(e->progress, "%s", e->identity->conf.after);
    state->hook_pending = code != EXIT_DONE;
    identity_set(&state->last_error, code != EXIT_DONE ? last_failure() : NULL);
    if (identity_state_write(e->identity) != EXIT_DONE)
        return EXIT_FAILED;
    return code;
}

void enrolment_clear(struct enrolment *e)
{
    certificates_clear(&e->certificates);
    devid_key_free(&e->key);
    devid_free(&e->engine);
    OPENSSL_free(e->key_pem);
    OPENSSL_free(e->request);
    X509_free(e->old);
    *e = (struct enrolment){0};
}
