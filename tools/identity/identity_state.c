/* SPDX-License-Identifier: Apache-2.0 */
/* NAME.state, an object of JSON; times in it as RFC 3339 has them, in UTC. */
#include "identities.h"

#include <jansson.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "message.h"
#include "output.h"
#include "report.h"

#define AT(member) offsetof(struct identity_state, member)
#define TIME_FORMAT "%Y-%m-%dT%H:%M:%SZ"

static const struct member {
    const char *name;
    enum kind {
        TIME,
        TEXT,
        FLAG
    } kind;
    size_t offset;
} members[] = {
    {"last_attempt", TIME, AT(last_attempt)},
    {"last_success", TIME, AT(last_success)},
    {"last_error", TEXT, AT(last_error)},
    {"next_renewal", TIME, AT(next_renewal)},
    {"hook_pending", FLAG, AT(hook_pending)},
    {"pending_label", TEXT, AT(pending_label)},
    {"pending_key", TEXT, AT(pending_key)},
    {"pending_request", TEXT, AT(pending_request)},
    {"retry_at", TIME, AT(retry_at)},
    {"retired", TEXT, AT(retired)},
};

enum {
    MEMBERS = sizeof(members) / sizeof(*members),
    STATE_MODE = 0644
};

static void *at(const struct identity_state *state, int i)
{
    return (void *)(uintptr_t)((const char *)state + members[i].offset);
}

void identity_set(char **member, const char *text)
{
    char *copy = text != NULL ? OPENSSL_strdup(text) : NULL;

    if (text != NULL && copy == NULL)
        die_no_memory();
    OPENSSL_free(*member);
    *member = copy;
}

void identity_state_clear(struct identity_state *state)
{
    for (int i = 0; i < MEMBERS; i++) {
        if (members[i].kind == TEXT)
            OPENSSL_free(*(char **)at(state, i));
    }
    *state = (struct identity_state){0};
}

static bool state_path(const struct identity *identity, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s.state", identity->folder) < PATH_MAX;
}

/* ---- read ---------------------------------------------------------------- */

static int64_t time_of(const char *text)
{
    struct tm tm = {0};
    const char *end = text != NULL ? strptime(text, TIME_FORMAT, &tm) : NULL;

    return end != NULL && *end == '\0' ? (int64_t)timegm(&tm) : 0;
}

static void take(struct identity_state *state, int i, const json_t *value)
{
    switch (members[i].kind) {
    case TIME:
        *(int64_t *)at(state, i) = time_of(json_string_value(value));
        break;
    case TEXT:
        identity_set(at(state, i), json_string_value(value));
        break;
    case FLAG:
        *(bool *)at(state, i) = json_is_true(value);
        break;
    }
}

void identity_state_read(struct identity *identity)
{
    char path[PATH_MAX];
    json_error_t why;
    json_t *file;

    if (!state_path(identity, path) || access(path, F_OK) != 0)
        return;
    file = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(file))
        note("%s is no object of JSON (%s): it is begun anew", path,
             file == NULL ? why.text : "something else");
    for (int i = 0; i < MEMBERS; i++)
        take(&identity->state, i, json_object_get(file, members[i].name));
    json_decref(file);
}

/* ---- write --------------------------------------------------------------- */

/* A key's lines stay lines; what is no UTF-8 is made some. */
static void put_text(json_t *file, const char *name, const char *text)
{
    json_t *value = text != NULL ? json_string(text) : NULL;

    if (value != NULL)
        report_value(file, name, value);
    else
        report_text(file, name, text);
}

static void put(json_t *file, const struct identity_state *state, int i)
{
    const char *name = members[i].name;
    char text[64];
    struct tm tm;
    time_t time;

    switch (members[i].kind) {
    case TIME:
        time = (time_t) * (const int64_t *)at(state, i);
        if (time != 0 && gmtime_r(&time, &tm) != NULL &&
            strftime(text, sizeof(text), TIME_FORMAT, &tm) > 0)
            report_text(file, name, text);
        break;
    case TEXT:
        put_text(file, name, *(char *const *)at(state, i));
        break;
    case FLAG:
        report_flag(file, name, *(const bool *)at(state, i));
        break;
    }
}

enum exit_code identity_state_write(const struct identity *identity)
{
    json_t *file = report_new();
    char path[PATH_MAX];
    struct output out;
    enum exit_code code;
    char *text;

    for (int i = 0; i < MEMBERS; i++)
        put(file, &identity->state, i);
    text = json_dumps(file, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    json_decref(file);
    if (text == NULL)
        die_no_memory();
    code = state_path(identity, path)
               ? output_open(&out, path, true)
               : fail("the path of %s is too long", identity->folder);
    if (code == EXIT_DONE) {
        out.mode = STATE_MODE;
        code = output_write(&out, text, strlen(text));
        output_close(&out);
    }
    free(text);
    return code;
}
