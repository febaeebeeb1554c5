/* SPDX-License-Identifier: Apache-2.0 */
/* CPU time of processes, so that a benchmark can say who was busy. */
#ifndef DEVID_BENCH_CPU_TIME_H
#define DEVID_BENCH_CPU_TIME_H

#include <stddef.h>
#include <sys/types.h>

enum {
    CPU_GROUPS_MAX = 4,
    CPU_PIDS_MAX = 16
};

/* Processes that are counted together, as nginx's workers are. */
struct cpu_group {
    char name[16];
    pid_t pids[CPU_PIDS_MAX];
    size_t count;
    double spent_s;
};

struct cpu_watch {
    struct cpu_group groups[CPU_GROUPS_MAX];
    size_t count;
    double busy_s; /* all cores */
    double idle_s;
};

/* Take "NAME=PID,PID,..."; ends the program where it is something else. */
void cpu_watch_add(struct cpu_watch *watch, const char *text);

/* This process, as a group of that name. */
void cpu_watch_add_self(struct cpu_watch *watch, const char *name);

/* What is spent from the start to the stop counts. */
void cpu_watch_start(struct cpu_watch *watch);
void cpu_watch_stop(struct cpu_watch *watch);

/*
 * Print " NAME_cpu_us=X" for each group: microseconds of CPU, user and system,
 * for each of `operations`; and " others_pct=X", the part of all cores' time
 * that went into anything else.
 */
void cpu_watch_print(const struct cpu_watch *watch, size_t operations);

#endif
