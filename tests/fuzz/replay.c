/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: fuzz_TARGET_replay DIR
 *
 * Feed each file of a corpus to the target: whole, and cut at every length.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define SIZE_LIMIT 65536

static int replay(const char *dir, const char *name)
{
    static uint8_t data[SIZE_LIMIT];
    char path[1024];
    size_t size;
    size_t len;
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "rbe");
    if (f == NULL) {
        perror(path);
        return -1;
    }
    size = fread(data, 1, sizeof(data), f);
    (void)fclose(f); /* read only: nothing to lose */
    for (len = 0; len <= size; len++) {
        /* A copy of its own, so that a sanitizer sees each byte too far. */
        uint8_t *copy = malloc(len + 1);

        if (copy == NULL)
            return -1;
        memcpy(copy + 1, data, len);
        (void)LLVMFuzzerTestOneInput(copy + 1, len);
        free(copy);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct dirent *entry;
    unsigned count = 0;
    DIR *dir;

    if (argc != 2 || (dir = opendir(argv[1])) == NULL) {
        (void)fprintf(stderr, "usage: %s DIR\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (replay(argv[1], entry->d_name) != 0)
            return 1;
        count++;
    }
    (void)closedir(dir);
    (void)printf("%u files\n", count);
    return count > 0 ? 0 : 1;
}
