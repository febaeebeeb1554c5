/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu_time.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((noreturn)) static void refuse(const char *text)
{
    errx(EXIT_FAILURE, "--watch takes NAME=PID,PID and so on, not \"%s\"",
         text);
}

static struct cpu_group *new_group(struct cpu_watch *watch)
{
    if (watch->count == CPU_GROUPS_MAX)
        errx(EXIT_FAILURE, "no more than %d groups can be watched",
             CPU_GROUPS_MAX);
    return &watch->groups[watch->count++];
}

void cpu_watch_add(struct cpu_watch *watch, const char *text)
{
    struct cpu_group *group = new_group(watch);
    const size_t len = strcspn(text, "=");
    const char *at = text + len;

    if (*at != '=' || len == 0 || len >= sizeof(group->name))
        refuse(text);
    memcpy(group->name, text, len);
    while (*at != '\0') {
        char *end;
        const long pid = strtol(at + 1, &end, 10);

        if (end == at + 1 || (*end != ',' && *end != '\0') || pid <= 0 ||
            group->count == CPU_PIDS_MAX)
            refuse(text);
        group->pids[group->count++] = (pid_t)pid;
        at = end;
    }
}

void cpu_watch_add_self(struct cpu_watch *watch, const char *name)
{
    struct cpu_group *group = new_group(watch);

    (void)snprintf(group->name, sizeof(group->name), "%s", name);
    group->pids[group->count++] = getpid();
}

static void read_line(const char *path, char *line, int size)
{
    FILE *file = fopen(path, "re");

    if (file == NULL || fgets(line, size, file) == NULL)
        err(EXIT_FAILURE, "cannot read %s", path);
    (void)fclose(file); /* read only: nothing to lose */
}

static double seconds_of(unsigned long ticks)
{
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double process_seconds(pid_t pid)
{
    char path[32];
    char line[1024];
    const char *at;
    unsigned long user = 0;
    unsigned long kernel = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    read_line(path, line, sizeof(line));
    /* proc(5): 14 and 15 are the times; 2, a name, may hold anything. */
    at = strrchr(line, ')');
    /* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers there */
    if (at == NULL || sscanf(at,
                             ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u "
                             "%*u %lu %lu",
                             &user, &kernel) != 2)
        errx(EXIT_FAILURE, "cannot read %s", path);
    return seconds_of(user + kernel);
}

static double group_seconds(const struct cpu_group *group)
{
    double sum = 0;

    for (size_t i = 0; i < group->count; i++)
        sum += process_seconds(group->pids[i]);
    return sum;
}

/* proc(5): user, nice, system, idle, iowait, irq, softirq, steal. */
static void machine_seconds(double *busy, double *idle)
{
    char line[1024];
    unsigned long t[8] = {0};

    read_line("/proc/stat", line, sizeof(line));
    /* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers there */
    if (sscanf(line, "cpu %lu %lu %lu %lu %lu %lu %lu %lu", &t[0], &t[1], &t[2],
               &t[3], &t[4], &t[5], &t[6], &t[7]) != 8)
        errx(EXIT_FAILURE, "cannot read /proc/stat");
    *idle = seconds_of(t[3] + t[4]);
    *busy = seconds_of(t[0] + t[1] + t[2] + t[5] + t[6] + t[7]);
}

static void take(struct cpu_watch *watch, double sign)
{
    double busy;
    double idle;

    machine_seconds(&busy, &idle);
    watch->busy_s += sign * busy;
    watch->idle_s += sign * idle;
    for (size_t i = 0; i < watch->count; i++)
        watch->groups[i].spent_s += sign * group_seconds(&watch->groups[i]);
}

void cpu_watch_start(struct cpu_watch *watch)
{
    take(watch, -1);
}

void cpu_watch_stop(struct cpu_watch *watch)
{
    take(watch, 1);
}

void cpu_watch_print(const struct cpu_watch *watch, size_t operations)
{
    double others = watch->busy_s;

    for (size_t i = 0; i < watch->count; i++) {
        const struct cpu_group *group = &watch->groups[i];

        others -= group->spent_s;
        (void)printf(" %s_cpu_us=%.1f", group->name,
                     group->spent_s * 1e6 / (double)operations);
    }
    /* Below 0 only by the clock ticks that both are counted in. */
    (void)printf(" others_pct=%.1f",
                 others > 0 ? others / (watch->busy_s + watch->idle_s) * 100
                            : 0);
}
