/* SPDX-License-Identifier: Apache-2.0 */
/* For targets that read files: what the fuzzer gives, as files in memory. */
#ifndef DEVID_FUZZ_AS_FILE_H
#define DEVID_FUZZ_AS_FILE_H

#include <stddef.h>
#include <stdint.h>

enum {
    FUZZ_FILES = 4
};

/* The name of file `which`; it holds these bytes until the next call. */
const char *fuzz_as_file(int which, const uint8_t *data, size_t size);

/*
 * The name of a folder, removed at the end of the program, in which `name` is
 * file `which`; the name of the first call for it is that of all.
 */
const char *fuzz_as_folder(int which, const char *name, const uint8_t *data,
                           size_t size);

/* The name of another, of real files, for code that writes some; it and all in
 * it is removed at the end of the program. */
const char *fuzz_own_folder(void);

/* What the code under test prints is nobody's to read. */
void fuzz_silence_output(void);

#endif
