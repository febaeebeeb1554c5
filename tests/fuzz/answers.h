/* SPDX-License-Identifier: Apache-2.0 */
/* The fuzzer's bytes, as a device that is asked takes them one by one. */
#ifndef DEVID_FUZZ_ANSWERS_H
#define DEVID_FUZZ_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

#define ANSWERS_EXPORT __attribute__((visibility("default")))

ANSWERS_EXPORT void answers_begin(const uint8_t *data, size_t size);
/* How many bytes are left. */
ANSWERS_EXPORT size_t answers_left(void);
/* Take `size` bytes; what is not there any more is zero. */
ANSWERS_EXPORT void answers_take(void *out, size_t size);
ANSWERS_EXPORT uint8_t answers_byte(void);

#endif
