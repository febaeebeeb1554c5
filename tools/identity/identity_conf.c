/* SPDX-License-Identifier: Apache-2.0 */
/* NAME.conf: devid.conf(5). OpenSSL's parser reads it, as it does openssl.cnf.
 */
#include "identities.h"

#include <limits.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "input.h"
#include "message.h"
#include "nearest.h"
#include "output.h"

#define AT(member) offsetof(struct identity_conf, member)

static const struct setting {
    const char *name;
    size_t offset;
} settings[] = {
    {"protocol", AT(protocol)},
    {"url", AT(url)},
    {"label", AT(label)},
    {"ca", AT(ca)},
    {"fingerprint", AT(fingerprint)},
    {"device", AT(device)},
    {"algorithm", AT(algorithm)},
    {"parent", AT(parent)},
    {"subject", AT(subject)},
    {"san", AT(san)},
    {"user", AT(user)},
    {"secret-source", AT(secret_source)},
    {"idevid", AT(idevid)},
    {"after", AT(after)},
};

#define SAME_KEY "same-key"

enum {
    SETTINGS = sizeof(settings) / sizeof(*settings),
    CONF_MODE = 0644
};

static char **member(const struct identity_conf *conf, int i)
{
    return (char **)(uintptr_t)((const char *)conf + settings[i].offset);
}

void identity_conf_clear(struct identity_conf *conf)
{
    for (int i = 0; i < SETTINGS; i++)
        OPENSSL_free(*member(conf, i));
    *conf = (struct identity_conf){0};
}

static enum exit_code conf_path(const struct identity *identity,
                                char path[PATH_MAX])
{
    if (snprintf(path, PATH_MAX, "%s.conf", identity->folder) < PATH_MAX)
        return EXIT_DONE;
    return fail("the path of %s is too long", identity->folder);
}

/* ---- read ---------------------------------------------------------------- */

struct reader {
    const char *path;
    const char *text; /* of the file; NUL-ended */
    struct identity_conf *conf;
};

/* The line, from 1, behind `after`, that gives this setting; 0: none. */
static int line_of(const char *text, const char *name, int after)
{
    size_t len = strlen(name);
    int line = 1;

    for (; text != NULL; line++) {
        const char *at = text + strspn(text, " \t");

        if (line > after && strncmp(at, name, len) == 0 &&
            at[len + strspn(at + len, " \t")] == '=')
            return line;
        text = strchr(text, '\n');
        if (text != NULL)
            text++;
    }
    return 0;
}

static enum exit_code unknown(const struct reader *reader, const char *name)
{
    struct nearest nearest = {.mistyped = name};

    for (int i = 0; i < SETTINGS; i++)
        nearest_offer(&nearest, settings[i].name, NULL);
    nearest_offer(&nearest, SAME_KEY, NULL);
    return fail("%s, line %d: there is no setting %s%s%s%s", reader->path,
                line_of(reader->text, name, 0), name,
                nearest.word ? "; did you mean "
                             : "; devid.conf(5) has those "
                               "that there are",
                nearest.word ? nearest.word : "", nearest.word ? "?" : "");
}

static enum exit_code take(const struct reader *reader, const char *name,
                           const char *value)
{
    int first = line_of(reader->text, name, 0);
    int second = line_of(reader->text, name, first);

    if (second > 0)
        return fail("%s, line %d: %s is given a second time, after line %d",
                    reader->path, second, name, first);
    if (*value == '\0')
        return fail("%s, line %d: %s is empty", reader->path, first, name);
    for (int i = 0; i < SETTINGS; i++) {
        if (strcmp(settings[i].name, name) == 0) {
            identity_set(member(reader->conf, i), value);
            return EXIT_DONE;
        }
    }
    if (strcmp(name, SAME_KEY) != 0)
        return unknown(reader, name);
    reader->conf->same_key = strcmp(value, "yes") == 0;
    if (reader->conf->same_key || strcmp(value, "no") == 0)
        return EXIT_DONE;
    return fail("%s, line %d: " SAME_KEY " is yes or no, not '%s'",
                reader->path, first, value);
}

static enum exit_code take_all(const struct reader *reader, const CONF *file)
{
    STACK_OF(OPENSSL_CSTRING) *sections = NCONF_get_section_names(file);
    STACK_OF(CONF_VALUE) *rows = NCONF_get_section(file, "default");
    enum exit_code code = EXIT_DONE;

    for (int i = 0; i < sk_OPENSSL_CSTRING_num(sections); i++) {
        const char *section = sk_OPENSSL_CSTRING_value(sections, i);

        if (code == EXIT_DONE && strcmp(section, "default") != 0)
            code = fail("%s has a section [%s]: it is to have none, only lines "
                        "name = value",
                        reader->path, section);
    }
    for (int i = 0; code == EXIT_DONE && i < sk_CONF_VALUE_num(rows); i++) {
        const CONF_VALUE *row = sk_CONF_VALUE_value(rows, i);

        code = take(reader, row->name, row->value);
    }
    sk_OPENSSL_CSTRING_free(sections);
    return code;
}

static enum exit_code parse(const struct reader *reader, size_t len)
{
    BIO *bio = BIO_new_mem_buf(reader->text, (int)len);
    CONF *file = NCONF_new(NULL);
    const char *why;
    long line = 0;
    enum exit_code code;

    if (bio == NULL || file == NULL)
        die_no_memory();
    if (NCONF_load_bio(file, bio, &line) == 1) {
        code = take_all(reader, file);
    } else {
        why = ERR_reason_error_string(ERR_peek_last_error());
        code = fail("%s, line %ld (%s): a line is name = value, with a "
                    "backslash before each of \\ $ \" ' ` #, or # a comment",
                    reader->path, line, why ? why : "unreadable");
    }
    ERR_clear_error();
    NCONF_free(file);
    BIO_free(bio);
    return code;
}

/* It may name a command, which then is whoever's that may write here. */
static enum exit_code check_mode(const char *path, const struct stat *info)
{
    if ((info->st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return EXIT_DONE;
    return fail("%s may be written by others than its owner: chmod 644 %s",
                path, path);
}

enum exit_code identity_conf_read(struct identity *identity, bool *there)
{
    char path[PATH_MAX];
    struct reader reader = {.path = path, .conf = &identity->conf};
    struct stat info;
    char *text = NULL;
    size_t len = 0;
    enum exit_code code = conf_path(identity, path);

    *there = code == EXIT_DONE && stat(path, &info) == 0;
    if (!*there)
        return code;
    code = check_mode(path, &info);
    if (code == EXIT_DONE)
        code = input_read(path, &text, &len);
    reader.text = text;
    if (code == EXIT_DONE)
        code = parse(&reader, len);
    OPENSSL_clear_free(text, len);
    return code;
}

/* ---- check --------------------------------------------------------------- */

static enum exit_code missing(const struct identity *identity, const char *name,
                              const char *what)
{
    return fail("the identity '%s' has no %s: %s", identity->name, name, what);
}

enum exit_code identity_conf_check(const struct identity *identity)
{
    const struct identity_conf *conf = &identity->conf;

    if (conf->protocol == NULL || (strcmp(conf->protocol, "est") != 0 &&
                                   strcmp(conf->protocol, "cmp") != 0))
        return missing(identity, "protocol", "that is est or cmp");
    if (conf->url == NULL)
        return missing(identity, "url", "that is where its CA is");
    if (strcmp(conf->protocol, "est") == 0 &&
        strncmp(conf->url, "https://", strlen("https://")) != 0)
        return fail("the identity '%s' has the url %s: EST's begins with "
                    "https://",
                    identity->name, conf->url);
    if (strcmp(conf->protocol, "cmp") == 0 &&
        strncmp(conf->url, "http://", strlen("http://")) != 0 &&
        strncmp(conf->url, "https://", strlen("https://")) != 0)
        return fail("the identity '%s' has the url %s: CMP's begins with "
                    "http:// or https://",
                    identity->name, conf->url);
    if (strcmp(conf->protocol, "cmp") == 0 && conf->fingerprint != NULL)
        return fail(
            "the identity '%s' has a fingerprint, by which CMP knows no "
            "CA: ca names its certificate",
            identity->name);
    if (conf->device != NULL && strstr(conf->device, "pin-value=") != NULL)
        return fail("the identity '%s' has a device with pin-value: the PIN "
                    "would stand where others read it; pin-source=file:PATH "
                    "says where it is",
                    identity->name);
    if ((conf->user == NULL) != (conf->secret_source == NULL))
        return missing(identity, conf->user == NULL ? "user" : "secret-source",
                       "the two go together");
    return EXIT_DONE;
}

/* ---- write --------------------------------------------------------------- */

/* config(5) takes some characters for its own. */
static enum exit_code put(BIO *bio, const char *name, const char *value)
{
    if (BIO_printf(bio, "%s = ", name) <= 0)
        die_no_memory();
    for (const char *c = value; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ')
            return fail("%s holds a control character, which a configuration "
                        "cannot have",
                        name);
        if ((strchr("\\$\"'#`", *c) != NULL && BIO_write(bio, "\\", 1) != 1) ||
            BIO_write(bio, c, 1) != 1)
            die_no_memory();
    }
    if (BIO_write(bio, "\n", 1) != 1)
        die_no_memory();
    return EXIT_DONE;
}

static enum exit_code put_all(BIO *bio, const struct identity_conf *conf)
{
    enum exit_code code = EXIT_DONE;

    if (BIO_puts(bio, "# The identity's configuration: devid.conf(5).\n") <= 0)
        die_no_memory();
    for (int i = 0; code == EXIT_DONE && i < SETTINGS; i++) {
        if (*member(conf, i) != NULL)
            code = put(bio, settings[i].name, *member(conf, i));
    }
    if (code == EXIT_DONE && conf->same_key)
        code = put(bio, SAME_KEY, "yes");
    return code;
}

enum exit_code identity_conf_write(const struct identity *identity)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char path[PATH_MAX];
    struct output out;
    char *text = NULL;
    enum exit_code code;
    long len;

    if (bio == NULL)
        die_no_memory();
    code = put_all(bio, &identity->conf);
    if (code == EXIT_DONE)
        code = conf_path(identity, path);
    if (code == EXIT_DONE)
        code = output_open(&out, path, true);
    if (code == EXIT_DONE) {
        out.mode = CONF_MODE;
        len = BIO_get_mem_data(bio, &text);
        code = output_write(&out, text, (size_t)len);
        output_close(&out);
    }
    BIO_free(bio);
    return code;
}
