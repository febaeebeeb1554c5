/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LDevIDs that are renewed at a station as fast as it will, a connection with a
 * full handshake for each, as devices do: a request by the same key, under the
 * LDevID that it follows.
 *
 * Usage: est_load PORT SECONDS NAME=PID PREFIX...: each client has
 * PREFIX.key, PREFIX.pem and PREFIX.der, the request.
 */
#include "measure.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/ssl.h>

enum {
    ANSWER_MAX = 16384
};

struct device {
    SSL_CTX *tls;
    uint16_t port;
    char *request; /* HTTP's, whole */
    size_t request_len;
    char answer[ANSWER_MAX + 1];
};

/* ---- beginning --------------------------------------------------------- */

static void *read_file(const char *prefix, const char *suffix, long *len)
{
    char path[4096];
    unsigned char *data = malloc(ANSWER_MAX);
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s%s", prefix, suffix);
    file = fopen(path, "re");
    if (file == NULL || data == NULL)
        err(EXIT_FAILURE, "%s", path);
    *len = (long)fread(data, 1, ANSWER_MAX, file);
    (void)fclose(file); /* read only: nothing to lose */
    return data;
}

static void make_request(struct device *device, const char *prefix)
{
    long len;
    unsigned char *der = read_file(prefix, ".der", &len);
    char *body = malloc(2 * (size_t)len + 4);
    int n;

    if (body == NULL)
        errx(EXIT_FAILURE, "out of memory");
    (void)EVP_EncodeBlock((unsigned char *)body, der, (int)len);
    n = asprintf(&device->request,
                 "POST /.well-known/est/simplereenroll HTTP/1.1\r\n"
                 "Host: localhost\r\nConnection: close\r\n"
                 "Content-Type: application/pkcs10\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 strlen(body), body);
    if (n < 0)
        errx(EXIT_FAILURE, "out of memory");
    device->request_len = (size_t)n;
    free(body);
    free(der);
}

static struct device *open_device(const char *prefix, uint16_t port)
{
    struct device *device = calloc(1, sizeof(*device));
    char path[4096];

    if (device == NULL)
        errx(EXIT_FAILURE, "out of memory");
    device->port = port;
    device->tls = SSL_CTX_new(TLS_client_method());
    (void)snprintf(path, sizeof(path), "%s.pem", prefix);
    if (device->tls == NULL ||
        SSL_CTX_use_certificate_file(device->tls, path, SSL_FILETYPE_PEM) != 1)
        errx(EXIT_FAILURE, "%s is no certificate", path);
    (void)snprintf(path, sizeof(path), "%s.key", prefix);
    if (SSL_CTX_use_PrivateKey_file(device->tls, path, SSL_FILETYPE_PEM) != 1)
        errx(EXIT_FAILURE, "%s is not its key", path);
    /* What the station costs is measured, not what checking it costs. */
    SSL_CTX_set_verify(device->tls, SSL_VERIFY_NONE, NULL);
    make_request(device, prefix);
    return device;
}

/* ---- one renewal ------------------------------------------------------- */

static int connect_to(uint16_t port)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* A reset leaves no TIME_WAIT behind: ports would run out. */
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) != 0 ||
        connect(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
        err(EXIT_FAILURE, "port %d", port);
    return fd;
}

/* The new certificate is what the next request comes under. */
static void take_answer(struct device *device)
{
    char *body = strstr(device->answer, "\r\n\r\n");
    unsigned char der[ANSWER_MAX];
    const unsigned char *p = der;
    PKCS7 *p7 = NULL;
    int len;

    if (strncmp(device->answer, "HTTP/1.1 200", 12) == 0 && body != NULL) {
        body += 4;
        len = EVP_DecodeBlock(der, (unsigned char *)body,
                              (int)strcspn(body, "\n"));
        p7 = len > 0 ? d2i_PKCS7(NULL, &p, len) : NULL;
    }
    if (p7 == NULL || !PKCS7_type_is_signed(p7) ||
        SSL_CTX_use_certificate(device->tls,
                                sk_X509_value(p7->d.sign->cert, 0)) != 1)
        errx(EXIT_FAILURE, "the station answers: %.200s", device->answer);
    PKCS7_free(p7);
}

static void renew(void *arg)
{
    struct device *device = arg;
    int fd = connect_to(device->port);
    SSL *ssl = SSL_new(device->tls);
    size_t len = 0;
    int n;

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1 ||
        SSL_write(ssl, device->request, (int)device->request_len) <= 0)
        errx(EXIT_FAILURE, "the station is not there");
    while (len < ANSWER_MAX && (n = SSL_read(ssl, device->answer + len,
                                             (int)(ANSWER_MAX - len))) > 0)
        len += (size_t)n;
    device->answer[len] = '\0';
    SSL_free(ssl);
    (void)close(fd);
    take_answer(device);
}

int main(int argc, char **argv)
{
    void *devices[MEASURE_CLIENTS_MAX];
    struct cpu_watch watch = {0};
    size_t count = 0;

    if (argc < 5 || argc - 4 > MEASURE_CLIENTS_MAX)
        errx(EXIT_FAILURE, "usage: est_load PORT SECONDS NAME=PID PREFIX...");
    cpu_watch_add(&watch, argv[3]);
    for (int i = 4; i < argc; i++)
        devices[count++] =
            open_device(argv[i], (uint16_t)strtoul(argv[1], NULL, 10));
    measure_run(renew, devices, count, measure_seconds(argv[2]), &watch);
    return EXIT_SUCCESS;
}
