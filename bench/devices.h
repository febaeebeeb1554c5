/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many devices whose TPMs are software keys: their requests, made beforehand,
 * and their answers to a station's challenges.
 */
#ifndef DEVID_BENCH_DEVICES_H
#define DEVID_BENCH_DEVICES_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

struct bench_device {
    char serial[32];
    EVP_PKEY *ek; /* RSA-2048 */
    size_t name_len;
    uint8_t name[66]; /* of its IAK */
    char *body;       /* of POST /v1/units */
};

/*
 * Make devices of the model "Gate" with serials that begin with `prefix`, and
 * write their vendor's certificate to `root`, in PEM. Ends the program with a
 * sentence where that fails.
 */
struct bench_device *devices_make(size_t count, const char *prefix,
                                  const char *root);

/*
 * TPM2_ActivateCredential in software: what a challenge holds, 32 bytes.
 *
 * challenge  as tpm2_makecredential writes it
 */
void device_answer(const struct bench_device *device, const uint8_t *challenge,
                   size_t len, uint8_t answer[32]);

#endif
