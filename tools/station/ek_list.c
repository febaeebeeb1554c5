/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "input.h"
#include "message.h"

struct ek_list {
    size_t count;
    char digests[][DEVID_EK_DIGEST_SIZE]; /* in their order */
};

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool is_hex(const char *text)
{
    return strspn(text, "0123456789abcdef") == DEVID_EK_DIGEST_SIZE - 1;
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
    memcpy(list->digests[list->count], line, DEVID_EK_DIGEST_SIZE - 1);
    list->digests[list->count++][DEVID_EK_DIGEST_SIZE - 1] = '\0';
    return EXIT_DONE;
}

enum exit_code ek_list_read(const char *path, struct ek_list **list)
{
    char *text = NULL;
    size_t len = 0;
    enum exit_code code = input_read(path, &text, &len);
    char *rest = text;
    char *line;
    int number = 0;

    *list = NULL;
    if (code != EXIT_DONE)
        return code;
    *list = OPENSSL_zalloc(sizeof(**list) + (len / DEVID_EK_DIGEST_SIZE + 1) *
                                                sizeof((*list)->digests[0]));
    if (!*list)
        die_no_memory();
    while (code == EXIT_DONE && (line = strsep(&rest, "\n")) != NULL)
        code = take_line(path, ++number, line, *list);
    OPENSSL_free(text);
    qsort((*list)->digests, (*list)->count, sizeof((*list)->digests[0]),
          compare);
    if (code != EXIT_DONE)
        ek_list_free(list);
    return code;
}

void ek_list_free(struct ek_list **list)
{
    OPENSSL_free(*list);
    *list = NULL;
}

bool ek_list_has(const struct ek_list *list, const char *digest)
{
    return bsearch(digest, list->digests, list->count, sizeof(list->digests[0]),
                   compare) != NULL;
}
