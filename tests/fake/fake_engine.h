/* SPDX-License-Identifier: Apache-2.0 */
/* An engine over the fake, new for each test. */
#ifndef DEVID_FAKE_ENGINE_H
#define DEVID_FAKE_ENGINE_H

#include "fake_backend.h"
#include "support.h"

extern struct devid *engine;
int fake_setup(void **state);
int fake_teardown(void **state);

#define FAKE_TEST(name)                                                        \
    cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)

struct devid_key *new_key(const char *algorithm);

#endif
