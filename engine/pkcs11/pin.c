/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a PIN is read from. Read when the key is loaded: a worker that has
 * dropped its master's rights could not.
 */
#include "keyuri.h"

#include "../secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <openssl/crypto.h>

#define FILE_SCHEME "file:"

static enum devid_err read_stream(FILE *f, const char *what,
                                  struct devid_secret **pin,
                                  struct devid_error *err)
{
    char data[DEVID_SECRET_MAX + 2];
    enum devid_err e;
    size_t len;

    /* No buffer of stdio's may keep a copy. */
    (void)setvbuf(f, NULL, _IONBF, 0);
    len = fread(data, 1, sizeof(data), f);
    if (len > 0 && len < sizeof(data) && data[len - 1] == '\n')
        len--;
    if (len > 0 && len < sizeof(data) && data[len - 1] == '\r')
        len--;
    if (ferror(f) != 0)
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the PIN cannot be read from '%.300s': %s", what,
                       strerror(errno));
    else if (len == 0)
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "there is no PIN in '%.300s': it is empty", what);
    else
        e = devid_secret_new(data, len, pin, err);
    OPENSSL_cleanse(data, sizeof(data));
    return e;
}

static enum devid_err read_file(const char *path, struct devid_secret **pin,
                                struct devid_error *err)
{
    FILE *f = fopen(path, "rbe");
    enum devid_err e;

    if (f == NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the PIN's file '%.300s' cannot be read: %s", path,
                          strerror(errno));
    e = read_stream(f, path, pin, err);
    (void)fclose(f); /* read only: nothing to lose */
    return e;
}

/* RFC 7512, 2.4: a '|' before it makes it a program that prints the PIN. */
static bool is_program(const char *source)
{
    return *source == '|';
}

static enum devid_err read_program(const char *command,
                                   struct devid_secret **pin,
                                   struct devid_error *err)
{
    /* The shell is what the URI's author, as of a file's name, asks for. */
    FILE *f = popen(command, "re"); /* NOLINT(cert-env33-c) */
    enum devid_err e;
    int status;

    if (f == NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the PIN's program '%.300s' does not run: %s",
                          command, strerror(errno));
    e = read_stream(f, command, pin, err);
    status = pclose(f);
    if (status > 0) { /* says more than that its output is empty */
        devid_secret_free(pin);
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the PIN's program '%.300s' failed (%s %d)", command,
                       WIFSIGNALED(status) ? "signal" : "exit status",
                       WIFSIGNALED(status) ? WTERMSIG(status)
                                           : WEXITSTATUS(status));
    }
    return e;
}

/* file:/path, file:///path, file://localhost/path, /path */
static const char *path_of(const char *source)
{
    static const char host[] = "//localhost/";
    const char *path = source;

    if (strncmp(path, FILE_SCHEME, strlen(FILE_SCHEME)) == 0) {
        path += strlen(FILE_SCHEME);
        if (strncmp(path, host, strlen(host)) == 0)
            path += strlen(host) - 1;
        else if (strncmp(path, "///", 3) == 0)
            path += 2;
    }
    return path;
}

static enum devid_err read_source(const struct devid *engine,
                                  const char *source, struct devid_secret **pin,
                                  struct devid_error *err)
{
    if (!is_program(source))
        return read_file(path_of(source), pin, err);
    if (devid_is(engine, "pin-program", "yes"))
        return read_program(source + 1, pin, err);
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "the URI's pin-source is a program, and devid runs none "
                      "unless the setting pin-program = yes "
                      "(DEVID_PIN_PROGRAM=yes) says so; pin-source=file:PATH "
                      "reads a file");
}

enum devid_err p11_pin_check_file(const struct p11_uri *uri,
                                  struct devid_error *err)
{
    const char *source = p11_kit_uri_get_pin_source(uri->kit);
    struct stat st;

    if (source == NULL)
        return DEVID_OK;
    /* Not shown: a program's arguments may be the PIN. */
    if (is_program(source))
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the key file names a program for its PIN, and what "
                          "a key file says is never run: have the program "
                          "write the PIN into a file, and name that by "
                          "pin-source=file:PATH, or by the setting pin-source");
    if (stat(path_of(source), &st) == 0 && !S_ISREG(st.st_mode))
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the key file names '%.300s' for its PIN, which is "
                          "no ordinary file: a key file may name no other",
                          path_of(source));
    return DEVID_OK;
}

const char *p11_pin_reference(const struct p11_uri *uri)
{
    const char *source = p11_kit_uri_get_pin_source(uri->kit);

    return source != NULL && is_program(source) ? NULL : source;
}

enum devid_err p11_pin_read(const struct devid *engine,
                            const struct p11_uri *uri,
                            struct devid_secret **pin, bool *ask,
                            struct devid_error *err)
{
    const char *value = p11_kit_uri_get_pin_value(uri->kit);
    const char *source = p11_kit_uri_get_pin_source(uri->kit);
    const char *setting = devid_get(engine, "pin-source");

    *pin = NULL;
    *ask = false;
    if (value != NULL)
        return devid_secret_new(value, strlen(value), pin, err);
    if (source != NULL)
        return read_source(engine, source, pin, err);
    *ask = setting != NULL && strcmp(setting, "ask") == 0;
    if (*ask)
        return DEVID_OK;
    return devid_secret_from_setting(engine, "pin-source", pin, err);
}
