/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timed loops: one operation again and again, how long each took, and who
 * spent how much of the CPU meanwhile.
 */
#ifndef DEVID_BENCH_MEASURE_H
#define DEVID_BENCH_MEASURE_H

#include "cpu_time.h"

#include <stdint.h>

/* Until caches, connections and saved contexts are there; not counted. */
#define MEASURE_WARM_UP_S 0.3

#define MEASURE_NS_PER_S 1000000000u

enum {
    MEASURE_CLIENTS_MAX = 16
};

/* One operation; ends the program with a sentence where it fails. */
typedef void measure_op(void *arg);

/*
 * Run `op` for `seconds` after the warm-up, by `clients` threads, each with an
 * argument of its own, and print one line, figures by name:
 * "rate=2951.3 median_us=336.1 p90_us=350.2 own_cpu_us=40.4", and what `watch`
 * has. rate is operations a second of all clients together; CPU times are for
 * each operation.
 */
void measure_run(measure_op *op, void *const *args, size_t clients,
                 double seconds, struct cpu_watch *watch);

/* Nanoseconds of a clock that only goes forward. */
uint64_t measure_now_ns(void);

/* A number of seconds from the command line: above 0, at most an hour. */
double measure_seconds(const char *text);

/* A number of threads from there: 1 to MEASURE_CLIENTS_MAX. */
size_t measure_clients(const char *text);

#endif
