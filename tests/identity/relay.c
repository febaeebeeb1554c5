/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cable that is pulled: carries one TLS connection after another, until the
 * client has sent so many records, forwards that one, and from then on lets
 * nothing of the answer pass.
 *
 *     relay PORT-FILE TARGET-PORT RECORD HELD-FILE
 *
 * Writes the port that it listens on into PORT-FILE, and makes HELD-FILE when
 * the record has gone to the server. Handshakes count as well.
 */
#include <arpa/inet.h>
#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEADER_LEN = 5, /* of a TLS record: type, version, length */
    BUFFER_SIZE = 65536
};

struct relay {
    int client;
    int server;
    unsigned records; /* that the client may still send */
    const char *held_file;
    uint8_t header[HEADER_LEN]; /* of the client's record at work */
    size_t header_len;
    size_t body_left;
};

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static void write_file(const char *path, unsigned number)
{
    FILE *f = fopen(path, "we");

    if (f == NULL || fprintf(f, "%u\n", number) < 0 || fclose(f) != 0)
        err(1, "%s", path);
}

static int listen_anywhere(const char *port_file)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
        listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        err(1, "listen");
    write_file(port_file, ntohs(address.sin_port));
    return fd;
}

/* Counts the records that end in these bytes. */
static void count_records(struct relay *r, const uint8_t *data, size_t len)
{
    while (len > 0 && r->records > 0) {
        if (r->header_len < HEADER_LEN) {
            r->header[r->header_len++] = *data++;
            len--;
            if (r->header_len == HEADER_LEN)
                r->body_left = (size_t)r->header[3] << 8 | r->header[4];
            continue;
        }
        size_t part = len < r->body_left ? len : r->body_left;

        data += part;
        len -= part;
        r->body_left -= part;
        if (r->body_left == 0) {
            r->header_len = 0;
            r->records--;
        }
    }
}

/* False: that side has ended. */
static bool carry(struct relay *r, int from, int to)
{
    static uint8_t data[BUFFER_SIZE];
    ssize_t len = read(from, data, sizeof(data));
    const bool upwards = from == r->client;

    if (len <= 0)
        return false;
    if (!upwards && r->records == 0)
        return true; /* held */
    if (upwards && r->records > 0)
        count_records(r, data, (size_t)len);
    for (ssize_t done = 0; done < len;) {
        ssize_t wrote = write(to, data + done, (size_t)(len - done));

        if (wrote < 0)
            return false;
        done += wrote;
    }
    if (upwards && r->records == 0)
        write_file(r->held_file, 1);
    return true;
}

static void carry_connection(struct relay *r)
{
    struct pollfd fds[] = {{.fd = r->client, .events = POLLIN},
                           {.fd = r->server, .events = POLLIN}};
    bool alive = true;

    r->header_len = 0;
    while (alive && poll(fds, 2, -1) > 0) {
        if (fds[0].revents != 0)
            alive = carry(r, r->client, r->server);
        if (alive && fds[1].revents != 0)
            alive = carry(r, r->server, r->client);
    }
    (void)close(r->client);
    (void)close(r->server);
}

int main(int argc, char **argv)
{
    struct relay r = {0};
    struct sockaddr_in target;
    int listener;

    if (argc != 5)
        errx(2, "usage: relay PORT-FILE TARGET-PORT RECORD HELD-FILE");
    target = loopback((unsigned)strtoul(argv[2], NULL, 10));
    r.records = (unsigned)strtoul(argv[3], NULL, 10);
    r.held_file = argv[4];
    listener = listen_anywhere(argv[1]);
    while ((r.client = accept(listener, NULL, NULL)) >= 0) {
        r.server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (r.server < 0 ||
            connect(r.server, (struct sockaddr *)&target, sizeof(target)) != 0)
            err(1, "connect");
        carry_connection(&r);
    }
    return 1;
}
