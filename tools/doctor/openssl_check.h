/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_DOCTOR_OPENSSL_CHECK_H
#define DEVID_DOCTOR_OPENSSL_CHECK_H

#include "doctor.h"

void judge_openssl(struct doctor *doctor, const json_t *facts);

/* openssl_module.c: a provider's module as it lies there, and whether it loads
 * beside the OpenSSL of this program. */
json_t *look_at_module(const struct doctor *doctor, const char *path);
/* `name` is the provider's, `conf` the file that lists it. */
void judge_module(struct doctor *doctor, const json_t *module, const char *name,
                  const char *conf);

#endif
