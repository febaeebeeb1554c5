/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: fuzz_TARGET_replay DIR [RUNS]
 *
 * Feed each file of a corpus to the target: whole, and cut at every length; or
 * at some, where that would be more than so many runs (1500) in all.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define SIZE_LIMIT 65536
#define RUNS "1500" /* a test of them takes less than a second */

struct corpus {
    const char *dir;
    unsigned count;
    size_t bytes;
    size_t step; /* between two cuts */
};

/* A copy of its own, so that a sanitizer sees each byte too far. */
static int run(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len + 1);

    if (copy == NULL)
        return -1;
    memcpy(copy + 1, data, len);
    (void)LLVMFuzzerTestOneInput(copy + 1, len);
    free(copy);
    return 0;
}

static int replay(struct corpus *corpus, const char *name)
{
    static uint8_t data[SIZE_LIMIT];
    char path[1024];
    size_t size;
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", corpus->dir, name);
    f = fopen(path, "rbe");
    if (f == NULL) {
        perror(path);
        return -1;
    }
    size = fread(data, 1, sizeof(data), f);
    (void)fclose(f); /* read only: nothing to lose */
    corpus->count++;
    corpus->bytes += size;
    for (size_t len = 0; corpus->step > 0 && len < size; len += corpus->step) {
        if (run(data, len) != 0)
            return -1;
    }
    return corpus->step > 0 ? run(data, size) : 0;
}

/* Without a step they are only counted. */
static int each_file(struct corpus *corpus)
{
    const struct dirent *entry;
    DIR *dir = opendir(corpus->dir);
    int failed = dir == NULL ? -1 : 0;

    if (failed)
        perror(corpus->dir);
    while (!failed && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.')
            failed = replay(corpus, entry->d_name);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    struct corpus corpus = {0};
    size_t runs = strtoul(argc == 3 ? argv[2] : RUNS, NULL, 10);

    if (argc < 2 || argc > 3 || runs == 0) {
        (void)fprintf(stderr, "usage: %s DIR [RUNS]\n", argv[0]);
        return 2;
    }
    corpus.dir = argv[1];
    if (each_file(&corpus) != 0)
        return 1;
    corpus.step = corpus.bytes / runs + 1;
    corpus.count = 0;
    if (each_file(&corpus) != 0)
        return 1;
    (void)printf("%u files\n", corpus.count);
    return corpus.count > 0 ? 0 : 1;
}
