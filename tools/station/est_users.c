/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and secrets for devices that have no certificate to show. The file is
 * read for each, so that a line that is taken away counts at once.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "est.h"
#include "message.h"

/* The digests are compared: equal in length, whatever the secrets are. */
static bool same(const char *line, const char *secret)
{
    char a[65];
    char b[65];

    sha256_hex(line, strlen(line), a);
    sha256_hex(secret, strlen(secret), b);
    return CRYPTO_memcmp(a, b, sizeof(a)) == 0;
}

static bool line_is(char *line, const char *name, const char *secret)
{
    size_t len = strlen(name);

    line[strcspn(line, "\r\n")] = '\0';
    return *line != '#' && len > 0 && strncmp(line, name, len) == 0 &&
           line[len] == ':' && line[len + 1] != '\0' &&
           same(line + len + 1, secret);
}

static FILE *open_file(const char *path)
{
    FILE *file = fopen(path, "re");
    struct stat status;

    if (!file || fstat(fileno(file), &status)) {
        fail("%s, of users in [est], cannot be read", path);
    } else if (status.st_mode & (S_IRWXG | S_IRWXO)) {
        fail("%s holds secrets, and others may read it: chmod 600 is wanted",
             path);
    } else {
        return file;
    }
    if (file)
        (void)fclose(file);
    return NULL;
}

bool est_secret_is(const char *path, const char *name, const char *secret)
{
    FILE *file = open_file(path);
    char *line = NULL;
    size_t size = 0;
    bool found = false;

    if (!file)
        return false;
    while (!found && getline(&line, &size, file) > 0)
        found = line_is(line, name, secret);
    if (line)
        OPENSSL_cleanse(line, size);
    free(line);
    (void)fclose(file);
    return found;
}
