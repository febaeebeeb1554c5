/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at files and users; and reading facts. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "message.h"
#include "report.h"

enum {
    TEXT_MAX = 8 << 20 /* /var/lib/dpkg/status takes some megabytes */
};

const json_t *facts_of(const struct doctor *doctor, const char *theme)
{
    return json_object_get(doctor->facts, theme);
}

bool fact_flag(const json_t *facts, const char *name)
{
    return json_is_true(json_object_get(facts, name));
}

json_int_t fact_number(const json_t *facts, const char *name)
{
    return json_integer_value(json_object_get(facts, name));
}

time_t fact_now(const struct doctor *doctor)
{
    return (time_t)fact_number(doctor->facts, "now");
}

static char *read_all(int fd)
{
    char *text = malloc(TEXT_MAX + 1);
    size_t len = 0;
    ssize_t n = 0;

    if (!text)
        die_no_memory();
    while (len < TEXT_MAX && (n = read(fd, text + len, TEXT_MAX - len)) > 0)
        len += (size_t)n;
    if (n < 0) {
        free(text);
        return NULL;
    }
    text[len] = '\0';
    return text;
}

char *read_text(const struct doctor *doctor, const char *path)
{
    char full[PATH_MAX];
    struct stat st;
    char *text = NULL;
    int fd;

    path_below(doctor, path, full);
    /* A pipe must not hold the doctor up. */
    fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        text = read_all(fd);
    else
        errno = EINVAL;
    close(fd);
    return text;
}

char *next_line(char **rest)
{
    char *line = strsep(rest, "\n");
    size_t len;

    if (!line)
        return NULL;
    line += strspn(line, " \t");
    len = strlen(line);
    while (len > 0 && strchr(" \t\r", line[len - 1]))
        line[--len] = '\0';
    return line;
}

/* A file of the root with one entry a line: fgetpwent() and fgetgrent(). */
static FILE *open_list(const struct doctor *doctor, const char *path)
{
    char full[PATH_MAX];

    path_below(doctor, path, full);
    return fopen(full, "re");
}

static void put_owner(const struct doctor *doctor, json_t *file, uid_t uid)
{
    FILE *list = open_list(doctor, "/etc/passwd");
    const struct passwd *entry;

    report_number(file, "uid", uid);
    while (list && (entry = fgetpwent(list)) != NULL) {
        if (entry->pw_uid == uid) {
            report_text(file, "owner", entry->pw_name);
            break;
        }
    }
    if (list)
        (void)fclose(list);
}

static void put_group(const struct doctor *doctor, json_t *file, gid_t gid)
{
    FILE *list = open_list(doctor, "/etc/group");
    const struct group *entry;

    report_number(file, "gid", gid);
    while (list && (entry = fgetgrent(list)) != NULL) {
        if (entry->gr_gid == gid) {
            report_text(file, "group", entry->gr_name);
            break;
        }
    }
    if (list)
        (void)fclose(list);
}

json_t *look_at_file(const struct doctor *doctor, const char *path)
{
    json_t *file = report_new();
    char full[PATH_MAX];
    char mode[16];
    struct stat st;

    path_of_link_below(doctor, path, full);
    report_text(file, "path", path);
    if (lstat(full, &st)) {
        report_flag(file, "exists", false);
        if (errno != ENOENT && errno != ENOTDIR)
            report_text(file, "error", strerror(errno));
        return file;
    }
    report_flag(file, "exists", true);
    (void)snprintf(mode, sizeof(mode), "%04o", st.st_mode & 07777u);
    report_text(file, "mode", mode);
    if (S_ISDIR(st.st_mode))
        report_flag(file, "folder", true);
    if (S_ISLNK(st.st_mode))
        report_flag(file, "link", true);
    put_owner(doctor, file, st.st_uid);
    put_group(doctor, file, st.st_gid);
    return file;
}

unsigned file_mode(const json_t *file)
{
    return (unsigned)strtoul(report_get(file, "mode"), NULL, 8);
}

static void add_gid(struct user *user, gid_t gid)
{
    if (user->gid_count < sizeof(user->gids) / sizeof(*user->gids))
        user->gids[user->gid_count++] = gid;
}

bool user_by_name(const struct doctor *doctor, const char *name,
                  struct user *user)
{
    FILE *list = open_list(doctor, "/etc/passwd");
    const struct passwd *entry;
    const struct group *group;
    bool found = false;

    *user = (struct user){0};
    (void)snprintf(user->name, sizeof(user->name), "%s", name);
    while (list && !found && (entry = fgetpwent(list)) != NULL) {
        found = strcmp(entry->pw_name, name) == 0;
        if (found) {
            user->uid = entry->pw_uid;
            add_gid(user, entry->pw_gid);
        }
    }
    if (list)
        (void)fclose(list);
    list = open_list(doctor, "/etc/group");
    while (list && found && (group = fgetgrent(list)) != NULL) {
        for (char **member = group->gr_mem; *member; member++) {
            if (strcmp(*member, name) == 0)
                add_gid(user, group->gr_gid);
        }
    }
    if (list)
        (void)fclose(list);
    return found;
}

bool user_reaches(const struct user *user, const json_t *file)
{
    unsigned mode = file_mode(file);
    json_int_t gid = fact_number(file, "gid");

    if (user->uid == 0)
        return true;
    if (user->uid == fact_number(file, "uid"))
        return (mode & 0600u) == 0600u;
    for (size_t i = 0; i < user->gid_count; i++) {
        if (user->gids[i] == gid)
            return (mode & 0060u) == 0060u;
    }
    return (mode & 0006u) == 0006u;
}

json_t *members_of_group(const struct doctor *doctor, uint32_t gid)
{
    json_t *members = report_array();
    FILE *list = open_list(doctor, "/etc/passwd");
    const struct passwd *entry;
    const struct group *group;

    while (list && (entry = fgetpwent(list)) != NULL) {
        if (entry->pw_gid == gid && entry->pw_uid != 0)
            report_append_text(members, entry->pw_name);
    }
    if (list)
        (void)fclose(list);
    list = open_list(doctor, "/etc/group");
    while (list && (group = fgetgrent(list)) != NULL) {
        for (char **member = group->gr_mem; group->gr_gid == gid && *member;
             member++)
            report_append_text(members, *member);
    }
    if (list)
        (void)fclose(list);
    return members;
}

void put_hex(json_t *report, const char *name, const uint8_t *data, size_t len)
{
    char *text = calloc(2 * len + 1, 1);

    if (!text)
        die_no_memory();
    for (size_t i = 0; i < len; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", data[i]);
    report_text(report, name, text);
    free(text);
}

json_t *look_at_public(const struct devid_public *pub)
{
    json_t *report = report_new();
    uint8_t digest[EVP_MAX_MD_SIZE];
    size_t digest_len = 0;
    uint8_t *der = NULL;
    size_t len = 0;

    report_text(report, "type", devid_key_kind(pub->type)->name);
    report_number(report, "bits", pub->bits);
    if (devid_key_kind(pub->type)->is_rsa)
        put_hex(report, "modulus", pub->modulus, pub->coordinate_len);
    if (devid_public_to_spki(pub, &der, &len, NULL) == DEVID_OK &&
        EVP_Q_digest(NULL, "SHA256", NULL, der, len, digest, &digest_len) == 1)
        put_hex(report, "sha256", digest, digest_len);
    OPENSSL_free(der);
    return report;
}
