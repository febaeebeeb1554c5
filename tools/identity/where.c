/* SPDX-License-Identifier: Apache-2.0 */
#include "where.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

enum {
    TIMEOUT_DEFAULT_S = 60,
    TIMEOUT_MAX_S = 24 * 3600
};

static enum exit_code read_fingerprint(const char *command,
                                       const struct where_options *options,
                                       struct where *where)
{
    const char *text = options->fingerprint;
    long len = 0;

    if (text == NULL)
        return EXIT_DONE;
    if (options->ca != NULL)
        return wrong_use(command, "--ca and --station-fingerprint exclude each "
                                  "other");
    where->fingerprint = OPENSSL_hexstr2buf(text, &len);
    ERR_clear_error();
    where->spec.fingerprint = where->fingerprint;
    if (where->fingerprint != NULL && len == HTTP_FINGERPRINT_LEN)
        return EXIT_DONE;
    return wrong_use(command,
                     "'%s' is no SHA-256: 64 hexadecimal digits, as openssl "
                     "x509 -noout -fingerprint -sha256 prints it",
                     text);
}

static enum exit_code read_timeout(const char *command, const char *text,
                                   struct where *where)
{
    char *end = NULL;
    long seconds = TIMEOUT_DEFAULT_S;

    if (text != NULL)
        seconds = strtol(text, &end, 10);
    if (text != NULL && (*text == '\0' || *end != '\0' || seconds < 1 ||
                         seconds > TIMEOUT_MAX_S))
        return wrong_use(command,
                         "--timeout is a number of seconds from 1 to %d, not "
                         "'%s'",
                         (int)TIMEOUT_MAX_S, text);
    where->spec.patience_s = (unsigned)seconds;
    return EXIT_DONE;
}

enum exit_code where_read(const char *command,
                          const struct where_options *options,
                          struct where *where)
{
    enum exit_code code;

    where->spec.url = options->url;
    where->spec.ca = options->ca;
    if (options->url == NULL || strncmp(options->url, "https://", 8) != 0)
        return wrong_use(command,
                         "'%s' is no station: that is https://HOST:PORT",
                         options->url != NULL ? options->url : "");
    code = read_fingerprint(command, options, where);
    return code == EXIT_DONE ? read_timeout(command, options->timeout, where)
                             : code;
}

void where_clear(struct where *where)
{
    OPENSSL_free(where->fingerprint);
    memset(where, 0, sizeof(*where));
}
