/* SPDX-License-Identifier: Apache-2.0 */
/* p11-kit's configuration: which modules it knows, and whether they are there.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "report.h"

/* The package's and the machine's own; pkcs11.conf(5). */
static const char *const folders[] = {DEVID_P11_CONFIGS, "/etc/pkcs11/modules"};

/* "module: libsofthsm2.so" as its value; NULL: another line. */
static const char *value_of(const char *line, const char *name)
{
    size_t len = strlen(name);

    if (strncmp(line, name, len) != 0)
        return NULL;
    line += len;
    line += strspn(line, " \t");
    if (*line != ':')
        return NULL;
    line++;
    return line + strspn(line, " \t");
}

static void put_module(const struct doctor *doctor, json_t *report,
                       const char *module)
{
    char path[PATH_MAX];

    if (*module == '/')
        (void)snprintf(path, sizeof(path), "%s", module);
    else
        (void)snprintf(path, sizeof(path), "%s/%s", DEVID_P11_MODULES, module);
    report_value(report, "module", look_at_file(doctor, path));
}

static json_t *look_at_config(const struct doctor *doctor, const char *path)
{
    json_t *report = report_new();
    char *text = read_text(doctor, path);
    char *rest = text;
    char *line;

    report_value(report, "file", look_at_file(doctor, path));
    while (text && (line = next_line(&rest)) != NULL) {
        const char *value = value_of(line, "module");

        if (value && *value)
            put_module(doctor, report, value);
        value = value_of(line, "critical");
        if (value)
            report_flag(report, "critical", strcmp(value, "yes") == 0);
        value = value_of(line, "trust-policy");
        if (value)
            report_flag(report, "trust", strcmp(value, "yes") == 0);
    }
    free(text);
    return report;
}

static bool is_config(const char *name)
{
    size_t len = strlen(name);

    return len > 7 && strcmp(name + len - 7, ".module") == 0;
}

static void look_at_folder(const struct doctor *doctor, json_t *list,
                           const char *folder)
{
    struct dirent **entries = NULL;
    char full[PATH_MAX];
    char path[PATH_MAX];
    int count;

    path_below(doctor, folder, full);
    count = scandir(full, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        (void)snprintf(path, sizeof(path), "%s/%.255s", folder,
                       entries[i]->d_name);
        if (is_config(entries[i]->d_name))
            report_append(list, look_at_config(doctor, path));
        free(entries[i]);
    }
    free(entries);
}

static void look_p11kit(struct doctor *doctor, json_t *facts)
{
    json_t *list = report_array();

    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
        look_at_folder(doctor, list, folders[i]);
    report_value(facts, "configs", list);
}

/* ---- judging ------------------------------------------------------------- */

static bool judge_config(struct doctor *doctor, const json_t *config)
{
    const json_t *file = json_object_get(config, "file");
    const json_t *module = json_object_get(config, "module");
    const char *name = report_get(file, "path");
    const char *path = report_get(module, "path");

    if ((file_mode(file) & 0022u) != 0 && !fact_flag(file, "link"))
        is_bad(doctor, "p11kit.mode",
               words(doctor,
                     "%s may be written by others than its owner "
                     "(mode %s)",
                     name, report_get(file, "mode")),
               "they run code in every program that uses p11-kit",
               words(doctor, "chmod go-w %s", name));
    if (!module || fact_flag(module, "exists"))
        return true;
    if (fact_flag(config, "critical"))
        is_bad(doctor, "p11kit.module",
               words(doctor, "%s is critical and names %s, which is not there",
                     name, path),
               "p11-kit then loads no module at all, and no token is found",
               words(doctor, "install it, or remove %s", name));
    else
        is_warning(doctor, "p11kit.module",
                   words(doctor, "%s names %s, which is not there", name, path),
                   "the tokens of that module are not found",
                   words(doctor, "install it, or remove %s", name));
    return false;
}

static void judge_p11kit(struct doctor *doctor, const json_t *facts)
{
    const char *found = "";
    const json_t *config;
    size_t i;

    json_array_foreach(json_object_get(facts, "configs"), i, config)
    {
        const char *path =
            report_get(json_object_get(config, "module"), "path");
        const char *name = strrchr(path, '/');

        if (judge_config(doctor, config) && !fact_flag(config, "trust") && name)
            found =
                words(doctor, "%s%s%s", found, *found ? ", " : "", name + 1);
    }
    if (*found)
        is_ok(doctor, "p11kit.modules",
              words(doctor, "p11-kit knows modules of tokens: %s", found));
}

const struct theme p11kit_theme = {
    .name = "p11kit",
    .look = look_p11kit,
    .judge = judge_p11kit,
};
