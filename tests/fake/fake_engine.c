/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_engine.h"

struct devid *engine;

int fake_setup(void **state)
{
    struct devid_error err = {0};

    (void)state;
    fake_reset();
    return devid_new_with(NULL, fake_backends, &engine, &err) == DEVID_OK ? 0
                                                                          : -1;
}

int fake_teardown(void **state)
{
    (void)state;
    devid_free(&engine);
    return 0;
}

struct devid_key *new_key(const char *algorithm)
{
    const struct devid_key_spec spec = {.algorithm = algorithm};
    struct devid_key *key = NULL;
    struct devid_error err = {0};

    assert_int_equal(devid_key_create(engine, &spec, &key, &err), DEVID_OK);
    return key;
}
