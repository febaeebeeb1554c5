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

void log_answer(const struct log_request *request, const struct exchange *x)
{
    char now[TIME_TEXT_SIZE];
    json_t *line;

    time_text(now_ms(), now);
    line = json_pack("{s:s,s:s*,s:s,s:s*,s:i,s:I}", "time", now, "peer",
                     request->peer, "method", request->method, "path",
                     request->path, "status", x->status, "ms",
                     (json_int_t)(now_ms() - request->began_ms));
    if (line && x->who[0])
        (void)json_object_set_new(line, "who", json_string(x->who));
    if (line && x->serial[0])
        (void)json_object_set_new(line, "serial", json_string(x->serial));
    if (line && x->code[0])
        (void)json_object_set_new(line, "code", json_string(x->code));
    if (line && x->message[0])
        (void)json_object_set_new(line, "message", json_string(x->message));
    log_line(line);
}
