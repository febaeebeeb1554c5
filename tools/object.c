/* SPDX-License-Identifier: Apache-2.0 */
#include "object.h"

#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "message.h"

static enum devid_err add_object(const struct devid_object *object, void *arg,
                                 struct devid_error *err)
{
    json_t *report = report_new();
    bool cert = object->type == DEVID_OBJECT_CERT;

    (void)err;
    report_text(report, "type", cert ? "certificate" : "key");
    report_text(report, "uri", object->uri);
    report_text(report, "role", object->role);
    if (cert && object->der &&
        !describe_cert_der(report, object->der, object->der_len))
        report_text(report, "note", "holds no certificate that OpenSSL reads");
    if (!cert && object->has_public)
        describe_public(report, &object->public_key);
    report_words(report, "attributes", object->attributes);
    report_text(report, "name", object->name);
    report_text(report, "note", object->note);
    report_append(arg, report);
    return DEVID_OK;
}

enum exit_code objects_list(struct devid *engine, const char *device,
                            json_t **objects)
{
    struct devid_error err;

    *objects = report_array();
    if (devid_list(engine, device, add_object, *objects, &err) == DEVID_OK)
        return EXIT_DONE;
    json_decref(*objects);
    *objects = NULL;
    return fail_engine(&err);
}

/* handle:0x81000001 and tpm2:handle=0x81000001 are one: compare the number. */
static unsigned long number_in(const char *uri)
{
    const char *at = strpbrk(uri, "=:");

    while (at && strpbrk(at + 1, "=:"))
        at = strpbrk(at + 1, "=:");
    return at ? strtoul(at + 1, NULL, 16) : 0;
}

json_t *objects_find(const json_t *objects, const char *uri)
{
    json_t *object;
    size_t i;

    json_array_foreach(objects, i, object)
    {
        if (number_in(report_get(object, "uri")) == number_in(uri))
            return object;
    }
    return NULL;
}
