/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CA that speaks CMP over HTTP, on loopback alone.
 *
 *     cmp_server DIR PORT-FILE [life=SECONDS] [waits=N] [secret=NAME:SECRET]
 *
 * DIR has its certificates and keys, see cmp_ca.h. Messages under a MAC are
 * answered under the same secret, signed ones under its signature. A client
 * that must wait is told to come again in a second, N times.
 */
#include <arpa/inet.h>
#include <err.h>
#include <openssl/err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmp_ca.h"

enum {
    MESSAGE_MAX = 1 << 20
};

struct buffer {
    size_t len;
    char data[MESSAGE_MAX];
};

static int listen_anywhere(const char *port_file)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FILE *f;

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
        listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        err(1, "listen");
    f = fopen(port_file, "we");
    if (!f || fprintf(f, "%u\n", ntohs(address.sin_port)) < 0 || fclose(f))
        err(1, "%s", port_file);
    return fd;
}

/* ---- HTTP ---------------------------------------------------------------- */

/* The body of a request, or NULL: it is none of ours. */
static const char *read_request(int fd, struct buffer *in, size_t *body_len)
{
    const char *length;
    const char *body = NULL;

    in->len = 0;
    for (;;) {
        ssize_t got =
            read(fd, in->data + in->len, sizeof(in->data) - 1 - in->len);

        if (got <= 0)
            return NULL;
        in->len += (size_t)got;
        in->data[in->len] = '\0';
        body = strstr(in->data, "\r\n\r\n");
        length = strcasestr(in->data, "\r\nContent-Length:");
        if (!body || !length)
            continue;
        body += 4;
        *body_len = strtoul(length + 17, NULL, 10);
        if (in->len >= (size_t)(body - in->data) + *body_len)
            return strncmp(in->data, "POST ", 5) == 0 ? body : NULL;
    }
}

static void answer(int fd, const char *status, const void *body, size_t len)
{
    if (dprintf(fd,
                "HTTP/1.1 %s\r\nContent-Type: application/pkixcmp\r\n"
                "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                status, len) < 0 ||
        write(fd, body, len) != (ssize_t)len)
        warn("answer");
}

/* ---- CMP ----------------------------------------------------------------- */

static OSSL_CMP_SRV_CTX *new_server(struct cmp_ca *ca, const char *secret)
{
    OSSL_CMP_SRV_CTX *server = OSSL_CMP_SRV_CTX_new(NULL, NULL);
    OSSL_CMP_CTX *ctx = OSSL_CMP_SRV_CTX_get0_cmp_ctx(server);
    STACK_OF(X509) *extra = sk_X509_new_null();
    const char *colon = secret ? strchr(secret, ':') : NULL;
    bool ok =
        OSSL_CMP_SRV_CTX_init(server, ca, cmp_ca_request, cmp_ca_revoke, NULL,
                              NULL, cmp_ca_confirm, cmp_ca_poll) == 1;

    if (colon)
        ok = ok &&
             OSSL_CMP_CTX_set1_referenceValue(
                 ctx, (const unsigned char *)secret, (int)(colon - secret)) &&
             OSSL_CMP_CTX_set1_secretValue(
                 ctx, (const unsigned char *)colon + 1, (int)strlen(colon + 1));
    else
        ok = ok && OSSL_CMP_CTX_set1_cert(ctx, ca->signer) &&
             OSSL_CMP_CTX_set1_pkey(ctx, ca->signer_key) &&
             X509_STORE_up_ref(ca->trusted) &&
             OSSL_CMP_CTX_set0_trustedStore(ctx, ca->trusted);
    ok = ok && extra && sk_X509_push(extra, ca->extra) > 0 &&
         OSSL_CMP_CTX_set1_extraCertsOut(ctx, extra) == 1;
    sk_X509_free(extra);
    if (!ok)
        errx(1, "the server cannot be made");
    return server;
}

/* id-PasswordBasedMac, 1.2.840.113533.7.66.13, as protectionAlg has it. */
static bool has_mac(const void *der, size_t len)
{
    static const uint8_t oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                  0xf6, 0x7d, 0x07, 0x42, 0x0d};

    return memmem(der, len, oid, sizeof(oid)) != NULL;
}

static void serve(int fd, OSSL_CMP_SRV_CTX *server, const void *der, size_t len)
{
    const unsigned char *at = der;
    OSSL_CMP_MSG *question = d2i_OSSL_CMP_MSG(NULL, &at, (long)len);
    OSSL_CMP_MSG *reply =
        question ? OSSL_CMP_SRV_process_request(server, question) : NULL;
    unsigned char *out = NULL;
    int out_len = reply ? i2d_OSSL_CMP_MSG(reply, &out) : 0;

    ERR_print_errors_fp(stderr);
    (void)fflush(stdout); /* before who asked goes on, and reads it */
    if (out_len > 0)
        answer(fd, "200 OK", out, (size_t)out_len);
    else
        answer(fd, "400 Bad Request", "", 0);
    OPENSSL_free(out);
    OSSL_CMP_MSG_free(reply);
    OSSL_CMP_MSG_free(question);
}

static const char *option(int argc, char **argv, const char *name)
{
    size_t len = strlen(name);

    for (int i = 3; i < argc; i++) {
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=')
            return argv[i] + len + 1;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static struct buffer in;
    struct cmp_ca ca = {.life_s = 3600};
    OSSL_CMP_SRV_CTX *signs;
    OSSL_CMP_SRV_CTX *macs = NULL;
    int listener;

    if (argc < 3)
        errx(1, "usage: cmp_server DIR PORT-FILE [NAME=VALUE...]");
    cmp_ca_open(&ca, argv[1]);
    if (option(argc, argv, "life"))
        ca.life_s = strtol(option(argc, argv, "life"), NULL, 10);
    if (option(argc, argv, "waits"))
        ca.waits = (int)strtol(option(argc, argv, "waits"), NULL, 10);
    signs = new_server(&ca, NULL);
    if (option(argc, argv, "secret"))
        macs = new_server(&ca, option(argc, argv, "secret"));
    listener = listen_anywhere(argv[2]);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        size_t len = 0;
        const char *body = fd >= 0 ? read_request(fd, &in, &len) : NULL;

        if (body)
            serve(fd, macs && has_mac(body, len) ? macs : signs, body, len);
        if (fd >= 0)
            (void)close(fd);
    }
}
