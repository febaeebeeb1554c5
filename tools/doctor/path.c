/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of another system's files. Its symbolic links are resolved in it, as
 * chroot(2) does, by hand: libraries want a name, and older kernels have no
 * openat2(2) that could be asked.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

enum {
    LINKS_MAX = 40 /* as Linux has it */
};

struct walk {
    char *full; /* PATH_MAX bytes: the root, and what has been resolved */
    size_t root_len;
    char rest[PATH_MAX]; /* what has not */
    unsigned links;
    bool last_too; /* a link at the end is followed as well */
};

static void go_up(struct walk *walk)
{
    char *slash = strrchr(walk->full + walk->root_len, '/');

    if (slash)
        *slash = '\0';
}

static bool go_down(struct walk *walk, const char *name)
{
    size_t len = strlen(walk->full);

    return snprintf(walk->full + len, PATH_MAX - len, "/%s", name) <
           (int)(PATH_MAX - len);
}

/* Put the link's target before what is left. */
static bool follow(struct walk *walk, const char *target, const char *rest)
{
    char longer[2 * PATH_MAX];
    int len = snprintf(longer, sizeof(longer), "%s/%s", target, rest);

    if (*target == '/')
        walk->full[walk->root_len] = '\0';
    else
        go_up(walk);
    (void)snprintf(walk->rest, sizeof(walk->rest), "%.*s", PATH_MAX - 1,
                   longer);
    return len < PATH_MAX && ++walk->links <= LINKS_MAX;
}

static bool step(struct walk *walk, const char *name, const char *rest)
{
    char target[PATH_MAX];
    ssize_t len;

    if (*name == '\0' || strcmp(name, ".") == 0)
        return snprintf(walk->rest, sizeof(walk->rest), "%s", rest) >= 0;
    if (strcmp(name, "..") == 0) {
        go_up(walk);
        return snprintf(walk->rest, sizeof(walk->rest), "%s", rest) >= 0;
    }
    if (!go_down(walk, name))
        return false;
    len = *rest || walk->last_too
              ? readlink(walk->full, target, sizeof(target) - 1)
              : -1;
    if (len < 0)
        return snprintf(walk->rest, sizeof(walk->rest), "%s", rest) >= 0;
    target[len] = '\0';
    return follow(walk, target, rest);
}

static void resolve(const struct doctor *doctor, const char *path, char *full,
                    bool last_too)
{
    struct walk walk = {
        .full = full, .root_len = strlen(doctor->root), .last_too = last_too};
    bool ok = snprintf(walk.rest, sizeof(walk.rest), "%s", path) < PATH_MAX &&
              snprintf(full, PATH_MAX, "%s", doctor->root) < PATH_MAX;

    while (ok && *walk.rest) {
        char here[PATH_MAX];
        char *rest = here;
        const char *name;

        (void)snprintf(here, sizeof(here), "%s", walk.rest);
        name = strsep(&rest, "/");
        ok = step(&walk, name, rest ? rest : "");
    }
    if (!ok)
        *full = '\0'; /* a name that no file has */
}

void path_below(const struct doctor *doctor, const char *path, char *full)
{
    if (*doctor->root)
        resolve(doctor, path, full, true);
    else
        (void)snprintf(full, PATH_MAX, "%s", path);
}

void path_of_link_below(const struct doctor *doctor, const char *path,
                        char *full)
{
    if (*doctor->root)
        resolve(doctor, path, full, false);
    else
        (void)snprintf(full, PATH_MAX, "%s", path);
}
