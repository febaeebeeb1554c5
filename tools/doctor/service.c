/* SPDX-License-Identifier: Apache-2.0 */
/* Units of systemd that keep the TPM from the program they start. */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "report.h"
#include "unit.h"

/* Programs that take keys of devid: docs/programs.md. "@" ends a template. */
static const char *const known[] = {
    "apache2",   "dnsdist",    "dovecot",      "exim4",    "freeradius",
    "haproxy",   "hitch",      "lighttpd",     "mariadb",  "nginx",
    "openvpn",   "postfix",    "rsyslog",      "slapd",    "mosquitto",
    "pgbouncer", "postgresql", "redis-server", "stunnel4", "stunnel",
    "unbound",   "varnish",
};

/* "stunnel@", "postgresql@main" and "nginx" by their first part. */
static bool is_known(const char *name)
{
    size_t len = strcspn(name, "@.");

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (strlen(known[i]) == len && strncmp(known[i], name, len) == 0)
            return true;
    }
    return false;
}

static bool is_service(const struct dirent *entry)
{
    const char *name = entry->d_name;
    size_t len = strlen(name);

    return entry->d_type != DT_LNK && len > 8 &&
           strcmp(name + len - 8, ".service") == 0;
}

static bool is_in(const json_t *list, const char *name)
{
    const json_t *unit;
    size_t i;

    json_array_foreach(list, i, unit)
    {
        if (strcmp(report_get(unit, "name"), name) == 0)
            return true;
    }
    return false;
}

/* Those that are told where devid is, and servers that are known. */
static void take_unit(const struct doctor *doctor, json_t *list,
                      const char *name)
{
    json_t *unit;

    if (is_in(list, name))
        return;
    unit = look_at_unit(doctor, name);
    if (is_known(name) || json_object_get(unit, "openssl_conf") ||
        json_object_get(unit, "tcti")) {
        report_append(list, unit);
        return;
    }
    json_decref(unit);
}

static void look_service(struct doctor *doctor, json_t *facts)
{
    json_t *list = report_array();
    char full[PATH_MAX];

    for (size_t i = 0; i < UNIT_FOLDERS; i++) {
        struct dirent **entries = NULL;
        int count;

        path_below(doctor, unit_folders[i], full);
        count = scandir(full, &entries, NULL, alphasort);
        for (int j = 0; j < count; j++) {
            if (is_service(entries[j]))
                take_unit(doctor, list, entries[j]->d_name);
            free(entries[j]);
        }
        free(entries);
    }
    report_value(facts, "units", list);
}

/* ---- judging ------------------------------------------------------------- */

static bool allows_tpm(const json_t *unit)
{
    const json_t *allowed;
    size_t i;

    json_array_foreach(json_object_get(unit, "device_allow"), i, allowed)
    {
        const char *text = json_string_value(allowed);

        if (text && strstr(text, "tpm"))
            return true;
    }
    return false;
}

/* What in the unit hides the chip; NULL: nothing does. systemd.exec(5). */
static const char *hides(const json_t *unit)
{
    const char *policy = report_get(unit, "device_policy");
    const char *tcti = report_get(unit, "tcti");

    if (*tcti && strncmp(tcti, "device", 6) != 0)
        return NULL; /* its TPM is no file in /dev */
    if (fact_flag(unit, "private_devices"))
        return "PrivateDevices=yes";
    if (allows_tpm(unit))
        return NULL;
    if (strcmp(policy, "closed") == 0)
        return "DevicePolicy=closed";
    if (strcmp(policy, "strict") == 0)
        return "DevicePolicy=strict";
    if (json_array_size(json_object_get(unit, "device_allow")) > 0)
        return "DeviceAllow=";
    return NULL;
}

static void judge_service(struct doctor *doctor, const json_t *facts)
{
    const char *others = "";
    const json_t *unit;
    size_t i;

    json_array_foreach(json_object_get(facts, "units"), i, unit)
    {
        const char *name = report_get(unit, "name");
        const char *why = hides(unit);
        bool told = json_object_get(unit, "openssl_conf") ||
                    json_object_get(unit, "tcti");

        if (why && told)
            is_bad(doctor, "service.devices",
                   words(doctor, "%s has %s, which hides the TPM from it", name,
                         why),
                   "it starts, and fails with the first signature",
                   words(doctor,
                         "systemctl edit %s: [Service] PrivateDevices=no "
                         "DevicePolicy=closed DeviceAllow=/dev/tpmrm0 rw",
                         name));
        else if (why)
            others = words(doctor, "%s%s%s", others, *others ? ", " : "", name);
        else if (told)
            is_ok(doctor, "service.devices",
                  words(doctor, "%s may reach the TPM", name));
    }
    if (*others)
        is_note(doctor, "service.others",
                words(doctor, "units that hide the TPM from their program: %s",
                      others),
                "it matters once they are to use a key in it",
                "systemctl edit UNIT: [Service] PrivateDevices=no "
                "DevicePolicy=closed DeviceAllow=/dev/tpmrm0 rw");
}

const struct theme service_theme = {
    .name = "service",
    .look = look_service,
    .judge = judge_service,
};
