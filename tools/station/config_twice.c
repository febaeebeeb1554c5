/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings that station.conf has twice. OpenSSL's reader keeps the last of them
 * and forgets that there was another, so the lines are gone through once more.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "message.h"

enum {
    SETTINGS_MAX = 512 /* the rest is not looked at */
};

struct place {
    char *name; /* "section::setting"; OPENSSL_malloc */
    unsigned line;
};

struct scan {
    const char *file;
    char *section;
    struct place *seen;
    size_t count;
    unsigned line;
};

static char *text_of(const char *text, size_t len)
{
    char *own = OPENSSL_strndup(text, len);

    if (!own)
        die_no_memory();
    return own;
}

/* "[ ca ]" */
static void enter(struct scan *scan, const char *text)
{
    text += strspn(text, " \t");
    OPENSSL_free(scan->section);
    scan->section = text_of(text, strcspn(text, " \t]"));
}

/* "ca::key = ca.key" is what "key = ca.key" is in [ca]. */
static char *full_name(const struct scan *scan, const char *text)
{
    size_t len = strcspn(text, " \t=");
    char *name = text_of(text, len);
    char *full;

    if (strstr(name, "::"))
        return name;
    full = OPENSSL_malloc(strlen(scan->section) + len + 3);
    if (!full)
        die_no_memory();
    (void)sprintf(full, "%s::%s", scan->section, name);
    OPENSSL_free(name);
    return full;
}

static enum exit_code note_setting(struct scan *scan, const char *text)
{
    char *name = full_name(scan, text);
    enum exit_code code = EXIT_DONE;

    for (size_t i = 0; code == EXIT_DONE && i < scan->count; i++) {
        if (strcmp(scan->seen[i].name, name) == 0)
            code = fail("%s: %s in [%.*s] is set twice, in line %u and in line "
                        "%u: one of them is to go",
                        scan->file, strstr(name, "::") + 2,
                        (int)strcspn(name, ":"), name, scan->seen[i].line,
                        scan->line);
    }
    if (code != EXIT_DONE || scan->count == SETTINGS_MAX) {
        OPENSSL_free(name);
        return code;
    }
    scan->seen[scan->count++] = (struct place){name, scan->line};
    return EXIT_DONE;
}

/* Does it go on in the next one? */
static bool is_continued(const char *line)
{
    size_t len = strcspn(line, "\r\n");
    size_t slashes = 0;

    while (slashes < len && line[len - 1 - slashes] == '\\')
        slashes++;
    return slashes % 2 == 1;
}

/* ".include" and its like are OpenSSL's. */
static enum exit_code read_line(struct scan *scan, const char *line)
{
    line += strspn(line, " \t");
    if (*line == '[')
        enter(scan, line + 1);
    else if (line[strcspn(line, "=#")] == '=' && *line != '.')
        return note_setting(scan, line);
    return EXIT_DONE;
}

static enum exit_code read_lines(struct scan *scan, FILE *file)
{
    enum exit_code code = EXIT_DONE;
    bool continues = false;
    char *line = NULL;
    size_t size = 0;

    while (code == EXIT_DONE && getline(&line, &size, file) >= 0) {
        scan->line++;
        if (!continues)
            code = read_line(scan, line);
        continues = is_continued(line);
    }
    free(line);
    return code;
}

enum exit_code config_check_twice(const char *path)
{
    struct scan scan = {.file = path, .section = text_of("default", 7)};
    FILE *file = fopen(path, "re");
    enum exit_code code = EXIT_DONE;

    scan.seen = OPENSSL_zalloc(SETTINGS_MAX * sizeof(*scan.seen));
    if (!scan.seen)
        die_no_memory();
    if (file) {
        code = read_lines(&scan, file);
        (void)fclose(file); /* read only: nothing to lose */
    }
    for (size_t i = 0; i < scan.count; i++)
        OPENSSL_free(scan.seen[i].name);
    OPENSSL_free(scan.seen);
    OPENSSL_free(scan.section);
    return code;
}
