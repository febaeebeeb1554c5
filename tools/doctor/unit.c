/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "report.h"

const char *const unit_folders[UNIT_FOLDERS] = {
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
};

static bool is_yes(const char *value)
{
    static const char *const yes[] = {"1", "yes", "y", "true", "t", "on"};

    for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
        if (strcasecmp(value, yes[i]) == 0)
            return true;
    }
    return false;
}

/* One of "A=b" 'C=d' E=f; the text is eaten up. */
static char *next_assignment(char **rest)
{
    char *at = *rest + strspn(*rest, " \t");
    char quote[2] = {*at, '\0'};
    char *end;

    if (*at == '\0')
        return NULL;
    if (*at == '"' || *at == '\'')
        at++;
    else
        (void)snprintf(quote, sizeof(quote), " ");
    end = at + strcspn(at, quote);
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return at;
}

static void take_environment(json_t *unit, char *value)
{
    static const struct {
        const char *variable;
        const char *member;
    } wanted[] = {
        {"OPENSSL_CONF=", "openssl_conf"},
        {"DEVID_TCTI=", "tcti"},
    };
    char *assignment;

    while ((assignment = next_assignment(&value)) != NULL) {
        for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
            size_t len = strlen(wanted[i].variable);

            if (strncmp(assignment, wanted[i].variable, len) == 0)
                report_text(unit, wanted[i].member, assignment + len);
        }
    }
}

static void take_allowed(json_t *unit, const char *value)
{
    json_t *list = json_object_get(unit, "device_allow");

    /* An empty one takes back what stood before. */
    if (*value == '\0') {
        (void)json_object_del(unit, "device_allow");
        return;
    }
    if (!list) {
        list = report_array();
        report_append_text(list, value);
        report_value(unit, "device_allow", list);
        return;
    }
    report_append_text(list, value);
}

static void take_line(json_t *unit, char *line)
{
    char *value = strchr(line, '=');
    char *end = value;

    if (!value)
        return;
    while (end > line && strchr(" \t", end[-1]))
        end--;
    value += 1 + strspn(value + 1, " \t");
    *end = '\0';
    if (strcmp(line, "PrivateDevices") == 0)
        report_flag(unit, "private_devices", is_yes(value));
    else if (strcmp(line, "DevicePolicy") == 0)
        report_text(unit, "device_policy", value);
    else if (strcmp(line, "DeviceAllow") == 0)
        take_allowed(unit, value);
    else if (strcmp(line, "Environment") == 0)
        take_environment(unit, value);
}

/* A line that ends in a backslash goes on in the next. */
static void join_lines(char *text)
{
    for (char *at = text; (at = strstr(at, "\\\n")) != NULL;)
        at[0] = at[1] = ' ';
}

static bool read_unit(const struct doctor *doctor, json_t *unit,
                      const char *path)
{
    char *text = read_text(doctor, path);
    char *rest = text;
    char *line;
    bool inside = false;

    if (!text)
        return false;
    join_lines(text);
    while ((line = next_line(&rest)) != NULL) {
        if (*line == '[')
            inside = strcmp(line, "[Service]") == 0;
        else if (inside && *line != '#' && *line != ';')
            take_line(unit, line);
    }
    free(text);
    return true;
}

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name);
    size_t end_len = strlen(end);

    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

static void read_drop_ins(const struct doctor *doctor, json_t *unit,
                          const char *folder, const char *name)
{
    struct dirent **entries = NULL;
    char full[PATH_MAX];
    char path[PATH_MAX];
    int count;

    (void)snprintf(path, sizeof(path), "%s/%s.d", folder, name);
    path_below(doctor, path, full);
    count = scandir(full, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s.d/%.255s", folder, name,
                       entries[i]->d_name);
        if (ends_in(entries[i]->d_name, ".conf"))
            (void)read_unit(doctor, unit, path);
        free(entries[i]);
    }
    free(entries);
}

json_t *look_at_unit(const struct doctor *doctor, const char *name)
{
    json_t *unit = report_new();
    char path[PATH_MAX];

    report_text(unit, "name", name);
    for (size_t i = 0; i < UNIT_FOLDERS; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", unit_folders[i], name);
        if (read_unit(doctor, unit, path)) {
            report_text(unit, "file", path);
            break;
        }
    }
    /* What an administrator wrote comes last, and wins. */
    for (size_t i = UNIT_FOLDERS; i > 0; i--)
        read_drop_ins(doctor, unit, unit_folders[i - 1], name);
    return unit;
}
