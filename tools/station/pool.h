/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that work off a queue, so that a device that signs slowly holds up
 * nobody's connection.
 */
#ifndef DEVID_STATION_POOL_H
#define DEVID_STATION_POOL_H

#include <stdbool.h>

/* The caller's, from submit until run is called. */
struct task {
    void (*run)(struct task *task);
    struct task *next; /* the pool's */
};

struct pool;

/* NULL: no memory, or no threads. `max`: tasks that may wait. */
struct pool *pool_new(unsigned threads, unsigned max);
/* False: the queue is full, and the task was not taken. */
bool pool_submit(struct pool *pool, struct task *task);
/* The same for the next step of what was taken already: always room. */
void pool_continue(struct pool *pool, struct task *task);
/* Ends what waits first. NULL-safe. */
void pool_free(struct pool *pool);

#endif
