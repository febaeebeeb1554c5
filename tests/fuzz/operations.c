/* SPDX-License-Identifier: Apache-2.0 */
#include "operations.h"

#include "fuzz.h"
#include "state.h"

#include <openssl/crypto.h>

static enum devid_err see_object(const struct devid_object *object, void *arg,
                                 struct devid_error *err)
{
    (void)arg;
    (void)err;
    must(object->uri[0] != '\0');
    must(object->der == NULL || object->der_len > 0);
    return DEVID_OK;
}

enum devid_err operation_list(struct devid *engine, struct devid_error *err)
{
    return devid_list(engine, operations_of.device, see_object, NULL, err);
}

enum devid_err operation_cert_read(struct devid *engine,
                                   struct devid_error *err)
{
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err e =
        devid_cert_read(engine, operations_of.cert_to_read, &der, &len, err);

    must((e == DEVID_OK) == (der != NULL));
    OPENSSL_free(der);
    return e;
}

enum devid_err operation_cert_write(struct devid *engine,
                                    struct devid_error *err)
{
    static const uint8_t der[] = {0x30, 0x82, 0x00, 0x00};
    const struct devid_cert_spec spec = {
        .uri = operations_of.cert_to_write,
        .der = der,
        .len = sizeof(der),
        .replace = true,
    };

    return devid_cert_write(engine, &spec, err);
}

enum devid_err operation_whoami(struct devid *engine, struct devid_error *err)
{
    struct devid_device_info info;

    return devid_whoami(engine, operations_of.device, &info, err);
}

enum devid_err operation_state(struct devid *engine, struct devid_error *err)
{
    struct devid_device_state s;
    enum devid_err e =
        devid_device_state(engine, operations_of.device, &s, err);

    devid_device_state_clear(&s);
    return e;
}

enum devid_err operation_random(struct devid *engine, struct devid_error *err)
{
    uint8_t bytes[100];

    return devid_random(engine, bytes, sizeof(bytes), err);
}

enum devid_err operation_delete(struct devid *engine, struct devid_error *err)
{
    return devid_delete(engine, operations_of.key_to_delete, err);
}

void operation_run(operation *run, struct devid *engine,
                   struct devid_error *err)
{
    enum devid_err e = run(engine, err);

    must(e == DEVID_OK || err->text[0] != '\0');
}
