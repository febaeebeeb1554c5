/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutate --seed S --count N [--first N] DIRECTORY FILE...
 *
 * Writes mutants of the key files, PEM all of them, to DIRECTORY: as PEM, or
 * as the DER of their key alone. Prints a line for each: the mutant's name;
 * "ours" where all it holds is a PEM block of ours whose BEGIN line is whole,
 * else "any"; the file it was made from; what was done to it.
 */
#include "mutate.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536
#define CHANGES_MAX 3
#define DONE_SIZE 200

struct seeds {
    char **paths;
    struct bytes *files;
    size_t count;
};

struct options {
    uint64_t seed;
    uint64_t first;
    uint64_t count;
    const char *directory;
};

static struct bytes read_file(const char *path)
{
    struct bytes file = bytes_new(NULL, FILE_MAX);
    FILE *f = fopen(path, "rbe");

    if (f == NULL)
        die("%s: %s", path, strerror(errno));
    file.len = fread(file.data, 1, FILE_MAX, f);
    if (ferror(f) != 0 || file.len == FILE_MAX)
        die("%s: it cannot be read, or is too large", path);
    (void)fclose(f); /* read only */
    return file;
}

static void write_file(const char *directory, const char *name,
                       const struct bytes *file)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *f;

    if (n < 0 || (size_t)n >= sizeof(path))
        die("%s: too long a name", directory);
    f = fopen(path, "wbe");
    if (f == NULL || fwrite(file->data, 1, file->len, f) != file->len ||
        fclose(f) != 0)
        die("%s: %s", path, strerror(errno));
}

/* ---- one mutant ------------------------------------------------------ */

static void note(char *done, const char *name)
{
    size_t len = strlen(done);

    (void)snprintf(done + len, DONE_SIZE - len, " %s", name);
}

/* One change, seldom more, of those that any bytes take and of these. */
static void change(struct bytes *file, const struct mutation *mutations,
                   struct rng *rng, char *done)
{
    size_t changes = 1;
    size_t raw = 0;
    size_t own = 0;

    if (rng_below(rng, 3) == 0)
        changes += rng_below(rng, CHANGES_MAX);
    while (raw_mutations[raw].name != NULL)
        raw++;
    while (mutations[own].name != NULL)
        own++;
    for (size_t i = 0; i < changes; i++) {
        size_t n = rng_below(rng, raw + own);
        const struct mutation *m =
            n < raw ? &raw_mutations[n] : &mutations[n - raw];

        m->apply(file, rng);
        note(done, m->name);
    }
}

/*
 * Half of the mutants are changed in their DER; a third of those stay DER.
 * Returns whether the mutant is PEM.
 */
static bool mutate(struct bytes *file, struct rng *rng, char *done)
{
    struct block block;
    struct bytes der;
    bool is_pem = true;

    if (rng_below(rng, 2) == 0) {
        change(file, text_mutations, rng, done);
        return true;
    }
    if (!pem_find(file, &block))
        die("a file to start from holds no key of ours");
    der = pem_decode(file, &block);
    note(done, "der:");
    change(&der, der_mutations, rng, done);
    if (rng_below(rng, 3) == 0) {
        bytes_free(file);
        *file = bytes_new(der.data, der.len);
        is_pem = false;
    } else {
        pem_replace(file, &block, &der);
        if (rng_below(rng, 4) == 0) {
            note(done, "pem:");
            change(file, text_mutations, rng, done);
        }
    }
    bytes_free(&der);
    return is_pem;
}

static void write_mutant(const struct options *options,
                         const struct seeds *seeds, uint64_t number)
{
    struct rng rng = rng_new(options->seed, number);
    size_t from = rng_below(&rng, seeds->count);
    struct bytes file =
        bytes_new(seeds->files[from].data, seeds->files[from].len);
    const char *slash = strrchr(seeds->paths[from], '/');
    char done[DONE_SIZE] = "";
    bool is_pem = mutate(&file, &rng, done);
    char name[32];

    (void)snprintf(name, sizeof(name), "%06llu.%s", (unsigned long long)number,
                   is_pem ? "pem" : "der");
    write_file(options->directory, name, &file);
    if (printf("%s %s %s%s\n", name,
               is_pem && pem_is_ours(&file) ? "ours" : "any",
               slash != NULL ? slash + 1 : seeds->paths[from], done) < 0)
        die("cannot write to stdout");
    bytes_free(&file);
}

/* ---- the program ----------------------------------------------------- */

static uint64_t number_of(const char *text)
{
    char *end = NULL;
    unsigned long long n;

    errno = 0;
    n = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0')
        die("'%s' is no number", text);
    return n;
}

static struct options take_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},
        {"count", required_argument, NULL, 'c'},
        {"first", required_argument, NULL, 'f'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.seed = 1, .first = 1, .count = 1};
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (c == 's')
            options.seed = number_of(optarg);
        else if (c == 'c')
            options.count = number_of(optarg);
        else if (c == 'f')
            options.first = number_of(optarg);
        else
            exit(2); /* getopt_long said why */
    }
    if (argc - optind < 2)
        die("give a directory for the mutants, and the files to start from");
    options.directory = argv[optind];
    return options;
}

int main(int argc, char **argv)
{
    struct options options = take_options(argc, argv);
    struct seeds seeds = {.paths = argv + optind + 1,
                          .count = (size_t)(argc - optind - 1)};

    seeds.files = calloc(seeds.count, sizeof(*seeds.files));
    if (seeds.files == NULL)
        die("out of memory");
    for (size_t i = 0; i < seeds.count; i++)
        seeds.files[i] = read_file(seeds.paths[i]);
    for (uint64_t i = 0; i < options.count; i++)
        write_mutant(&options, &seeds, options.first + i);
    for (size_t i = 0; i < seeds.count; i++)
        bytes_free(&seeds.files[i]);
    free(seeds.files);
    return 0;
}
