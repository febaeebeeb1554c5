/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server.h"

/* In one write, so that lines of several threads do not mix. */
void log_line(json_t *line)
{
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    size_t len = text ? strlen(text) : 0;
    ssize_t written;

    json_decref(line);
    if (!text)
        return;
    text[len] = '\n'; /* in place of the NUL */
    written = write(STDOUT_FILENO, text, len + 1);
    (void)written; /* there is nowhere else to say it */
    free(text);
}
