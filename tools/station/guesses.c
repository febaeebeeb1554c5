/* SPDX-License-Identifier: Apache-2.0 */
#include "guesses.h"
#include "client.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

enum {
    GUESS_MS = GUESS_S * 1000
};

/* All of its guesses are forgotten at `until_ms`; 0: nobody's. */
struct guesser {
    struct in6_addr ip;
    int64_t until_ms;
};

struct guesses {
    pthread_mutex_t lock; /* guards rows */
    struct guesser rows[GUESSES_ADDRESSES];
};

struct guesses *guesses_new(void)
{
    struct guesses *guesses = OPENSSL_zalloc(sizeof(*guesses));

    if (guesses)
        pthread_mutex_init(&guesses->lock, NULL);
    return guesses;
}

void guesses_free(struct guesses **guesses)
{
    if (*guesses)
        pthread_mutex_destroy(&(*guesses)->lock);
    OPENSSL_free(*guesses);
    *guesses = NULL;
}

/* Its row; else the one that is free, or would be first. */
static struct guesser *find(struct guesses *guesses, const struct in6_addr *ip)
{
    struct guesser *first = &guesses->rows[0];

    for (size_t i = 0; i < GUESSES_ADDRESSES; i++) {
        struct guesser *row = &guesses->rows[i];
        if (row->until_ms > 0 && memcmp(&row->ip, ip, sizeof(*ip)) == 0)
            return row;
        if (row->until_ms < first->until_ms)
            first = row;
    }
    return first;
}

unsigned guesses_wait(struct guesses *guesses, const char *peer, int64_t now_ms)
{
    const struct in6_addr ip = client_of_text(peer);
    const struct guesser *row;
    int64_t wait_ms = 0;

    if (!guesses)
        return 0;
    pthread_mutex_lock(&guesses->lock);
    row = find(guesses, &ip);
    if (memcmp(&row->ip, &ip, sizeof(ip)) == 0)
        wait_ms =
            row->until_ms - now_ms - (GUESSES_FREE - 1) * (int64_t)GUESS_MS;
    pthread_mutex_unlock(&guesses->lock);
    return wait_ms > 0 ? (unsigned)((wait_ms + 999) / 1000) : 0;
}

void guesses_wrong(struct guesses *guesses, const char *peer, int64_t now_ms)
{
    const struct in6_addr ip = client_of_text(peer);
    struct guesser *row;

    if (!guesses)
        return;
    pthread_mutex_lock(&guesses->lock);
    row = find(guesses, &ip);
    if (memcmp(&row->ip, &ip, sizeof(ip)) != 0 || row->until_ms < now_ms)
        row->until_ms = now_ms;
    row->ip = ip;
    row->until_ms += GUESS_MS;
    pthread_mutex_unlock(&guesses->lock);
}
