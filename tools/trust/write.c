/* SPDX-License-Identifier: Apache-2.0 */
/* devid trust write: the list in the files of the programs that keep to it. */
#include <limits.h>
#include <stdio.h>

#include "message.h"
#include "paths.h"
#include "patterns.h"
#include "report.h"

enum {
    FILE_ROW,
    NGINX,
    HAPROXY,
    QUIET
};

static const struct option_row options[] = {
    [FILE_ROW] = TRUST_FILE_ROW,
    [NGINX] = {"nginx", "DIR",
               "write files for nginx there, and print the lines that include "
               "them",
               false, false},
    [HAPROXY] = {"haproxy", "DIR",
                 "write files for haproxy there, and print the lines that use "
                 "them",
                 false, false},
    [QUIET] = {"quiet", NULL, "print no lines of configuration", false, false},
    {0},
};

static const struct target {
    int row;
    const char *name;
    enum exit_code (*pages)(const struct patterns *patterns,
                            struct pages *pages);
    void (*lines)(const char *folder, bool crl);
} targets[] = {
    {NGINX, "nginx", nginx_pages, nginx_lines},
    {HAPROXY, "haproxy", haproxy_pages, haproxy_lines},
};
enum {
    TARGETS = sizeof(targets) / sizeof(*targets)
};

struct writing {
    const struct args *args;
    struct trust trust;
    struct crls crls;
    struct patterns patterns;
    char folders[TARGETS][PATH_MAX];
    struct pages pages[TARGETS];
};

/* All texts are made before the first file is written. */
static enum exit_code make(struct writing *w)
{
    enum exit_code code = EXIT_DONE;

    for (size_t i = 0; code == EXIT_DONE && i < TARGETS; i++) {
        const char *given = args_text(w->args, targets[i].row);

        if (!given)
            continue;
        code = path_for_configuration(given, w->folders[i]);
        w->pages[i].folder = w->folders[i];
        if (code == EXIT_DONE)
            code = targets[i].pages(&w->patterns, &w->pages[i]);
        if (code == EXIT_DONE)
            pages_certificates(&w->pages[i], &w->trust, &w->crls);
    }
    return code;
}

static enum exit_code put(struct writing *w)
{
    bool has_crl = json_array_size(w->trust.crls) > 0;
    bool quiet = args_flag(w->args, QUIET);
    enum exit_code code = EXIT_DONE;
    bool changed = false;

    for (size_t i = 0; code == EXIT_DONE && i < TARGETS; i++) {
        if (w->pages[i].count == 0)
            continue;
        code = pages_write(&w->pages[i], &changed);
        if (code != EXIT_DONE)
            continue;
        printf("# %s: %s\n", w->folders[i], changed ? "new" : "as it was");
        if (!quiet)
            targets[i].lines(w->folders[i], has_crl);
    }
    return code;
}

static enum exit_code run(const struct args *args)
{
    struct writing w = {.args = args, .trust = {.lock = -1}};
    enum exit_code code;

    if (!args_text(args, NGINX) && !args_text(args, HAPROXY))
        return wrong_use("trust write",
                         "what to write for is missing: --nginx DIR, "
                         "--haproxy DIR, or both");
    code = trust_open(trust_path(args, FILE_ROW), false, &w.trust);
    if (code == EXIT_DONE)
        code = crls_open(&w.trust, &w.crls);
    if (code == EXIT_DONE)
        code = patterns_make(&w.trust, &w.crls, &w.patterns);
    if (code == EXIT_DONE)
        code = make(&w);
    if (code == EXIT_DONE)
        code = put(&w);
    for (size_t i = 0; i < TARGETS; i++)
        pages_clear(&w.pages[i]);
    patterns_clear(&w.patterns);
    crls_close(&w.crls);
    trust_close(&w.trust);
    return code;
}

const struct command trust_write_action = {
    .name = "trust write",
    .operands = "",
    .help = "write the list into files that nginx and haproxy go by",
    .example = "  devid trust write --nginx /etc/nginx/devid\n",
    .options = options,
    .run = run,
};
