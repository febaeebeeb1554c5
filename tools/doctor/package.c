/* SPDX-License-Identifier: Apache-2.0 */
/* The libraries that devid is linked with, as they are installed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "doctor.h"
#include "report.h"

#define STATUS "/var/lib/dpkg/status"

/* By what Debian's packages are called; a soname may stand behind it. */
static const struct package_row {
    const char *name; /* as the data file has it */
    const char *package;
} package_rows[] = {
    {"openssl", "libssl3"},       {"tpm2-tss", "libtss2-esys-"},
    {"p11-kit", "libp11-kit0"},   {"libp11", "libp11-"},
    {"libtpms", "libtpms0"},      {"swtpm", "swtpm"},
    {"softhsm", "softhsm2"},      {"tpm2-pkcs11", "libtpm2-pkcs11-1"},
    {"tpm2-abrmd", "tpm2-abrmd"},
};

/* "libssl3t64" is libssl3 after a change of ABI; "libtss2-esys-3.0.2-0". */
static const char *name_of(const char *package)
{
    for (size_t i = 0; i < sizeof(package_rows) / sizeof(*package_rows); i++) {
        const char *row = package_rows[i].package;
        size_t len = strlen(row);

        if (strncmp(package, row, len) != 0)
            continue;
        if (package[len] == '\0' || strcmp(package + len, "t64") == 0 ||
            (row[len - 1] == '-' && package[len] >= '0' && package[len] <= '9'))
            return package_rows[i].name;
    }
    return NULL;
}

struct stanza {
    const char *package;
    const char *version;
    bool installed;
};

static void take(json_t *list, const struct stanza *stanza)
{
    const char *name = stanza->package ? name_of(stanza->package) : NULL;
    json_t *report;

    if (!name || !stanza->version || !stanza->installed)
        return;
    report = report_new();
    report_text(report, "package", stanza->package);
    report_text(report, "version", stanza->version);
    report_value(list, name, report);
}

static const char *field(const char *line, const char *name)
{
    size_t len = strlen(name);

    return strncmp(line, name, len) == 0 ? line + len : NULL;
}

static void read_status(char *text, json_t *list)
{
    struct stanza stanza = {0};
    char *line;

    while ((line = next_line(&text)) != NULL) {
        const char *value;

        if (*line == '\0') {
            take(list, &stanza);
            stanza = (struct stanza){0};
        }
        if ((value = field(line, "Package: ")) != NULL)
            stanza.package = value;
        if ((value = field(line, "Version: ")) != NULL)
            stanza.version = value;
        if ((value = field(line, "Status: ")) != NULL)
            stanza.installed = strstr(value, " installed") != NULL;
    }
    take(list, &stanza);
}

/* A value of os-release(5), with or without quotes. */
static void put_value(char *to, size_t size, const char *value)
{
    size_t len;

    value += strspn(value, "\"'");
    len = strcspn(value, "\"'");
    (void)snprintf(to, size, "%.*s", (int)len, value);
}

/* "debian 12". */
static void look_at_system(const struct doctor *doctor, json_t *facts)
{
    char *text = read_text(doctor, "/etc/os-release");
    char *rest = text;
    char id[32] = "";
    char version[32] = "";
    char both[80];
    char *line;

    while (text && (line = next_line(&rest)) != NULL) {
        const char *value;

        if ((value = field(line, "ID=")) != NULL)
            put_value(id, sizeof(id), value);
        if ((value = field(line, "VERSION_ID=")) != NULL)
            put_value(version, sizeof(version), value);
    }
    (void)snprintf(both, sizeof(both), "%s %s", id, version);
    if (*id)
        report_text(facts, "system", both);
    free(text);
}

/* "Version: 3.2.1" of a library's file for pkg-config. */
static void read_pkg_config(const struct doctor *doctor, json_t *list,
                            const char *name, const char *path)
{
    char *text = read_text(doctor, path);
    char *rest = text;
    char *line;

    while (text && (line = next_line(&rest)) != NULL) {
        const char *version = field(line, "Version:");
        json_t *report;

        if (!version)
            continue;
        report = report_new();
        report_text(report, "package", path);
        report_text(report, "version", version + strspn(version, " \t"));
        report_value(list, name, report);
        break;
    }
    free(text);
}

/* Systems without dpkg: what their libraries say of themselves. */
static void look_at_libraries(const struct doctor *doctor, json_t *list)
{
    static const char *const folders[] = {"/usr/lib64/pkgconfig",
                                          "/usr/lib/pkgconfig"};
    static const struct {
        const char *name;
        const char *file;
    } rows[] = {
        {"openssl", "libcrypto.pc"}, {"tpm2-tss", "tss2-esys.pc"},
        {"p11-kit", "p11-kit-1.pc"}, {"libp11", "libp11.pc"},
        {"libtpms", "libtpms.pc"},
    };
    char path[80];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (size_t j = 0; j < sizeof(folders) / sizeof(*folders); j++) {
            (void)snprintf(path, sizeof(path), "%s/%s", folders[j],
                           rows[i].file);
            if (!json_object_get(list, rows[i].name))
                read_pkg_config(doctor, list, rows[i].name, path);
        }
    }
}

static void look_package(struct doctor *doctor, json_t *facts)
{
    json_t *list = report_new();
    char *text = read_text(doctor, STATUS);

    look_at_system(doctor, facts);
    report_flag(facts, "complete", text != NULL);
    if (text)
        read_status(text, list);
    else
        look_at_libraries(doctor, list);
    free(text);
    /* Where nothing says it, the library in this program does. */
    if (!json_object_get(list, "openssl") && !*doctor->root) {
        json_t *own = report_new();

        report_text(own, "version", OpenSSL_version(OPENSSL_VERSION_STRING));
        report_value(list, "openssl", own);
    }
    report_value(facts, "list", list);
}

static void judge_package(struct doctor *doctor, const json_t *facts)
{
    json_t *list = json_object_get(facts, "list");
    const char *all = "";
    const char *name;
    json_t *package;

    json_object_foreach(list, name, package) all =
        words(doctor, "%s%s%s %s", all, *all ? ", " : "", name,
              report_get(package, "version"));
    if (*all)
        is_ok(doctor, "package.versions",
              words(doctor, "%s%s%s", report_get(facts, "system"),
                    *report_get(facts, "system") ? ": " : "", all));
}

const struct theme package_theme = {
    .name = "package",
    .look = look_package,
    .judge = judge_package,
};
