/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from where a setting says that they are. */
#include "engine.h"
#include "secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

static enum devid_err read_file(const char *path, struct devid_secret **out,
                                struct devid_error *err)
{
    uint8_t data[DEVID_SECRET_MAX + 2];
    FILE *f = fopen(path, "rbe");
    enum devid_err e;
    size_t len;

    if (f == NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the secret's file '%.300s' cannot be read: %s", path,
                          strerror(errno));
    /* No buffer of stdio's may keep a copy. */
    (void)setvbuf(f, NULL, _IONBF, 0);
    len = fread(data, 1, sizeof(data), f);
    if (len > 0 && data[len - 1] == '\n')
        len--;
    if (ferror(f) != 0)
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the secret's file '%.300s' cannot be read: %s", path,
                       strerror(errno));
    else
        e = devid_secret_new(data, len, out, err);
    OPENSSL_cleanse(data, sizeof(data));
    (void)fclose(f); /* read only: nothing to lose */
    return e;
}

enum devid_err devid_secret_from_setting(const struct devid *engine,
                                         const char *setting,
                                         struct devid_secret **out,
                                         struct devid_error *err)
{
    const struct devid_secret *captured = devid_captured(engine, setting);
    const char *source = devid_get(engine, setting);

    *out = NULL;
    if (captured != NULL)
        return devid_secret_new(devid_secret_data(captured),
                                devid_secret_len(captured), out, err);
    if (source == NULL)
        return DEVID_OK;
    if (strncmp(source, "file:", 5) == 0)
        return read_file(source + 5, out, err);
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "the environment variable that %s names, '%.100s', was "
                      "not set when the program started",
                      setting, source + 4);
}
