/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting and stopping modules, at a fork and at the program's end too.
 *
 * C_Finalize is called from a handler of exit() that is registered once the
 * first C_Initialize has succeeded: modules use libcrypto and register their
 * own handlers while they start, so ours runs before those. From a provider's
 * teardown or a library's destructor it is too late: SoftHSM crashes there.
 */
#include "module.h"

#include "../wait.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define RESTART_WAIT_MS 20u
#define EXIT_WAIT_S 1

/*
 * The gate. Who calls into a module has entered it; a fork and a restart wait
 * until nobody is inside, and hold its mutex. No rwlock: glibc knows a writer
 * by its thread's id, so that a child could not unlock its parent's.
 */
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_change = PTHREAD_COND_INITIALIZER;
static unsigned gate_users;
static unsigned gate_waiting; /* for nobody to be inside: the next stay out */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local bool inside;
static uint64_t last_epoch; /* guarded by epoch_lock */
static pthread_mutex_t epoch_lock = PTHREAD_MUTEX_INITIALIZER;
static bool exit_handler; /* guarded by epoch_lock */

/* ---- the gate -------------------------------------------------------- */

void p11_gate_enter(void)
{
    pthread_mutex_lock(&gate_lock);
    while (gate_waiting > 0)
        (void)pthread_cond_wait(&gate_change, &gate_lock);
    gate_users++;
    pthread_mutex_unlock(&gate_lock);
    inside = true;
}

void p11_gate_leave(void)
{
    inside = false;
    devid_foreign_leave();
    pthread_mutex_lock(&gate_lock);
    if (--gate_users == 0)
        (void)pthread_cond_broadcast(&gate_change);
    pthread_mutex_unlock(&gate_lock);
}

/* Until nobody is inside, or (until: may be NULL) a time has come. */
static bool close_gate(const struct timespec *until)
{
    int late = 0;

    pthread_mutex_lock(&gate_lock);
    gate_waiting++;
    while (gate_users > 0 && late == 0) {
        if (until == NULL)
            (void)pthread_cond_wait(&gate_change, &gate_lock);
        else
            late = pthread_cond_timedwait(&gate_change, &gate_lock, until);
    }
    gate_waiting--;
    if (gate_users == 0)
        return true;
    (void)pthread_cond_broadcast(&gate_change);
    pthread_mutex_unlock(&gate_lock);
    return false;
}

static void open_gate(void)
{
    (void)pthread_cond_broadcast(&gate_change);
    pthread_mutex_unlock(&gate_lock);
}

/* ---- fork ------------------------------------------------------------ */

static void before_fork(void)
{
    p11_load_lock();
    if (inside) /* a module forks: it would wait for itself */
        pthread_mutex_lock(&gate_lock);
    else
        (void)close_gate(NULL);
}

static void after_fork_in_parent(void)
{
    open_gate();
    p11_load_unlock();
}

/* PKCS#11 v2.40, 2.6.3: a child calls C_Initialize itself. */
static void after_fork_in_child(void)
{
    for (struct p11_module *m = p11_loaded(); m != NULL; m = m->next) {
        m->inherited = m->inherited || m->initialised;
        m->initialised = false;
        m->epoch = 0;
    }
    /* Who else was inside, or waited, is not in the child. */
    gate_users = inside ? 1 : 0;
    gate_waiting = 0;
    (void)pthread_cond_init(&gate_change, NULL);
    pthread_mutex_unlock(&gate_lock);
    p11_load_unlock();
}

static void prepare(void)
{
    /* Fails only without memory; then a fork behaves as without us. */
    (void)pthread_atfork(before_fork, after_fork_in_parent,
                         after_fork_in_child);
}

void p11_watch_forks(void)
{
    (void)pthread_once(&once, prepare);
}

/* ---- the end --------------------------------------------------------- */

/* The gate is closed. */
static void stop(struct p11_module *m)
{
    if (!m->initialised || m->inherited)
        return;
    m->initialised = false;
    m->epoch = 0;
    devid_foreign_enter(p11_module_called(m), "C_Finalize");
    (void)m->f->C_Finalize(NULL); /* what it answers would change nothing */
    devid_foreign_leave();
}

void p11_modules_stop(void)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += EXIT_WAIT_S;
    /* A thread that signs while the program ends: better no end than a crash */
    if (!close_gate(&until))
        return;
    for (struct p11_module *m = p11_loaded(); m != NULL; m = m->next)
        stop(m);
    open_gate();
}

/* ---- the beginning --------------------------------------------------- */

/* A number that no module had before; registers the end, once. */
static uint64_t new_epoch(void)
{
    uint64_t epoch;

    pthread_mutex_lock(&epoch_lock);
    epoch = ++last_epoch;
    if (!exit_handler)
        exit_handler = atexit(p11_modules_stop) == 0;
    pthread_mutex_unlock(&epoch_lock);
    return epoch;
}

const char *p11_module_called(const struct p11_module *module)
{
    return module->path != NULL ? module->path : module->name;
}

enum devid_err p11_module_start(struct p11_module *module,
                                struct devid_error *err)
{
    enum devid_err e = DEVID_OK;
    CK_RV rv = CKR_OK;

    pthread_mutex_lock(&module->lock);
    if (!module->initialised) {
        /* tpm2-pkcs11 prints its TPM library's log, and that reads this once */
        (void)setenv("TSS2_LOG", "all+none", 0);
        devid_foreign_enter(p11_module_called(module), "C_Initialize");
        rv = module->f->C_Initialize(NULL);
        devid_foreign_enter(p11_module_called(module), NULL);
        /* As in a child, whose parent had it: just as good. */
        if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
            rv = CKR_OK;
        if (rv == CKR_OK) {
            module->initialised = true;
            module->epoch = new_epoch();
        } else {
            const char *name = p11_rv_name(rv);

            e = devid_fail(err, DEVID_ERR_NO_DEVICE, (uint32_t)rv,
                           "the PKCS#11 module %.200s does not start: "
                           "C_Initialize answered 0x%lx%s%s; look at its own "
                           "configuration",
                           p11_module_called(module), rv,
                           name != NULL ? ", " : "", name != NULL ? name : "");
        }
    }
    pthread_mutex_unlock(&module->lock);
    return e;
}

uint64_t p11_module_epoch(struct p11_module *module)
{
    uint64_t epoch;

    pthread_mutex_lock(&module->lock);
    epoch = module->epoch;
    pthread_mutex_unlock(&module->lock);
    return epoch;
}

bool p11_module_is_inherited(struct p11_module *module)
{
    bool inherited;

    pthread_mutex_lock(&module->lock);
    inherited = module->inherited;
    pthread_mutex_unlock(&module->lock);
    return inherited;
}

/* ---- once more ------------------------------------------------------- */

static bool take_restart(struct p11_module *m)
{
    uint64_t now = devid_now_ms();

    if (m->refill_ms != 0)
        m->restarts += (double)(now - m->refill_ms) / 1000.0;
    m->refill_ms = now;
    if (m->restarts > P11_RESTARTS_MAX)
        m->restarts = P11_RESTARTS_MAX;
    if (m->restarts < 1.0)
        return false;
    m->restarts -= 1.0;
    return true;
}

bool p11_module_restart(struct p11_module *module, uint64_t epoch,
                        unsigned count)
{
    bool again = true;

    (void)close_gate(NULL);
    if (module->epoch == epoch) {
        again = !module->inherited && take_restart(module);
        if (again)
            stop(module);
    }
    open_gate();
    if (again)
        devid_sleep_jittered(RESTART_WAIT_MS << count);
    return again;
}
