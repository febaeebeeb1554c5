/* SPDX-License-Identifier: Apache-2.0 */
#include "guesses.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

enum {
    GUESS_MS = GUESS_S * 1000,
    PREFIX = 8 /* bytes of IPv6 */
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

/* A zone behind '%' is this host's affair. */
static struct in6_addr address_of(const char *peer)
{
    char text[INET6_ADDRSTRLEN] = "";
    size_t len = peer ? strcspn(peer, "%") : 0;
    struct in6_addr ip = IN6ADDR_ANY_INIT;

    if (len > 0 && len < sizeof(text))
        memcpy(text, peer, len);
    if (inet_pton(AF_INET, text, &ip.s6_addr[12]) == 1) {
        ip.s6_addr[10] = ip.s6_addr[11] = 0xff;
        return ip;
    }
    if (inet_pton(AF_INET6, text, &ip) != 1)
        return (struct in6_addr)IN6ADDR_ANY_INIT;
    if (!IN6_IS_ADDR_V4MAPPED(&ip))
        memset(&ip.s6_addr[PREFIX], 0, sizeof(ip) - PREFIX);
    return ip;
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
    const struct in6_addr ip = address_of(peer);
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
    const struct in6_addr ip = address_of(peer);
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
