/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm-proxy: stands in front of a TPM and writes down every command.
 *
 * Clients speak to it as to a swtpm: TCTI "swtpm:host=127.0.0.1,port=PORT".
 * That TCTI opens a data connection for each command and, once at its start,
 * a connection to PORT+1, the control channel, to set the locality. Each
 * command goes on to the real TPM, which any TCTI string may name, one at a
 * time; hundreds of clients may be connected.
 *
 * All clients share one connection upstream. Behind it a resource manager
 * (tabrmd, /dev/tpmrm0) sees one client, so what one of them loads is visible
 * to the others, as it is on a bare TPM.
 *
 * Control commands are answered here and never reach the TPM: the locality is
 * always 0, and whoever wants to reset a swtpm speaks to the swtpm.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>
#include <tss2/tss2_tpm2_types.h>

#include "command_log.h"
#include "faults.h"
#include "ports.h"
#include "small_nv.h"

enum {
    EXIT_USAGE = 2,
    MAX_CLIENTS = 500
};

/* swtpm's control channel, swtpm_ioctls(3) */
enum {
    CONTROL_SET_LOCALITY = 5,
    CONTROL_SET_LOCALITY_LEN = 5, /* the code and one byte */
    CONTROL_CODE_LEN = 4,
    CONTROL_BAD_ORDINAL = 10
};

struct client {
    int fd;
    bool control;
    size_t len;
    uint8_t buffer[TPM2_MAX_COMMAND_SIZE];
};

struct proxy {
    const char *tcti;
    TSS2_TCTI_CONTEXT *upstream; /* NULL: to be opened at the next command */
    struct command_log log;
    struct faults faults;
    uint32_t nv_buffer_max;
    int listeners[LISTENERS];
    size_t count;
    struct client clients[MAX_CLIENTS];
};

enum option_name {
    OPTION_TCTI,
    OPTION_PORT,
    OPTION_PORT_FILE,
    OPTION_LOG,
    OPTION_RAW_LOG,
    OPTION_FAULTS,
    OPTION_NV_BUFFER,
    OPTION_HELP,
    OPTION_COUNT
};

static const char usage[] =
    "Usage: tpm-proxy --tcti TCTI [options]\n"
    "Forwards TPM commands to the TPM that TCTI names and logs each one.\n"
    "\n"
    "  --tcti TCTI       the TPM, as in swtpm:port=2321 or device:/dev/tpmrm0\n"
    "  --port N          listen on 127.0.0.1, N for data and N+1 for control\n"
    "                    (default: two free ports)\n"
    "  --port-file FILE  write the data port there once it is open\n"
    "  --log FILE        append the log there (default: standard output)\n"
    "  --raw-log FILE    append every command and response there, in hex\n"
    "  --faults FILE     make the faults that FILE asks for, see faults.h\n"
    "  --nv-buffer N     be a chip whose NV buffer takes but N bytes\n"
    "  --help            this text\n"
    "\n"
    "Example: tpm-proxy --tcti device:/dev/tpmrm0 --port 2321 &\n"
    "         tpm2_getrandom --tcti swtpm:port=2321 --hex 8\n";

static volatile sig_atomic_t stopping;

static void stop(int signal_number)
{
    (void)signal_number;
    stopping = 1;
}

static TSS2_RC upstream_exchange(struct proxy *proxy, const uint8_t *command,
                                 size_t command_len, uint8_t *response,
                                 size_t *response_len)
{
    TSS2_RC rc = TSS2_RC_SUCCESS;

    if (!proxy->upstream)
        rc = Tss2_TctiLdr_Initialize(proxy->tcti, &proxy->upstream);
    if (rc == TSS2_RC_SUCCESS)
        rc = Tss2_Tcti_Transmit(proxy->upstream, command_len, command);
    if (rc == TSS2_RC_SUCCESS)
        rc = Tss2_Tcti_Receive(proxy->upstream, response_len, response,
                               TSS2_TCTI_TIMEOUT_BLOCK);
    if (rc == TSS2_RC_SUCCESS && *response_len < TPM_HEADER_LEN)
        rc = TSS2_TCTI_RC_MALFORMED_RESPONSE;
    if (rc != TSS2_RC_SUCCESS)
        Tss2_TctiLdr_Finalize(&proxy->upstream);
    return rc;
}

static bool send_all(int fd, const uint8_t *bytes, size_t len)
{
    /* A response fits any socket's buffer: a client that lets more than one
     * pile up has given up, and must not hold up the others. */
    return send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

/* Returns whether the client's connection stays. */
static bool answer_command(struct proxy *proxy, struct client *client)
{
    uint8_t response[TPM2_MAX_RESPONSE_SIZE];
    size_t response_len = sizeof(response);
    struct fault_effect fault;
    TSS2_RC rc = TSS2_RC_SUCCESS;

    command_log_request(&proxy->log, client->buffer, client->len);
    fault = faults_strike(&proxy->faults, client->buffer, client->len);
    if (!fault.refusal)
        fault.refusal =
            small_nv_refuses(proxy->nv_buffer_max, client->buffer, client->len);
    if (fault.refusal)
        response_len = faults_refusal(fault.refusal, response);
    else
        rc = upstream_exchange(proxy, client->buffer, client->len, response,
                               &response_len);
    if (rc != TSS2_RC_SUCCESS || fault.lose) {
        command_log_lost(&proxy->log);
        return false;
    }
    small_nv_answer(proxy->nv_buffer_max, client->buffer, response,
                    response_len);
    if (fault.garble)
        faults_garble(get_u32(client->buffer + TPM_CODE_AT), response,
                      response_len);
    command_log_response(&proxy->log, response, response_len);
    client->len = 0;
    return send_all(client->fd, response, response_len);
}

/* Returns whether the client's connection stays. */
static bool answer_control(struct client *client)
{
    uint8_t result[4] = {0};

    if (client->len < CONTROL_CODE_LEN)
        return true;
    if (get_u32(client->buffer) != CONTROL_SET_LOCALITY) {
        result[3] = CONTROL_BAD_ORDINAL;
        send_all(client->fd, result, sizeof(result));
        return false;
    }
    if (client->len < CONTROL_SET_LOCALITY_LEN)
        return true;
    client->len = 0;
    return send_all(client->fd, result, sizeof(result));
}

/* How many bytes a client's message still lacks, as far as is known yet; 0
 * where its header makes no sense. */
static size_t bytes_missing(const struct client *client)
{
    uint32_t size;

    if (client->control)
        return CONTROL_SET_LOCALITY_LEN - client->len;
    if (client->len < TPM_HEADER_LEN)
        return TPM_HEADER_LEN - client->len;
    size = get_u32(client->buffer + TPM_SIZE_AT);
    if (size < client->len || size > sizeof(client->buffer))
        return 0;
    return size - client->len;
}

/* Reads what has come and answers when it is whole. Returns whether the
 * connection stays. */
static bool serve(struct proxy *proxy, struct client *client)
{
    ssize_t got;

    if (faults_cut(&proxy->faults))
        return false;
    got = read(client->fd, client->buffer + client->len, bytes_missing(client));
    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    if (got == 0)
        return false;
    client->len += (size_t)got;
    if (client->control)
        return answer_control(client);
    if (client->len < TPM_HEADER_LEN)
        return true;
    if (client->len == get_u32(client->buffer + TPM_SIZE_AT))
        return answer_command(proxy, client);
    return bytes_missing(client) > 0;
}

static void add_client(struct proxy *proxy, int listener)
{
    struct client *client = &proxy->clients[proxy->count];
    const int fd =
        accept4(proxy->listeners[listener], NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return; /* the client has gone again */
    client->fd = fd;
    client->control = listener == 1;
    client->len = 0;
    proxy->count++;
}

static void remove_client(struct proxy *proxy, size_t i)
{
    close(proxy->clients[i].fd);
    proxy->count--;
    if (i != proxy->count)
        proxy->clients[i] = proxy->clients[proxy->count];
}

static void run(struct proxy *proxy, const sigset_t *unblocked)
{
    struct pollfd polled[LISTENERS + MAX_CLIENTS];

    while (!stopping) {
        const size_t count = proxy->count;
        /* A full house lets newcomers wait in the kernel's queue. */
        const bool room = count + LISTENERS <= MAX_CLIENTS;

        for (int i = 0; i < LISTENERS; i++)
            polled[i] = (struct pollfd){.fd = room ? proxy->listeners[i] : -1,
                                        .events = POLLIN};
        for (size_t i = 0; i < count; i++)
            polled[LISTENERS + i] =
                (struct pollfd){.fd = proxy->clients[i].fd, .events = POLLIN};
        if (ppoll(polled, LISTENERS + count, NULL, unblocked) < 0) {
            if (errno != EINTR)
                err(EXIT_FAILURE, "poll");
            continue;
        }
        /* From the back: a removal moves only a client that was served. */
        for (size_t i = count; i-- > 0;) {
            if (polled[LISTENERS + i].revents &&
                !serve(proxy, &proxy->clients[i]))
                remove_client(proxy, i);
        }
        for (int i = 0; i < LISTENERS; i++) {
            if (polled[i].revents & POLLIN)
                add_client(proxy, i);
        }
    }
}

__attribute__((noreturn)) static void show_usage(FILE *stream, int status)
{
    (void)fputs(usage, stream);
    exit(status);
}

/* Fills options, by enum option_name; NULL: not given. */
static void parse_options(int argc, char **argv, const char **options)
{
    static const struct option known[] = {
        {"tcti", required_argument, NULL, OPTION_TCTI},
        {"port", required_argument, NULL, OPTION_PORT},
        {"port-file", required_argument, NULL, OPTION_PORT_FILE},
        {"log", required_argument, NULL, OPTION_LOG},
        {"raw-log", required_argument, NULL, OPTION_RAW_LOG},
        {"faults", required_argument, NULL, OPTION_FAULTS},
        {"nv-buffer", required_argument, NULL, OPTION_NV_BUFFER},
        {"help", no_argument, NULL, OPTION_HELP},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == OPTION_HELP)
            show_usage(stdout, EXIT_SUCCESS);
        if (option < 0 || option >= OPTION_COUNT)
            show_usage(stderr, EXIT_USAGE);
        options[option] = optarg;
    }
    if (!options[OPTION_TCTI] || optind < argc)
        show_usage(stderr, EXIT_USAGE);
}

/* SIGTERM arrives only inside ppoll, so that no command is cut in half. */
static sigset_t catch_sigterm(void)
{
    const struct sigaction action = {.sa_handler = stop};
    sigset_t blocked, before;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    sigdelset(&before, SIGTERM);
    sigaction(SIGTERM, &action, NULL);
    return before;
}

int main(int argc, char **argv)
{
    static struct proxy proxy;
    const char *options[OPTION_COUNT] = {NULL};
    const sigset_t unblocked = catch_sigterm();
    uint16_t port = 0;

    parse_options(argc, argv, options);
    if (options[OPTION_PORT])
        port = ports_parse(options[OPTION_PORT]);
    /* The sentence below says it; tpm2-tss would add five lines of its own. */
    setenv("TSS2_LOG", "all+none", 0);
    proxy.tcti = options[OPTION_TCTI];
    if (!command_log_open(&proxy.log, options[OPTION_LOG],
                          options[OPTION_RAW_LOG]))
        err(EXIT_FAILURE, "cannot open the log");
    if (Tss2_TctiLdr_Initialize(proxy.tcti, &proxy.upstream) != TSS2_RC_SUCCESS)
        errx(EXIT_FAILURE,
             "no TPM at \"%s\": check the TCTI string and that the TPM runs",
             proxy.tcti);
    proxy.faults.path = options[OPTION_FAULTS];
    proxy.nv_buffer_max = UINT32_MAX;
    if (options[OPTION_NV_BUFFER])
        proxy.nv_buffer_max = small_nv_parse(options[OPTION_NV_BUFFER]);
    port = ports_open(proxy.listeners, port);
    if (options[OPTION_PORT_FILE])
        ports_write(options[OPTION_PORT_FILE], port);
    run(&proxy, &unblocked);
    Tss2_TctiLdr_Finalize(&proxy.upstream);
    return EXIT_SUCCESS;
}
