/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load for a TLS server on loopback: full TLS 1.3 handshakes, many at a
 * time in one thread, each on a connection of its own and with one request
 * after it, whose answer proves that the server came through as well.
 */
#include "connection.h"
#include "measure.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    EXIT_USAGE = 2,
    CONNECTIONS_MAX = 256,
    STALL_S = 10
};

struct options {
    uint16_t port;
    const char *cert;
    size_t connections;
    double seconds;
    double rate; /* 0: as fast as it goes */
    struct cpu_watch watch;
};

struct load {
    struct options *options;
    struct target target;
    struct connection connections[CONNECTIONS_MAX];
    uint64_t next_start_ns; /* with a rate: when the next one is due */
    uint64_t last_done_ns;
    size_t done;
    size_t failed;
    char why[160]; /* the first that failed */
};

static volatile sig_atomic_t stopping;

static const char usage[] =
    "Usage: handshakes --port PORT --cert FILE [options]\n"
    "Makes full TLS 1.3 handshakes with 127.0.0.1 and prints how many a "
    "second.\n"
    "\n"
    "  --port PORT        where the server listens\n"
    "  --cert FILE        the certificate that it must show\n"
    "  --seconds N        how long (default: 5); SIGTERM ends it earlier\n"
    "  --connections N    how many at a time (default: 16)\n"
    "  --rate N           no more than so many a second\n"
    "  --watch NAME=PIDS  also print the CPU time a handshake of these\n"
    "                     processes, separated by commas; may be repeated\n"
    "  --help             this text\n";

static void stop(int signal_number)
{
    (void)signal_number;
    stopping = 1;
}

/* May one more begin now? */
static bool is_due(struct load *load, uint64_t now)
{
    const double rate = load->options->rate;

    if (rate <= 0)
        return true;
    if (now < load->next_start_ns)
        return false;
    /* What a server was too slow for is not made up in a burst. */
    if (now - load->next_start_ns > MEASURE_NS_PER_S / 10)
        load->next_start_ns = now;
    load->next_start_ns += (uint64_t)(MEASURE_NS_PER_S / rate);
    return true;
}

/* Counts; returns whether the connection has come to rest. */
static bool settle(struct load *load, enum progress progress, const char *why)
{
    if (progress == PROGRESS_WAIT)
        return false;
    if (progress == PROGRESS_DONE) {
        load->done++;
        load->last_done_ns = measure_now_ns();
    } else if (load->failed++ == 0) {
        (void)snprintf(load->why, sizeof(load->why), "%s", why);
    }
    return true;
}

static int poll_timeout_ms(const struct load *load)
{
    const uint64_t now = measure_now_ns();

    if (load->options->rate <= 0 ||
        load->next_start_ns > now + MEASURE_NS_PER_S)
        return 100;
    return load->next_start_ns > now
               ? (int)((load->next_start_ns - now) / 1000000u)
               : 0;
}

/* One round over all connections: start what is due, go on with the rest. */
static void turn(struct load *load)
{
    struct pollfd polled[CONNECTIONS_MAX];
    const size_t count = load->options->connections;
    char why[sizeof(load->why)] = "";

    for (size_t i = 0; i < count; i++) {
        struct connection *c = &load->connections[i];

        if (c->ssl == NULL && is_due(load, measure_now_ns()))
            (void)settle(load,
                         connection_start(c, &load->target, why, sizeof(why)),
                         why);
        polled[i] = (struct pollfd){.fd = c->ssl != NULL ? c->fd : -1,
                                    .events = c->events};
    }
    if (poll(polled, count, poll_timeout_ms(load)) < 0 && errno != EINTR)
        err(EXIT_FAILURE, "poll");
    for (size_t i = 0; i < count; i++) {
        if (polled[i].revents == 0)
            continue;
        (void)settle(load,
                     connection_continue(&load->connections[i], &load->target,
                                         why, sizeof(why)),
                     why);
    }
    if (measure_now_ns() - load->last_done_ns >
        STALL_S * (uint64_t)MEASURE_NS_PER_S)
        errx(EXIT_FAILURE, "no handshake in %d seconds: %s", STALL_S,
             load->failed > 0 ? load->why : "the server does not answer");
}

static void run_for(struct load *load, double seconds)
{
    const uint64_t end =
        measure_now_ns() + (uint64_t)(seconds * (double)MEASURE_NS_PER_S);

    while (measure_now_ns() < end && !stopping)
        turn(load);
}

static void run(struct load *load)
{
    struct options *options = load->options;
    uint64_t start_ns;
    double seconds;

    load->last_done_ns = load->next_start_ns = measure_now_ns();
    run_for(load, MEASURE_WARM_UP_S);
    load->done = load->failed = 0;
    cpu_watch_start(&options->watch);
    start_ns = measure_now_ns();
    run_for(load, options->seconds);
    seconds = (double)(measure_now_ns() - start_ns) / MEASURE_NS_PER_S;
    cpu_watch_stop(&options->watch);
    if (load->done == 0)
        errx(EXIT_FAILURE, "no handshake at all: %s", load->why);
    (void)printf("rate=%.1f failed=%zu", (double)load->done / seconds,
                 load->failed);
    cpu_watch_print(&options->watch, load->done);
    (void)printf("\n");
    if (load->failed > 0)
        warnx("%zu connections failed: %s", load->failed, load->why);
}

__attribute__((noreturn)) static void show_usage(FILE *stream, int status)
{
    (void)fputs(usage, stream);
    exit(status);
}

static long parse_number(const char *text, const char *option, long max)
{
    char *end;
    const long number = strtol(text, &end, 10);

    if (end == text || *end != '\0' || number < 1 || number > max)
        errx(EXIT_FAILURE, "%s takes a number from 1 to %ld, not \"%s\"",
             option, max, text);
    return number;
}

static void take_option(struct options *options, int option, const char *value)
{
    switch (option) {
    case 'p':
        options->port = (uint16_t)parse_number(value, "--port", UINT16_MAX);
        break;
    case 'e':
        options->cert = value;
        break;
    case 's':
        options->seconds = measure_seconds(value);
        break;
    case 'n':
        options->connections =
            (size_t)parse_number(value, "--connections", CONNECTIONS_MAX);
        break;
    case 'r':
        options->rate = (double)parse_number(value, "--rate", 1000000);
        break;
    case 'w':
        cpu_watch_add(&options->watch, value);
        break;
    case 'h':
        show_usage(stdout, EXIT_SUCCESS);
    default: /* getopt has complained */
        show_usage(stderr, EXIT_USAGE);
    }
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"port", required_argument, NULL, 'p'},
        {"cert", required_argument, NULL, 'e'},
        {"seconds", required_argument, NULL, 's'},
        {"connections", required_argument, NULL, 'n'},
        {"rate", required_argument, NULL, 'r'},
        {"watch", required_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const struct sigaction action = {.sa_handler = stop};
    static struct options options = {.seconds = 5, .connections = 16};
    static struct load load = {.options = &options};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        take_option(&options, option, optarg);
    if (options.port == 0 || options.cert == NULL || optind < argc)
        show_usage(stderr, EXIT_USAGE);
    cpu_watch_add_self(&options.watch, "client");
    (void)sigaction(SIGTERM, &action, NULL); /* fails only where misused */
    target_open(&load.target, options.port, options.cert);
    run(&load);
    for (size_t i = 0; i < options.connections; i++)
        connection_close(&load.connections[i]);
    target_close(&load.target);
    return EXIT_SUCCESS;
}
