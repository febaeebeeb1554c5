/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands between clients and a server on Unix sockets and holds each answer
 * back for a while: who kills it there has cut connections whose server has
 * done what it was asked, and whose client does not know.
 *
 *   late_relay OWN-SOCKET SERVER-SOCKET MILLISECONDS
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char *server;
static long late_ms;

struct way {
    int from, to;
    long wait_ms;
};

static int open_socket(const char *path, bool listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int failed;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (listening) {
        unlink(path);
        failed = bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
                 listen(fd, 16);
    } else {
        failed = connect(fd, (struct sockaddr *)&address, sizeof(address));
    }
    if (!failed)
        return fd;
    perror(path);
    close(fd);
    return -1;
}

static void *carry(void *arg)
{
    struct way way = *(struct way *)arg;
    const struct timespec pause = {0, way.wait_ms * 1000000};
    char bytes[65536];
    ssize_t len;

    free(arg);
    while ((len = read(way.from, bytes, sizeof(bytes))) > 0) {
        nanosleep(&pause, NULL);
        for (ssize_t sent = 0, more = 0; sent < len; sent += more) {
            more =
                send(way.to, bytes + sent, (size_t)(len - sent), MSG_NOSIGNAL);
            if (more <= 0)
                break;
        }
    }
    shutdown(way.to, SHUT_RDWR);
    shutdown(way.from, SHUT_RDWR);
    return NULL;
}

static void start_way(int from, int to, long wait_ms)
{
    struct way *way = malloc(sizeof(*way));
    pthread_t thread;

    if (!way)
        exit(1);
    *way = (struct way){from, to, wait_ms};
    if (pthread_create(&thread, NULL, carry, way) || pthread_detach(thread))
        exit(1);
}

int main(int argc, char **argv)
{
    int own = argc == 4 ? open_socket(argv[1], true) : -1;

    if (own < 0)
        return 1;
    server = argv[2];
    late_ms = atol(argv[3]);
    for (;;) {
        int client = accept(own, NULL, NULL);
        int upstream = client < 0 ? -1 : open_socket(server, false);
        if (upstream < 0) {
            close(client);
            continue;
        }
        start_way(client, upstream, 0);
        start_way(upstream, client, late_ms);
    }
}
