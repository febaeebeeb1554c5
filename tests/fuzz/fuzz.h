/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target: what it is given may be anything, so it must not crash, must
 * keep what the header promises, and leave libcrypto's error queue empty.
 * Built for libFuzzer with DEVID_FUZZ, and always with replay.c, which feeds
 * it the files of its corpus.
 */
#ifndef DEVID_FUZZ_H
#define DEVID_FUZZ_H

#include <openssl/err.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of the code under test; the fuzzer keeps the input that breaks it.
 */
static inline void must(int holds)
{
    if (!holds)
        abort();
}

static inline void must_leave_no_error(void)
{
    const int empty = ERR_peek_error() == 0;

    ERR_print_errors_fp(stderr);
    must(empty);
}

#endif
