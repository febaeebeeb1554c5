/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "message.h"

typedef char digest_text[DEVID_EK_DIGEST_SIZE];

struct ek_list {
    size_t count;
    size_t room;
    digest_text *digests; /* in their order */
};

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool is_hex(const char *text)
{
    return strspn(text, "0123456789abcdef") == DEVID_EK_DIGEST_SIZE - 1;
}

static void make_room(struct ek_list *list)
{
    size_t room = list->room ? 2 * list->room : 64;
    void *more;

    if (list->count < list->room)
        return;
    more = realloc(list->digests, room * sizeof(list->digests[0]));
    if (!more)
        die_no_memory();
    list->digests = more;
    list->room = room;
}

/* What follows the digest is a comment; so are lines that begin with #. */
static enum exit_code take_line(const char *path, int number, char *line,
                                struct ek_list *list)
{
    line += strspn(line, " \t\r");
    for (char *c = line; *c && *c != ' '; c++) {
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c - 'A' + 'a');
    }
    if (*line == '\0' || *line == '#')
        return EXIT_DONE;
    if (!is_hex(line) || (line[DEVID_EK_DIGEST_SIZE - 1] != '\0' &&
                          !strchr(" \t\r", line[DEVID_EK_DIGEST_SIZE - 1])))
        return fail("%s: line %d does not begin with a SHA-256 in hex, which "
                    "devid whoami prints of a device",
                    path, number);
    make_room(list);
    memcpy(list->digests[list->count], line, DEVID_EK_DIGEST_SIZE - 1);
    list->digests[list->count++][DEVID_EK_DIGEST_SIZE - 1] = '\0';
    return EXIT_DONE;
}

/* A vendor's list may be long: it is read line by line. */
static enum exit_code read_lines(const char *path, FILE *f,
                                 struct ek_list *list)
{
    enum exit_code code = EXIT_DONE;
    char *line = NULL;
    size_t size = 0;
    int number = 0;

    while (code == EXIT_DONE && getline(&line, &size, f) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        code = take_line(path, ++number, line, list);
    }
    if (code == EXIT_DONE && ferror(f))
        code = fail("%s cannot be read: %s", path, strerror(errno));
    free(line);
    return code;
}

enum exit_code ek_list_read(const char *path, struct ek_list **list)
{
    FILE *f = fopen(path, "re");
    enum exit_code code;

    *list = NULL;
    if (!f)
        return fail("%s cannot be read: %s", path, strerror(errno));
    *list = OPENSSL_zalloc(sizeof(**list));
    if (!*list)
        die_no_memory();
    code = read_lines(path, f, *list);
    (void)fclose(f); /* read only: nothing to lose */
    if (code == EXIT_DONE && (*list)->count > 0)
        qsort((*list)->digests, (*list)->count, sizeof((*list)->digests[0]),
              compare);
    if (code != EXIT_DONE)
        ek_list_free(list);
    return code;
}

void ek_list_free(struct ek_list **list)
{
    if (*list)
        free((*list)->digests);
    OPENSSL_free(*list);
    *list = NULL;
}

bool ek_list_has(const struct ek_list *list, const char *digest)
{
    if (list->count == 0)
        return false;
    return bsearch(digest, list->digests, list->count, sizeof(list->digests[0]),
                   compare) != NULL;
}
