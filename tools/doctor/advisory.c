/* SPDX-License-Identifier: Apache-2.0 */
/* Known vulnerabilities: the data file, and what of it applies here. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"
#include "message.h"
#include "paths.h"
#include "report.h"
#include "rule.h"

#define DATA_FORMAT 1
#define YEAR (365LL * 24 * 60 * 60)

/* ---- the file ------------------------------------------------------------ */

/* Beside this tool in a build tree or below another prefix, else where it was
 * installed. */
static void default_path(char path[PATH_MAX])
{
    if (!path_from_program("doctor/advisories.json", path) &&
        !path_from_program("../share/devid/advisories.json", path))
        (void)snprintf(path, PATH_MAX, "%s/advisories.json", DEVID_DATA_DIR);
}

enum exit_code advisories_load(struct doctor *doctor, const char *path)
{
    char standard[PATH_MAX];
    json_error_t error;

    if (!path) {
        default_path(standard);
        path = standard;
        if (access(path, F_OK) != 0)
            return EXIT_DONE; /* said by a finding */
    }
    doctor->advisories = json_load_file(path, 0, &error);
    if (!doctor->advisories)
        return fail("%s is no data of vulnerabilities: line %d: %s", path,
                    error.line, error.text);
    if (fact_number(doctor->advisories, "format") != DATA_FORMAT)
        return fail("%s is no data of vulnerabilities that this devid doctor "
                    "reads: its member 'format' is not %d",
                    path, DATA_FORMAT);
    return EXIT_DONE;
}

/* ---- findings ------------------------------------------------------------ */

static const char *source_of(const json_t *advisory)
{
    const char *source = json_string_value(
        json_array_get(json_object_get(advisory, "sources"), 0));

    return source ? source : "";
}

static const char *title_of(struct doctor *doctor, const json_t *advisory)
{
    const char *name = report_get(advisory, "name");

    return words(doctor, "%s%s%s%s", report_get(advisory, "id"),
                 *name ? " (" : "", name, *name ? ")" : "");
}

static enum level level_of(const json_t *advisory)
{
    return strcmp(report_get(advisory, "level"), "warning") == 0 ? LEVEL_WARNING
                                                                 : LEVEL_BAD;
}

static void report_verdict(struct doctor *doctor, const json_t *advisory,
                           enum verdict verdict, const char *thing)
{
    const char *title = title_of(doctor, advisory);
    const char *source = source_of(advisory);
    const char *advice = report_get(advisory, "advice");
    struct finding finding = {
        .id = words(doctor, "advisory.%s", report_get(advisory, "id")),
        .means = report_get(advisory, "summary"),
        .source = source,
    };

    if (verdict == VERDICT_AFFECTED) {
        finding.level = level_of(advisory);
        finding.what = words(doctor, "%s affects %s", title, thing);
        finding.type =
            words(doctor, "%s%s(%s)", advice, *advice ? " " : "", source);
    } else {
        finding.level = LEVEL_NOTE;
        finding.what = words(doctor, "%s may affect %s", title, thing);
        finding.type = words(doctor,
                             "ask the maker: no public source says it "
                             "exactly (%s)",
                             source);
    }
    add_finding(doctor, &finding);
}

static bool counts(enum verdict verdict)
{
    return verdict == VERDICT_AFFECTED || verdict == VERDICT_MAY;
}

/* ---- keys: all moduli among the facts ------------------------------------ */

static const char *place_of(struct doctor *doctor, const json_t *holder,
                            const char *where)
{
    static const char *const names[] = {"handle", "index", "path", "subject",
                                        "uri"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *name = report_get(holder, names[i]);

        if (*name)
            return words(doctor, "%s%s%s", where, *where ? ", " : "", name);
    }
    return where;
}

static void judge_keys_in(struct doctor *doctor, const json_t *advisory,
                          json_t *facts, const char *where)
{
    const char *name;
    json_t *value;
    size_t i;

    if (json_is_object(facts)) {
        const char *here = place_of(doctor, facts, where);

        if (json_object_get(facts, "modulus") &&
            rules_on_key(advisory, facts) == VERDICT_AFFECTED)
            report_verdict(doctor, advisory, VERDICT_AFFECTED,
                           words(doctor, "the RSA key of %s", here));
        json_object_foreach(facts, name, value)
            judge_keys_in(doctor, advisory, value, here);
    }
    json_array_foreach(facts, i, value)
        judge_keys_in(doctor, advisory, value, where);
}

static bool has_rule_on_keys(const json_t *advisory)
{
    const json_t *rule;
    size_t i;

    json_array_foreach(json_object_get(advisory, "rules"), i, rule)
    {
        if (strcmp(report_get(rule, "of"), "key") == 0)
            return true;
    }
    return false;
}

/* ---- all ----------------------------------------------------------------- */

static void judge_one(struct doctor *doctor, const json_t *advisory)
{
    const json_t *packages = facts_of(doctor, "package");
    const char *package = "";
    struct chip chip;
    enum verdict verdict;

    if (chip_of(doctor, &chip)) {
        verdict = rules_on_chip(advisory, &chip);
        if (counts(verdict))
            report_verdict(doctor, advisory, verdict,
                           words(doctor, "this TPM (%s, firmware %s)",
                                 chip.maker, chip.firmware));
    }
    verdict = rules_on_package(advisory, packages, &package);
    if (counts(verdict))
        report_verdict(
            doctor, advisory, verdict,
            words(doctor, "%s %s", package,
                  report_get(json_object_get(json_object_get(packages, "list"),
                                             package),
                             "version")));
    if (has_rule_on_keys(advisory))
        judge_keys_in(doctor, advisory, doctor->facts, "");
}

/* ---- what was not compared ----------------------------------------------- */

/* Packages of the data that may be here, and whose version nobody has said. */
static const char *unknown_packages(struct doctor *doctor, const char *unknown)
{
    const json_t *facts = facts_of(doctor, "package");
    const json_t *list = json_object_get(facts, "list");
    json_t *seen = report_new();
    const json_t *advisory;
    const json_t *rule;
    size_t i;
    size_t j;

    json_array_foreach(json_object_get(doctor->advisories, "advisories"), i,
                       advisory)
    {
        json_array_foreach(json_object_get(advisory, "rules"), j, rule)
        {
            const char *name = report_get(rule, "package");

            if (*name == '\0' || json_object_get(list, name) ||
                json_object_get(seen, name))
                continue;
            report_flag(seen, name, true);
            unknown =
                words(doctor, "%s%s%s", unknown, *unknown ? ", " : "", name);
        }
    }
    json_decref(seen);
    return unknown;
}

/* "" where all was. */
static const char *not_compared(struct doctor *doctor)
{
    const char *unknown = "";
    struct chip chip;

    if (!chip_of(doctor, &chip) &&
        !fact_flag(facts_of(doctor, "access"), "token"))
        unknown = "the TPM";
    return fact_flag(facts_of(doctor, "package"), "complete")
               ? unknown
               : unknown_packages(doctor, unknown);
}

/* ---- the theme ----------------------------------------------------------- */

/* Data older than the machine's clock says by a year, or younger at all. */
static void judge_date(struct doctor *doctor)
{
    const char *date = report_get(doctor->advisories, "date");
    struct tm tm = {0};
    long long age;

    if (!strptime(date, "%Y-%m-%d", &tm))
        return;
    age = (long long)fact_now(doctor) - (long long)timegm(&tm);
    if (age < 0)
        is_bad(doctor, "clock",
               "this machine's clock is before the day on which devid's data "
               "were written",
               "certificates seem not yet valid, and renewal comes too late",
               "timedatectl status");
    else if (age > YEAR)
        is_note(
            doctor, "advisory.age",
            words(doctor, "the data of known vulnerabilities are of %s", date),
            "newer ones are not in them",
            "devid doctor --advisories a newer FILE");
}

static void judge_advisory(struct doctor *doctor, const json_t *facts)
{
    const json_t *list = json_object_get(doctor->advisories, "advisories");
    size_t before = json_array_size(doctor->findings);
    const json_t *advisory;
    const char *unknown;
    size_t i;

    (void)facts;
    if (!doctor->advisories) {
        is_note(doctor, "advisory.data",
                "there are no data of known vulnerabilities",
                "chips and libraries were not compared with them",
                "devid doctor --advisories FILE");
        return;
    }
    json_array_foreach(list, i, advisory) judge_one(doctor, advisory);
    unknown = not_compared(doctor);
    if (json_array_size(doctor->findings) == before)
        is_ok(doctor, "advisory",
              words(doctor,
                    "none of %zu known vulnerabilities applies%s (data of %s)",
                    json_array_size(list),
                    *unknown ? " to what was compared with them" : "",
                    report_get(doctor->advisories, "date")));
    if (*unknown)
        is_note(doctor, "advisory.compared",
                words(doctor, "not compared with known vulnerabilities: %s",
                      unknown),
                "nothing here says which versions they are of", NULL);
    judge_date(doctor);
}

const struct theme advisory_theme = {
    .name = "advisory",
    .judge = judge_advisory,
};
