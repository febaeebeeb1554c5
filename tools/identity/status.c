/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "identities.h"
#include "message.h"
#include "open.h"
#include "output.h"
#include "paths.h"
#include "report.h"

enum {
    ROOT,
    PROMETHEUS,
    OUTPUT
};

enum {
    FILE_MODE = 0644 /* another user's node_exporter reads it */
};

static const struct option_row options[] = {
    [ROOT] = {"root", "DIRECTORY",
              "where identities are; the default is " IDENTITIES_ROOT, false,
              false},
    [PROMETHEUS] = {"prometheus", NULL,
                    "print metrics for Prometheus instead of text", false,
                    false},
    [OUTPUT] = {"output", "FILE",
                "write them to this file, such as one of node_exporter's "
                "textfile collector",
                false, false},
    {0},
};

/* ---- for people ---------------------------------------------------------- */

static const char *date(const json_t *identity, const char *member, char *room,
                        size_t size)
{
    time_t when = (time_t)json_integer_value(json_object_get(identity, member));
    struct tm utc;

    if (when == 0 || gmtime_r(&when, &utc) == NULL)
        return "";
    /* RFC 5280, 4.1.2.5: no well-defined end. */
    if (utc.tm_year + 1900 >= 9999)
        return "never";
    if (strftime(room, size, "%Y-%m-%d %H:%M", &utc) == 0)
        return "";
    return room;
}

static const char *expires(const json_t *identity, char *room, size_t size)
{
    return date(identity, "not_after", room, size);
}

static const char *renewal(const json_t *identity, char *room, size_t size)
{
    return date(identity, "next_renewal", room, size);
}

static const char *used_by(const json_t *identity, char *room, size_t size)
{
    const json_t *entry;
    size_t len = 0;
    size_t i;

    *room = '\0';
    json_array_foreach(json_object_get(identity, "used_by"), i, entry)
    {
        int got = snprintf(room + len, size - len, "%s%s", i > 0 ? ", " : "",
                           report_get(entry, "program"));

        if (got < 0 || (size_t)got >= size - len)
            break; /* all of them are in the JSON */
        len += (size_t)got;
    }
    return room;
}

static void print_sentence(const json_t *identity, const char *member,
                           const char *what)
{
    const char *text = report_get(identity, member);

    if (*text != '\0')
        printf("%s: %s%s\n", report_get(identity, "identity"), what, text);
}

static void print_table(const json_t *identities)
{
    static const struct report_column columns[] = {
        {"IDENTITY", "identity", NULL},
        {"STATE", "state", NULL},
        {"EXPIRES", NULL, expires},
        {"RENEWAL", NULL, renewal},
        {"SERIAL", "serial", NULL},
        {"SUBJECT", "subject", NULL},
        {"KEY", "key", NULL},
        {"USED BY", NULL, used_by},
        {0}};
    const json_t *identity;
    size_t i;

    if (json_array_size(identities) == 0) {
        puts("there are no identities");
        return;
    }
    report_print_columns(identities, columns);
    json_array_foreach(identities, i, identity)
    {
        print_sentence(identity, "conf_error", "");
        print_sentence(identity, "key_error", "its key: ");
        print_sentence(identity, "last_error", "last error: ");
    }
}

/* ---- for Prometheus ------------------------------------------------------ */

static enum exit_code write_metrics(const char *path, const json_t *identities)
{
    struct output out = {.directory = -1};
    BIO *bio = BIO_new(BIO_s_mem());
    enum exit_code code;
    char *text = NULL;
    long len;

    if (bio == NULL)
        die_no_memory();
    status_print_prometheus(bio, identities);
    len = BIO_get_mem_data(bio, &text);
    code = output_open(&out, path != NULL ? path : "-", true);
    out.mode = FILE_MODE;
    if (code == EXIT_DONE)
        code = output_write(&out, text, (size_t)len);
    output_close(&out);
    BIO_free(bio);
    return code;
}

/* ---- run ----------------------------------------------------------------- */

static enum exit_code print_all(const struct args *args, json_t *identities)
{
    json_t *report;

    if (args_flag(args, PROMETHEUS))
        return write_metrics(args_text(args, OUTPUT), identities);
    if (!args_flag(args, ROW_JSON)) {
        print_table(identities);
        return EXIT_DONE;
    }
    report = report_new();
    /* Also an empty list, which report_value would leave out. */
    if (json_object_set(report, "identities", identities) != 0)
        die_no_memory();
    report_print_json(report);
    json_decref(report);
    return EXIT_DONE;
}

static bool all_ok(const json_t *identities)
{
    const json_t *identity;
    bool ok = true;
    size_t i;

    json_array_foreach(identities, i, identity)
    {
        ok = ok && json_is_true(json_object_get(identity, "ok"));
    }
    return ok;
}

static enum exit_code run(const struct args *args)
{
    const char *given = args_text(args, ROOT);
    char root[PATH_MAX];
    struct devid *engine = NULL;
    json_t *identities = NULL;
    enum exit_code code;

    if (args_text(args, OUTPUT) != NULL && !args_flag(args, PROMETHEUS))
        return wrong_use("status", "--output is of --prometheus");
    if (args_flag(args, PROMETHEUS) && args_flag(args, ROW_JSON))
        return wrong_use("status", "--json and --prometheus exclude each "
                                   "other");
    code =
        path_for_configuration(given != NULL ? given : IDENTITIES_ROOT, root);
    if (code == EXIT_DONE)
        code = engine_open(args, NULL, &engine);
    if (code == EXIT_DONE)
        code = status_all(engine, root, &identities);
    if (code == EXIT_DONE) {
        status_add_use(identities);
        code = print_all(args, identities);
    }
    if (code == EXIT_DONE && !all_ok(identities))
        code = EXIT_FAILED;
    json_decref(identities);
    devid_free(&engine);
    return code;
}

static const struct exit_row exits[] = {
    {EXIT_DONE, "all identities are ok or waiting, or there are none"},
    {EXIT_FAILED, "one is not, or it failed"},
    {0},
};

const struct command status_command = {
    .name = "status",
    .operands = "",
    .help = "say how identities are: valid, renewed, and used by whom",
    .example = "  devid status\n"
               "  devid status --prometheus --output "
               "/var/lib/prometheus/node-exporter/devid.prom\n",
    .options = options,
    .common = TAKES(ROW_JSON),
    .exits = exits,
    .run = run,
};
