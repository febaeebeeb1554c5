/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two ports that tpm-proxy listens on.
 */
#include "ports.h"

#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Below the range that outgoing connections take theirs from: swtpm's clients
 * make one a command, and each holds its port for a minute.
 */
enum {
    PORT_TRIES = 100,
    PORT_FIRST = 10000,
    PORT_COUNT = 20000
};

uint16_t ports_parse(const char *text)
{
    char *end;
    const unsigned long port = strtoul(text, &end, 10);

    /* The control port is the next one, and must be one too. */
    if (*text < '0' || *text > '9' || *end || port >= UINT16_MAX)
        errx(EXIT_FAILURE,
             "--port takes a number from 0 (any) to %d, not \"%s\"",
             UINT16_MAX - 1, text);
    return (uint16_t)port;
}

/* Returns a listening socket, or -1. */
static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

uint16_t ports_open(int listeners[LISTENERS], uint16_t wanted)
{
    const int tries = wanted ? 1 : PORT_TRIES;

    for (int i = 0; i < tries; i++) {
        uint16_t data = wanted;
        uint16_t control;

        if (!wanted)
            data = (uint16_t)(PORT_FIRST + arc4random_uniform(PORT_COUNT));
        listeners[0] = listen_on(data);
        if (listeners[0] < 0)
            continue;
        control = (uint16_t)(data + 1);
        listeners[1] = control ? listen_on(control) : -1;
        if (listeners[1] >= 0)
            return data;
        close(listeners[0]);
    }
    if (wanted)
        errx(EXIT_FAILURE,
             "cannot listen on 127.0.0.1, ports %u and %u: another program "
             "has one of them",
             wanted, wanted + 1U);
    errx(EXIT_FAILURE, "found no two free ports in a row on 127.0.0.1");
}

void ports_write(const char *path, uint16_t port)
{
    FILE *file = fopen(path, "we");

    if (!file || fprintf(file, "%u\n", port) < 0 || fclose(file) != 0)
        err(EXIT_FAILURE, "cannot write %s", path);
}
