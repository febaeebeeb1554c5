/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <pthread.h>
#include <stdlib.h>

struct pool {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t more;
    struct task *first;
    struct task **last;
    unsigned waiting;
    unsigned max;
    bool ending;
    unsigned thread_count;
    pthread_t threads[];
};

static void *work(void *arg)
{
    struct pool *pool = arg;
    struct task *task;

    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->first && !pool->ending)
            pthread_cond_wait(&pool->more, &pool->lock);
        task = pool->first;
        if (!task)
            break;
        pool->first = task->next;
        if (!pool->first)
            pool->last = &pool->first;
        pool->waiting--;
        pthread_mutex_unlock(&pool->lock);
        task->run(task);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

struct pool *pool_new(unsigned threads, unsigned max)
{
    struct pool *pool =
        calloc(1, sizeof(*pool) + threads * sizeof(pool->threads[0]));

    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->more, NULL);
    pool->last = &pool->first;
    pool->max = max;
    while (pool->thread_count < threads &&
           pthread_create(&pool->threads[pool->thread_count], NULL, work,
                          pool) == 0)
        pool->thread_count++;
    if (pool->thread_count == threads)
        return pool;
    pool_free(pool);
    return NULL;
}

static bool append(struct pool *pool, struct task *task, bool always)
{
    bool room;

    pthread_mutex_lock(&pool->lock);
    room = always || pool->waiting < pool->max;
    if (room) {
        task->next = NULL;
        *pool->last = task;
        pool->last = &task->next;
        pool->waiting++;
        pthread_cond_signal(&pool->more);
    }
    pthread_mutex_unlock(&pool->lock);
    return room;
}

bool pool_submit(struct pool *pool, struct task *task)
{
    return append(pool, task, false);
}

void pool_continue(struct pool *pool, struct task *task)
{
    (void)append(pool, task, true); /* which never fails */
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->more);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->more);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
