/* SPDX-License-Identifier: Apache-2.0 */
/* Who reaches the TPM: where it is, its file's mode, servers' workers. */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "open.h"
#include "report.h"

#define DEFAULT_TCTI "device:/dev/tpmrm0"

/* Servers whose workers sign, and where their user is written down. */
static const struct worker_row {
    const char *program;
    const char *config;
    const char *before; /* what stands before the user's name in a line */
} worker_rows[] = {
    {"nginx", "/etc/nginx/nginx.conf", "user"},
    {"haproxy", "/etc/haproxy/haproxy.cfg", "user"},
    {"apache2", "/etc/apache2/envvars", "export APACHE_RUN_USER="},
};

/* "device:/dev/tpm0" as "/dev/tpm0"; NULL: another kind. */
static const char *path_in(const char *tcti)
{
    static const char scheme[] = "device";

    while (strncmp(tcti, "pcap:", 5) == 0)
        tcti += 5;
    if (strncmp(tcti, scheme, strlen(scheme)) != 0)
        return NULL;
    tcti += strlen(scheme);
    return *tcti == ':' ? tcti + 1 : "/dev/tpm0";
}

static const json_t *device_in(const json_t *devices, const char *path)
{
    const json_t *file;
    size_t i;

    json_array_foreach(devices, i, file)
    {
        if (strcmp(report_get(file, "path"), path) == 0)
            return file;
    }
    return NULL;
}

/* ---- looking ------------------------------------------------------------- */

/* As the engine chooses, with who said it. */
static void look_at_tcti(const struct doctor *doctor, json_t *facts)
{
    const struct {
        const char *value;
        const char *from;
    } choices[] = {
        {args_text(doctor->args, ROW_TCTI), "--tcti"},
        {getenv("DEVID_TCTI"), "DEVID_TCTI"},
        {getenv("TPM2TOOLS_TCTI"), "TPM2TOOLS_TCTI"},
        {DEFAULT_TCTI, "the default"},
    };
    size_t i = 0;

    while (!choices[i].value)
        i++;
    report_text(facts, "tcti", choices[i].value);
    report_text(facts, "tcti_from", choices[i].from);
}

static void look_at_user(json_t *facts)
{
    const struct passwd *self = getpwuid(geteuid());

    report_number(facts, "uid", geteuid());
    report_text(facts, "user", self ? self->pw_name : "");
}

static void look_at_device(const struct doctor *doctor, json_t *devices,
                           const char *path)
{
    json_t *file = look_at_file(doctor, path);
    char full[PATH_MAX];

    path_below(doctor, path, full);
    if (json_is_true(json_object_get(file, "exists"))) {
        report_flag(file, "opens", access(full, R_OK | W_OK) == 0);
        report_value(
            file, "members",
            members_of_group(doctor, (uint32_t)fact_number(file, "gid")));
    }
    report_append(devices, file);
}

/* The user in a line "user www-data www-data;"; by malloc, or NULL. */
static char *user_in(char *text, const char *before)
{
    char *line;

    while ((line = next_line(&text)) != NULL) {
        size_t len = strlen(before);
        char *name;

        if (strncmp(line, before, len) != 0)
            continue;
        name = line + len;
        if (before[len - 1] != '=' && !strchr(" \t", *name))
            continue;
        name += strspn(name, " \t\"'");
        name[strcspn(name, " \t;\"'#")] = '\0';
        if (*name)
            return strdup(name);
    }
    return NULL;
}

static void look_at_workers(const struct doctor *doctor, json_t *workers)
{
    for (size_t i = 0; i < sizeof(worker_rows) / sizeof(*worker_rows); i++) {
        const struct worker_row *row = &worker_rows[i];
        char *text = read_text(doctor, row->config);
        char *name = text ? user_in(text, row->before) : NULL;
        struct user user = {0};
        json_t *worker;

        if (name) {
            worker = report_new();
            report_text(worker, "program", row->program);
            report_text(worker, "config", row->config);
            report_text(worker, "user", name);
            if (user_by_name(doctor, name, &user)) {
                json_t *gids = report_array();

                report_number(worker, "uid", user.uid);
                for (size_t j = 0; j < user.gid_count; j++)
                    report_append(gids, json_integer(user.gids[j]));
                report_value(worker, "gids", gids);
            }
            report_append(workers, worker);
        }
        free(name);
        free(text);
    }
}

static void look_access(struct doctor *doctor, json_t *facts)
{
    json_t *devices = report_array();
    json_t *workers = report_array();
    const char *path;

    look_at_user(facts);
    look_at_tcti(doctor, facts);
    if (is_token_uri(args_text(doctor->args, ROW_DEVICE)))
        report_flag(facts, "token", true);
    if (doctor->engine_error)
        report_text(facts, "error", doctor->engine_error);
    look_at_device(doctor, devices, "/dev/tpmrm0");
    look_at_device(doctor, devices, "/dev/tpm0");
    path = path_in(report_get(facts, "tcti"));
    if (path && !device_in(devices, path))
        look_at_device(doctor, devices, path);
    report_value(facts, "devices", devices);
    look_at_workers(doctor, workers);
    report_value(facts, "workers", workers);
}

/* ---- judging ------------------------------------------------------------- */

static const json_t *device_file(const json_t *facts, const char *path)
{
    return device_in(json_object_get(facts, "devices"), path);
}

static const char *names_in(struct doctor *doctor, const json_t *names)
{
    const char *list = "";
    const json_t *name;
    size_t i;

    json_array_foreach(names, i, name) list =
        words(doctor, "%s%s%s", list, i > 0 ? ", " : "",
              json_string_value(name) ? json_string_value(name) : "");
    return list;
}

static void judge_mode(struct doctor *doctor, const json_t *file)
{
    const char *path = report_get(file, "path");
    const char *owner = report_get(file, "owner");
    const char *group = report_get(file, "group");
    const char *members = names_in(doctor, json_object_get(file, "members"));

    if ((file_mode(file) & 0006u) != 0) {
        is_bad(doctor, "access.device.open",
               words(doctor, "%s may be opened by every user (mode %s)", path,
                     report_get(file, "mode")),
               "whoever has a login can sign with keys that have no "
               "authorisation value, and can wear out or fill the TPM",
               words(doctor,
                     "chmod 0660 %s, and mend the udev rule that set "
                     "it",
                     path));
        return;
    }
    is_ok(doctor, "access.device.mode",
          words(doctor,
                "%s belongs to %s:%s, mode %s; besides root and %s, "
                "members of the group reach it: %s",
                path, owner, group, report_get(file, "mode"), owner,
                *members ? members : "nobody"));
}

static void judge_own_access(struct doctor *doctor, const json_t *facts,
                             const json_t *file)
{
    const char *user = report_get(facts, "user");
    const char *group = report_get(file, "group");

    if (fact_flag(file, "opens"))
        return;
    is_bad(doctor, "access.device.self",
           words(doctor, "user %s may not open %s", user,
                 report_get(file, "path")),
           "programs of this user find no TPM",
           words(doctor, "usermod -aG %s %s, then log in again",
                 *group ? group : "tss", user));
}

static void judge_worker(struct doctor *doctor, const json_t *worker,
                         const json_t *file)
{
    const char *program = report_get(worker, "program");
    const char *name = report_get(worker, "user");
    const char *group = report_get(file, "group");
    struct user user = {.uid = (uint32_t)fact_number(worker, "uid")};
    const json_t *gid;
    size_t i;

    json_array_foreach(json_object_get(worker, "gids"), i, gid)
    {
        if (user.gid_count < sizeof(user.gids) / sizeof(*user.gids))
            user.gids[user.gid_count++] = (uint32_t)json_integer_value(gid);
    }
    if (!json_object_get(worker, "uid")) {
        is_warning(doctor, "access.worker.user",
                   words(doctor, "%s runs as user %s, whom there is not",
                         program, name),
                   "it does not start",
                   words(doctor, "mend %s", report_get(worker, "config")));
        return;
    }
    if (user_reaches(&user, file)) {
        is_ok(doctor, "access.worker",
              words(doctor, "workers of %s, user %s, reach %s", program, name,
                    report_get(file, "path")));
        return;
    }
    is_warning(doctor, "access.worker",
               words(doctor, "workers of %s, user %s, may not open %s", program,
                     name, report_get(file, "path")),
               "a server that loads a key as root then fails to sign with it",
               words(doctor,
                     "usermod -aG %s %s, and restart %s; or tpm2-open = early "
                     "in openssl.cnf",
                     *group ? group : "tss", name, program));
}

static void judge_device(struct doctor *doctor, const json_t *facts,
                         const char *path)
{
    const json_t *file = device_file(facts, path);
    const json_t *managed = device_file(facts, "/dev/tpmrm0");
    const json_t *worker;
    size_t i;

    if (!file || !fact_flag(file, "exists")) {
        is_warning(doctor, "access.device",
                   words(doctor, "there is no TPM at %s", path),
                   "no key in a TPM works here; it may be switched off in the "
                   "firmware's setup, or its driver may be missing",
                   "ls -l /dev/tpm*; dmesg | grep -i tpm");
        return;
    }
    if (strcmp(path, "/dev/tpm0") == 0 && managed &&
        fact_flag(managed, "exists"))
        is_warning(doctor, "access.resource_manager",
                   "/dev/tpm0 is used, which admits one program at a time",
                   "programs wait for each other, and what one of them leaves "
                   "behind fills the TPM",
                   "set tcti, or DEVID_TCTI, to device:/dev/tpmrm0");
    judge_mode(doctor, file);
    judge_own_access(doctor, facts, file);
    json_array_foreach(json_object_get(facts, "workers"), i, worker)
        judge_worker(doctor, worker, file);
}

static void judge_access(struct doctor *doctor, const json_t *facts)
{
    const char *tcti = report_get(facts, "tcti");
    const char *path = path_in(tcti);

    if (*report_get(facts, "error"))
        is_bad(doctor, "access.settings", report_get(facts, "error"),
               "no device was looked at; the reason stands above",
               "env | grep ^DEVID_");
    if (fact_flag(facts, "token") || !*tcti)
        return;
    is_ok(doctor, "access.tcti",
          words(doctor, "the TPM is looked for at %s (%s)", tcti,
                report_get(facts, "tcti_from")));
    if (path)
        judge_device(doctor, facts, path);
}

const struct theme access_theme = {
    .name = "access",
    .look = look_access,
    .judge = judge_access,
};
