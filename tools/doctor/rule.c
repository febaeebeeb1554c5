/* SPDX-License-Identifier: Apache-2.0 */
#include "rule.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "attest.h"
#include "report.h"
#include "tpm.h"
#include "version.h"

static enum verdict verdict_of(const json_t *rule)
{
    static const struct {
        const char *name;
        enum verdict verdict;
    } names[] = {
        {"affected", VERDICT_AFFECTED},
        {"may", VERDICT_MAY},
        {"clear", VERDICT_CLEAR},
    };
    const char *name = report_get(rule, "verdict");

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(names[i].name, name) == 0)
            return names[i].verdict;
    }
    return VERDICT_NONE;
}

static bool is_of(const json_t *rule, const char *what)
{
    return strcmp(report_get(rule, "of"), what) == 0;
}

static bool holds(const json_t *list, const char *text)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (json_string_value(item) &&
            strcmp(json_string_value(item), text) == 0)
            return true;
    }
    return false;
}

/* ---- chips --------------------------------------------------------------- */

bool chip_of(const struct doctor *doctor, struct chip *chip)
{
    const json_t *tpm = facts_of(doctor, "tpm");
    const json_t *widths =
        json_object_get(doctor->advisories, "firmware_widths");
    uint32_t v1 = 0;
    uint32_t v2 = 0;
    uint32_t revision = 0;

    *chip = (struct chip){.csme = report_get(tpm, "csme"),
                          .sleep = report_get(tpm, "sleep")};
    if (!json_object_get(tpm, "properties"))
        return false;
    tpm_manufacturer(tpm, chip->maker, sizeof(chip->maker));
    (void)tpm_property(tpm, PT_FIRMWARE_VERSION_1, &v1);
    (void)tpm_property(tpm, PT_FIRMWARE_VERSION_2, &v2);
    (void)tpm_property(tpm, PT_REVISION, &revision);
    firmware_version(v1, v2, json_object_get(widths, chip->maker),
                     chip->firmware, sizeof(chip->firmware));
    (void)snprintf(chip->revision, sizeof(chip->revision), "%u.%02u",
                   revision / 100, revision % 100);
    return true;
}

/* A condition that a rule does not have holds. */
static bool in_ranges(const json_t *rule, const char *name, const char *version)
{
    const json_t *ranges = json_object_get(rule, name);

    return !ranges || (*version && version_in(version, ranges));
}

static bool rule_on_chip(const json_t *rule, const struct chip *chip)
{
    const json_t *makers = json_object_get(rule, "manufacturer");
    const json_t *others = json_object_get(rule, "not_manufacturer");
    const char *sleep = report_get(rule, "sleep");

    return is_of(rule, "tpm") && (!makers || holds(makers, chip->maker)) &&
           !holds(others, chip->maker) &&
           in_ranges(rule, "firmware", chip->firmware) &&
           in_ranges(rule, "csme", chip->csme) &&
           in_ranges(rule, "revision", chip->revision) &&
           (!*sleep || strstr(chip->sleep, sleep));
}

enum verdict rules_on_chip(const json_t *advisory, const struct chip *chip)
{
    const json_t *rule;
    size_t i;

    json_array_foreach(json_object_get(advisory, "rules"), i, rule)
    {
        if (rule_on_chip(rule, chip))
            return verdict_of(rule);
    }
    return VERDICT_NONE;
}

/* ---- packages ------------------------------------------------------------ */

/*
 * Distributions mend old versions. Where the data say from which of theirs on,
 * that decides; where they do not, a version with a revision may be mended.
 */
static enum verdict mended(const json_t *rule, const char *system,
                           const char *version)
{
    const char *fixed = report_get(json_object_get(rule, "fixed"), system);

    if (*fixed)
        return deb_version_compare(version, fixed) >= 0 ? VERDICT_CLEAR
                                                        : verdict_of(rule);
    return strchr(version, '-') ? VERDICT_MAY : verdict_of(rule);
}

enum verdict rules_on_package(const json_t *advisory, const json_t *packages,
                              const char **name)
{
    const json_t *list = json_object_get(packages, "list");
    const json_t *rule;
    size_t i;

    json_array_foreach(json_object_get(advisory, "rules"), i, rule)
    {
        const json_t *package =
            json_object_get(list, report_get(rule, "package"));
        const char *version = report_get(package, "version");
        char upstream[64];

        if (!is_of(rule, "package") || !*version)
            continue;
        deb_version_upstream(version, upstream, sizeof(upstream));
        if (!in_ranges(rule, "version", upstream))
            continue;
        *name = report_get(rule, "package");
        return mended(rule, report_get(packages, "system"), version);
    }
    return VERDICT_NONE;
}

/* ---- keys ---------------------------------------------------------------- */

enum verdict rules_on_key(const json_t *advisory, const json_t *key)
{
    const json_t *rule;
    size_t i;

    json_array_foreach(json_object_get(advisory, "rules"), i, rule)
    {
        long len = 0;
        uint8_t *modulus;
        bool weak;

        if (!is_of(rule, "key") ||
            strcmp(report_get(rule, "test"), "roca") != 0)
            continue;
        modulus = OPENSSL_hexstr2buf(report_get(key, "modulus"), &len);
        ERR_clear_error(); /* a dump may say anything */
        weak = modulus && devid_roca_fingerprint(modulus, (size_t)len);
        OPENSSL_free(modulus);
        return weak ? verdict_of(rule) : VERDICT_CLEAR;
    }
    return VERDICT_NONE;
}
