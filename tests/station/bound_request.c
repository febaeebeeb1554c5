/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An EST client that binds its request to the connection (RFC 7030, 3.5): the
 * request's challengePassword is TLS 1.2's tls-unique, or with "other" that of
 * a connection before. Prints the answer.
 *
 * Usage: bound_request PORT KEY CERT PATH own|other
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what)
{
    fprintf(stderr, "bound_request: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static SSL *connect_to(SSL_CTX *tls, const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    SSL *ssl = SSL_new(tls);

    at.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!ssl || connect(fd, (struct sockaddr *)&at, sizeof(at)) ||
        SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
        fail("there is no connection");
    return ssl;
}

static void close_it(SSL *ssl)
{
    int fd = SSL_get_fd(ssl);

    (void)SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
}

/* PKCS#10 in base64, by a new key. */
static char *request_of(const unsigned char *unique, size_t len)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_REQ *req = X509_REQ_new();
    unsigned char *der = NULL;
    char *text;
    char secret[128];
    int n;

    EVP_EncodeBlock((unsigned char *)secret, unique, (int)len);
    if (!key || !req || X509_REQ_set_pubkey(req, key) != 1 ||
        X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword,
                                  MBSTRING_ASC, (unsigned char *)secret,
                                  -1) != 1 ||
        X509_REQ_sign(req, key, EVP_sha256()) <= 0)
        fail("there is no request");
    n = i2d_X509_REQ(req, &der);
    text = malloc((size_t)n * 2 + 8);
    if (n <= 0 || !text)
        fail("out of memory");
    EVP_EncodeBlock((unsigned char *)text, der, n);
    OPENSSL_free(der);
    X509_REQ_free(req);
    EVP_PKEY_free(key);
    return text;
}

int main(int argc, char **argv)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    unsigned char unique[EVP_MAX_MD_SIZE];
    char answer[4096];
    char *body;
    size_t len;
    SSL *ssl;
    int n;

    if (argc != 6 || !tls ||
        SSL_CTX_set_max_proto_version(tls, TLS1_2_VERSION) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, argv[2], SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_certificate_file(tls, argv[3], SSL_FILETYPE_PEM) != 1)
        fail("PORT KEY CERT PATH own|other are wanted");
    ssl = connect_to(tls, argv[1]);
    len = SSL_get_finished(ssl, unique, sizeof(unique));
    if (strcmp(argv[5], "other") == 0) {
        close_it(ssl);
        ssl = connect_to(tls, argv[1]);
    }
    body = request_of(unique, len);
    n = snprintf(answer, sizeof(answer),
                 "POST %s HTTP/1.1\r\nHost: localhost\r\n"
                 "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
                 argv[4], strlen(body), body);
    if (SSL_write(ssl, answer, n) != n)
        fail("nothing can be sent");
    while ((n = SSL_read(ssl, answer, sizeof(answer))) > 0)
        fwrite(answer, 1, (size_t)n, stdout);
    close_it(ssl);
    SSL_CTX_free(tls);
    free(body);
    return 0;
}
