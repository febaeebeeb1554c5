/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "keys.h"
#include "message.h"
#include "ocsp_open.h"
#include "server.h"

enum {
    SLOW_WORKERS = 8,
    SPARE_FILES = 64, /* besides connections */
    END_S = 30,
    LOOK_S = 2,    /* at the server's certificate, the OCSP responder's, and
                      whether the audit log's head is signed */
    AGAIN_S = 3600 /* where the CA did not issue the latter */
};

static unsigned processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count > 0 ? (unsigned)count : 1;
}

/* As many files as there may be connections; else fewer connections. */
static void allow_files(struct config *config)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        return;
    if (limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < config->connections + SPARE_FILES)
        note("the limit on open files, %lu, is less than %u connections need",
             (unsigned long)limit.rlim_cur, config->connections);
}

static enum exit_code open_server(struct context *context,
                                  struct server *server)
{
    const struct config *config = &context->config;
    unsigned workers = config->workers;
    enum exit_code code;

    *server = (struct server){.context = context, .loop_count = config->loops};
    pthread_mutex_init(&server->addresses_lock, NULL);
    code = tls_open(server);
    if (code != EXIT_DONE)
        return code;
    if (server->loop_count == 0)
        server->loop_count = processors();
    if (workers == 0)
        workers =
            keys_in_hardware(context->ca_key) ? SLOW_WORKERS : processors();
    server->pool = pool_new(workers, config->queue);
    if (!server->pool)
        return fail("threads for the station's work cannot be started");
    code = ocsp_open(context);
    if (code == EXIT_DONE)
        code = crl_open(context, &server->crl);
    if (code == EXIT_DONE)
        code = fleet_open(context, &server->fleet);
    return code == EXIT_DONE ? server_listen(server) : code;
}

static void say_listening(const struct server *server)
{
    const struct config *config = &server->context->config;
    char now[TIME_TEXT_SIZE];

    time_text(now_ms(), now);
    log_line(json_pack("{s:s,s:s,s:s,s:i,s:i,s:s,s:i}", "time", now, "event",
                       "listening", "address", config->address, "port",
                       (int)config->port, "http_port", (int)config->http_port,
                       "station", config->name, "loops",
                       (int)server->loop_count));
}

static void refresh_ocsp(struct server *server)
{
    if (now_ms() >= server->ocsp_look_ms &&
        ocsp_refresh(server->context) != EXIT_DONE)
        server->ocsp_look_ms = now_ms() + AGAIN_S * INT64_C(1000);
}

/* Devices are served on without it: who has a TPM or a token looked after must
 * hear of it. */
static void look_at_seal(struct server *server)
{
    struct devid_error err;
    bool unsigned_now =
        ledger_signing(server->context->ledger, &err) != DEVID_OK;

    if (unsigned_now == server->unsigned_log)
        return;
    server->unsigned_log = unsigned_now;
    if (unsigned_now)
        note("%s; units are served on, and what is recorded of them is not "
             "signed until chain_key can be used again",
             err.text);
    else
        note("the head of the audit log is signed again");
}

static void wait_for_end(struct server *server, const sigset_t *signals)
{
    const struct timespec pause = {.tv_sec = LOOK_S};
    int signal_number;

    do {
        signal_number = sigtimedwait(signals, NULL, &pause);
        tls_refresh(server, signal_number == SIGHUP);
        refresh_ocsp(server);
        look_at_seal(server);
    } while (signal_number != SIGTERM && signal_number != SIGINT);
}

static enum exit_code serve(struct context *context, const sigset_t *signals)
{
    struct server server;
    enum exit_code code = open_server(context, &server);

    if (code == EXIT_DONE)
        code = server_start(&server);
    if (code == EXIT_DONE) {
        say_listening(&server);
        wait_for_end(&server, signals);
    }
    server_stop(&server, END_S);
    pool_free(server.pool);
    fleet_close(&server.fleet);
    crl_close(&server.crl);
    server_close(&server);
    pthread_mutex_destroy(&server.addresses_lock);
    return code;
}

static enum exit_code run(const struct args *args)
{
    struct context context;
    enum exit_code code;
    sigset_t signals;

    /* Before there are threads, which inherit it. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &signals, NULL) ||
        signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return fail("signals cannot be set up");
    code = context_open(args, &context);
    if (code != EXIT_DONE)
        return code;
    allow_files(&context.config);
    code = serve(&context, &signals);
    context_close(&context);
    return code;
}

static const struct option_row no_options[] = {{0}};

const struct command serve_command = {
    .name = "serve",
    .operands = "",
    .help = "answer devices, until it is told to end by SIGTERM",
    .example = "  devid-station serve --dir line\n",
    .options = no_options,
    .common = TAKES(ROW_DIR),
    .run = run,
};
