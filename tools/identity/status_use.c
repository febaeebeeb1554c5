/* SPDX-License-Identifier: Apache-2.0 */
/* Which programs use an identity, as far as /proc and their files tell. */
#include "status.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "report.h"

enum {
    FILE_MAX = 1 << 20,
    FILES_MAX = 500, /* of one program's configuration */
    DEPTH_MAX = 5,
    WORDS_SIZE = 16384
};

struct process {
    json_int_t pid;
    char dir[64]; /* "/proc/17" */
    char name[64];
    char words[WORDS_SIZE]; /* of its command line, each ended by a NUL */
    size_t words_len;
};

/* ---- what a program has to do with an identity --------------------------- */

static json_t *program_of(json_t *identity, const char *name)
{
    json_t *list = json_object_get(identity, "used_by");
    json_t *entry;
    size_t i;

    if (list == NULL) {
        list = report_array();
        if (json_object_set_new(identity, "used_by", list) != 0)
            die_no_memory();
    }
    json_array_foreach(list, i, entry)
    {
        if (strcmp(report_get(entry, "program"), name) == 0)
            return entry;
    }
    entry = report_new();
    report_text(entry, "program", name);
    if (json_object_set_new(entry, "pids", report_array()) != 0)
        die_no_memory();
    report_append(list, entry);
    return entry;
}

/* `how`: a file that names the identity, "command line", or "open file". */
static void add_use(json_t *identity, const struct process *p, const char *how)
{
    json_t *entry = program_of(identity, p->name);
    json_t *pids = json_object_get(entry, "pids");
    const json_t *pid;
    size_t i;

    if (*report_get(entry, "how") == '\0')
        report_text(entry, "how", how);
    json_array_foreach(pids, i, pid)
    {
        if (json_integer_value(pid) == p->pid)
            return;
    }
    report_append(pids, json_integer(p->pid));
}

/* Not where a longer name begins so: "nginx" in "nginx-2". */
static bool names_folder(const char *text, const char *folder)
{
    size_t len = strlen(folder);

    for (const char *at = text; (at = strstr(at, folder)) != NULL; at += len) {
        unsigned char after = (unsigned char)at[len];

        if (!isalnum(after) && after != '-' && after != '_' && after != '.')
            return true;
    }
    return false;
}

/* ---- files --------------------------------------------------------------- */

/* Never waits for a file that is none. By malloc, NUL-ended; or NULL. */
static char *read_small(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat info;
    char *text = NULL;
    ssize_t got = -1;

    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
        info.st_size > 0 && info.st_size <= FILE_MAX)
        text = calloc((size_t)info.st_size + 1, 1);
    if (text != NULL)
        got = read(fd, text, (size_t)info.st_size);
    if (fd >= 0)
        (void)close(fd); /* read only */
    if (got >= 0)
        return text;
    free(text);
    return NULL;
}

static void look_into_file(json_t *identities, const struct process *p,
                           const char *path)
{
    char *text = read_small(path);
    json_t *identity;
    size_t i;

    json_array_foreach(identities, i, identity)
    {
        if (text != NULL && names_folder(text, report_get(identity, "folder")))
            add_use(identity, p, path);
    }
    free(text);
}

static void look_into_directory(json_t *identities, const struct process *p,
                                const char *path, int depth, int *left)
{
    DIR *dir = depth < DEPTH_MAX ? opendir(path) : NULL;
    const struct dirent *entry;
    char below[PATH_MAX];
    struct stat info;

    while (dir != NULL && *left > 0 && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.' ||
            snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >=
                PATH_MAX ||
            stat(below, &info) != 0)
            continue;
        (*left)--;
        if (S_ISDIR(info.st_mode))
            look_into_directory(identities, p, below, depth + 1, left);
        else
            look_into_file(identities, p, below);
    }
    if (dir != NULL)
        (void)closedir(dir);
}

/* Where programs have their configuration that do not say so. */
static void look_into_own(json_t *identities, const struct process *p)
{
    static const struct {
        const char *program;
        const char *folder;
    } rows[] = {
        {"apache2", "/etc/apache2"},   {"dovecot", "/etc/dovecot"},
        {"haproxy", "/etc/haproxy"},   {"lighttpd", "/etc/lighttpd"},
        {"master", "/etc/postfix"},    {"mosquitto", "/etc/mosquitto"},
        {"nginx", "/etc/nginx"},       {"postgres", "/etc/postgresql"},
        {"openvpn", "/etc/openvpn"},   {"rsyslogd", "/etc/rsyslog.d"},
        {"stunnel4", "/etc/stunnel"},  {"stunnel", "/etc/stunnel"},
        {"telegraf", "/etc/telegraf"}, {"unbound", "/etc/unbound"},
    };
    int left = FILES_MAX;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (strcmp(rows[i].program, p->name) == 0)
            look_into_directory(identities, p, rows[i].folder, 0, &left);
    }
}

/* ---- processes ----------------------------------------------------------- */

static size_t read_proc(const struct process *p, const char *name, char *text,
                        size_t size)
{
    char path[128];
    ssize_t got = -1;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", p->dir, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = read(fd, text, size - 1);
        (void)close(fd); /* read only */
    }
    text[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

/* nginx writes its command line as one word. */
static void split_words(struct process *p)
{
    for (size_t i = 0; i < p->words_len; i++) {
        if (p->words[i] == ' ')
            p->words[i] = '\0';
    }
}

/* A word that is the name of a file, as the process sees it. */
static void look_at_word(json_t *identities, const struct process *p,
                         const char *word)
{
    char cwd[PATH_MAX];
    char path[2 * PATH_MAX];
    char link[128];
    const char *value = strchr(word, '=');
    json_t *identity;
    ssize_t len;
    size_t i;

    json_array_foreach(identities, i, identity)
    {
        if (names_folder(word, report_get(identity, "folder")))
            add_use(identity, p, "command line");
    }
    word = *word == '-' && value != NULL ? value + 1 : word; /* --conf=FILE */
    if (*word == '/') {
        look_into_file(identities, p, word);
    } else if (strchr(word, '.') != NULL || strchr(word, '/') != NULL) {
        (void)snprintf(link, sizeof(link), "%s/cwd", p->dir);
        len = readlink(link, cwd, sizeof(cwd) - 1);
        cwd[len > 0 ? len : 0] = '\0';
        if (len > 0 && snprintf(path, sizeof(path), "%s/%s", cwd, word) <
                           (int)sizeof(path))
            look_into_file(identities, p, path);
    }
}

static void look_at_open_files(json_t *identities, const struct process *p)
{
    char path[128];
    char target[PATH_MAX];
    char real[PATH_MAX];
    const struct dirent *entry;
    json_t *identity;
    size_t i;
    DIR *dir;

    (void)snprintf(path, sizeof(path), "%s/fd", p->dir);
    dir = opendir(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        ssize_t len =
            readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

        if (len <= 0 || *target != '/')
            continue;
        target[len] = '\0';
        json_array_foreach(identities, i, identity)
        {
            if (realpath(report_get(identity, "folder"), real) != NULL &&
                strncmp(target, real, strlen(real)) == 0 &&
                target[strlen(real)] == '/')
                add_use(identity, p, "open file");
        }
    }
    if (dir != NULL)
        (void)closedir(dir);
}

static void look_at_process(json_t *identities, json_int_t pid)
{
    static struct process p;
    size_t len;

    p.pid = pid;
    (void)snprintf(p.dir, sizeof(p.dir), "/proc/%lld", (long long)pid);
    len = read_proc(&p, "comm", p.name, sizeof(p.name));
    if (len > 0 && p.name[len - 1] == '\n')
        p.name[len - 1] = '\0';
    p.words_len = read_proc(&p, "cmdline", p.words, sizeof(p.words));
    if (p.words_len == 0)
        return; /* a thread of the kernel, or it has ended */
    split_words(&p);
    for (size_t at = 0; at < p.words_len; at += strlen(p.words + at) + 1)
        look_at_word(identities, &p, p.words + at);
    look_into_own(identities, &p);
    look_at_open_files(identities, &p);
}

void status_add_use(json_t *identities)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char *end = NULL;
        long pid = strtol(entry->d_name, &end, 10);

        if (*end == '\0' && pid > 0 && pid != (long)getpid())
            look_at_process(identities, pid);
    }
    if (dir != NULL)
        (void)closedir(dir);
}
