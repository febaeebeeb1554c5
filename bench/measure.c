/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct samples {
    uint64_t *ns;
    size_t count;
    size_t size;
};

struct client {
    measure_op *op;
    void *arg;
    uint64_t start_ns;
    uint64_t end_ns;
    struct samples samples;
    double rate;
};

uint64_t measure_now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * MEASURE_NS_PER_S + (uint64_t)ts.tv_nsec;
}

double measure_seconds(const char *text)
{
    char *end;
    const double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !(seconds > 0 && seconds <= 3600))
        errx(EXIT_FAILURE, "--seconds takes a number up to 3600, not \"%s\"",
             text);
    return seconds;
}

size_t measure_clients(const char *text)
{
    char *end;
    const unsigned long count = strtoul(text, &end, 10);

    if (*end != '\0' || count < 1 || count > MEASURE_CLIENTS_MAX)
        errx(EXIT_FAILURE,
             "so many at a time is a number from 1 to %d, not \"%s\"",
             MEASURE_CLIENTS_MAX, text);
    return count;
}

/* Room for `more` samples. */
static void samples_grow(struct samples *all, size_t more)
{
    if (all->size - all->count >= more)
        return;
    all->size = 2 * all->size + more + 4096;
    all->ns = reallocarray(all->ns, all->size, sizeof(*all->ns));
    if (all->ns == NULL)
        errx(EXIT_FAILURE, "no memory for %zu samples", all->size);
}

static void *run_client(void *arg)
{
    struct client *self = arg;
    uint64_t now;

    while (measure_now_ns() < self->start_ns)
        self->op(self->arg);
    now = measure_now_ns();
    do {
        const uint64_t before = now;

        samples_grow(&self->samples, 1);
        self->op(self->arg);
        now = measure_now_ns();
        self->samples.ns[self->samples.count++] = now - before;
    } while (now < self->end_ns);
    /* From when all began: who waited for the device first has waited. */
    self->rate = (double)self->samples.count * MEASURE_NS_PER_S /
                 (double)(now - self->start_ns);
    return NULL;
}

static void sleep_until(uint64_t ns)
{
    const struct timespec ts = {.tv_sec = (time_t)(ns / MEASURE_NS_PER_S),
                                .tv_nsec = (long)(ns % MEASURE_NS_PER_S)};

    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static double quantile_us(const struct samples *sorted, size_t percent)
{
    const size_t at = (sorted->count - 1) * percent / 100;

    return (double)sorted->ns[at] / 1e3;
}

/* Move the samples of all clients to the first's; returns their rate. */
static double collect(struct client *clients, size_t count)
{
    struct samples *all = &clients[0].samples;
    double rate = clients[0].rate;

    for (size_t i = 1; i < count; i++) {
        const struct samples *more = &clients[i].samples;

        samples_grow(all, more->count);
        memcpy(all->ns + all->count, more->ns, more->count * sizeof(*all->ns));
        all->count += more->count;
        rate += clients[i].rate;
        free(more->ns);
    }
    if (all->count == 0)
        errx(EXIT_FAILURE, "there was nothing to measure");
    qsort(all->ns, all->count, sizeof(*all->ns), compare);
    return rate;
}

void measure_run(measure_op *op, void *const *args, size_t clients,
                 double seconds, struct cpu_watch *watch)
{
    struct client client[MEASURE_CLIENTS_MAX] = {0};
    pthread_t threads[MEASURE_CLIENTS_MAX];
    const struct samples *all = &client[0].samples;
    const uint64_t start_ns =
        measure_now_ns() + (uint64_t)(MEASURE_WARM_UP_S * MEASURE_NS_PER_S);
    double rate;

    cpu_watch_add_self(watch, "own");
    for (size_t i = 0; i < clients; i++) {
        client[i] = (struct client){.op = op, .arg = args[i]};
        client[i].start_ns = start_ns;
        client[i].end_ns = start_ns + (uint64_t)(seconds * MEASURE_NS_PER_S);
        if (pthread_create(&threads[i], NULL, run_client, &client[i]) != 0)
            errx(EXIT_FAILURE, "no thread for a client");
    }
    sleep_until(start_ns);
    cpu_watch_start(watch);
    for (size_t i = 0; i < clients; i++)
        (void)pthread_join(threads[i], NULL); /* fails only where misused */
    cpu_watch_stop(watch);
    rate = collect(client, clients);
    (void)printf("rate=%.1f median_us=%.1f p90_us=%.1f", rate,
                 quantile_us(all, 50), quantile_us(all, 90));
    cpu_watch_print(watch, all->count);
    (void)printf("\n");
    free(all->ns);
}
