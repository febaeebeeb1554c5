/* SPDX-License-Identifier: Apache-2.0 */
/* The command: looks, or reads what another run saw; judges; prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "commands.h"
#include "doctor.h"
#include "input.h"
#include "message.h"
#include "open.h"
#include "output.h"
#include "report.h"

/* A dump of another format is refused, not misread. */
#define DUMP_FORMAT 1

enum {
    IDENTITY,
    EK_ROOTS,
    ADVISORIES,
    ACCEPT,
    ROOT,
    DUMP,
    FROM,
};

static const struct option_row options[] = {
    [IDENTITY] = {"identity", "DIR",
                  "the folder of an identity; the default is each folder in "
                  "/var/lib/devid",
                  false, true},
    [EK_ROOTS] = {"ek-roots", "PATH",
                  "certificates of TPM vendors, a file or a folder: verify "
                  "those of the endorsement keys",
                  false, false},
    [ADVISORIES] = {"advisories", "FILE",
                    "the data of known vulnerabilities; the default is the "
                    "file that was installed with devid",
                    false, false},
    [ACCEPT] = {"accept", "ID",
                "a finding that is known and no longer counts, by its id",
                false, true},
    [ROOT] = {"root", "DIR",
              "look at the files of the system below DIR, such as a mounted "
              "image, instead of this one's",
              false, false},
    [DUMP] = {"dump", "FILE",
              "also write what was seen, as JSON, for --from and bug reports",
              false, false},
    [FROM] = {"from", "FILE", "judge such a dump, and look at nothing here",
              false, false},
    {0},
};

/* In the order in which they look, since some build on others, and print. */
static const struct theme *const themes[] = {
    &access_theme,   &tpm_theme,      &ek_theme,      &token_theme,
    &identity_theme, &service_theme,  &openssl_theme, &p11kit_theme,
    &package_theme,  &advisory_theme, NULL,
};

static void look(struct doctor *doctor)
{
    report_number(doctor->facts, "format", DUMP_FORMAT);
    report_text(doctor->facts, "devid", DEVID_VERSION);
    report_number(doctor->facts, "now", (json_int_t)time(NULL));
    for (size_t i = 0; themes[i]; i++) {
        json_t *facts = report_new();
        if (themes[i]->look)
            themes[i]->look(doctor, facts);
        report_value(doctor->facts, themes[i]->name, facts);
    }
}

static void judge(struct doctor *doctor)
{
    for (size_t i = 0; themes[i]; i++)
        themes[i]->judge(doctor, facts_of(doctor, themes[i]->name));
}

/* With a device that cannot even be named, the rest is looked at all the same.
 */
static enum exit_code look_here(struct doctor *doctor)
{
    if (engine_open(doctor->args, args_text(doctor->args, ROW_DEVICE),
                    &doctor->engine))
        doctor->engine_error = "devid's settings, on the command line or in "
                               "the environment, are refused";
    look(doctor);
    devid_free(&doctor->engine);
    return EXIT_DONE;
}

static enum exit_code read_dump(struct doctor *doctor, const char *path)
{
    json_error_t error;
    char *text = NULL;
    size_t len = 0;
    enum exit_code code = input_read(path, &text, &len);

    if (code != EXIT_DONE)
        return code;
    json_decref(doctor->facts);
    doctor->facts = json_loadb(text, len, 0, &error);
    OPENSSL_clear_free(text, len);
    if (!json_is_object(doctor->facts))
        return fail("%s is no dump of devid doctor: line %d: %s", path,
                    error.line, error.text);
    if (fact_number(doctor->facts, "format") != DUMP_FORMAT)
        return fail("%s is no dump that this devid doctor reads: its member "
                    "'format' is not %d",
                    path, DUMP_FORMAT);
    return EXIT_DONE;
}

static enum exit_code write_dump(const struct doctor *doctor,
                                 const struct output *out)
{
    char *text = json_dumps(doctor->facts, JSON_INDENT(2));
    enum exit_code code;

    if (!text)
        die_no_memory();
    code = output_write(out, text, strlen(text));
    free(text);
    return code;
}

static enum exit_code see(struct doctor *doctor)
{
    const char *from = args_text(doctor->args, FROM);
    const char *dump = args_text(doctor->args, DUMP);
    struct output out = {.directory = -1};
    enum exit_code code;

    if (from)
        return read_dump(doctor, from);
    if (dump && output_open(&out, dump, args_flag(doctor->args, ROW_FORCE)))
        return EXIT_FAILED;
    code = look_here(doctor);
    if (code == EXIT_DONE && dump)
        code = write_dump(doctor, &out);
    output_close(&out);
    return code;
}

static bool wants_colour(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && term &&
           strcmp(term, "dumb") != 0;
}

static void print(const struct doctor *doctor)
{
    json_t *report;

    if (!args_flag(doctor->args, ROW_JSON)) {
        print_findings(doctor, wants_colour());
        return;
    }
    report = findings_report(doctor);
    report_print_json(report);
    json_decref(report);
}

static enum exit_code examine(struct doctor *doctor)
{
    enum exit_code code =
        advisories_load(doctor, args_text(doctor->args, ADVISORIES));

    if (code == EXIT_DONE)
        code = see(doctor);
    if (code != EXIT_DONE)
        return code;
    judge(doctor);
    print(doctor);
    return count_findings(doctor, LEVEL_BAD) +
                       count_findings(doctor, LEVEL_WARNING) >
                   0
               ? EXIT_FAILED
               : EXIT_DONE;
}

static enum exit_code run(const struct args *args)
{
    struct doctor doctor = {
        .args = args,
        .root = args_text(args, ROOT) ? args_text(args, ROOT) : "",
        .ek_roots = args_text(args, EK_ROOTS),
        .facts = report_new(),
        .findings = report_array(),
        .kept = report_array(),
    };
    enum exit_code code;

    doctor.identities = args_list(args, IDENTITY);
    doctor.accepted = args_list(args, ACCEPT);
    if (args_text(args, FROM) && args_text(args, DUMP))
        code = wrong_use("doctor", "--from looks at nothing that --dump could "
                                   "write");
    else
        code = examine(&doctor);
    free(doctor.identities);
    free(doctor.accepted);
    json_decref(doctor.advisories);
    json_decref(doctor.facts);
    json_decref(doctor.findings);
    json_decref(doctor.kept);
    return code;
}

static const struct exit_row exits[] = {
    {EXIT_DONE, "nothing is bad and nothing is to be looked at"},
    {EXIT_FAILED, "something is, or it failed"},
    {0},
};

const struct command doctor_command = {
    .name = "doctor",
    .operands = "",
    .help = "say what is right here, what is wrong, and what to type",
    .example = "  devid doctor\n"
               "  devid doctor --json | jq -r '.findings[] | "
               "select(.level == \"bad\") | .what'\n",
    .options = options,
    .common = TAKES(ROW_DEVICE) | TAKES(ROW_TCTI) | TAKES(ROW_MODULE) |
              TAKES(ROW_AUTH_SOURCE) | TAKES(ROW_FORCE) | TAKES(ROW_JSON),
    .exits = exits,
    .run = run,
};
