/* SPDX-License-Identifier: Apache-2.0 */
#include "decommission_objects.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "identity.h"
#include "message.h"
#include "open.h"
#include "token_key.h"

static void add(struct objects *objects, const char *uri)
{
    (void)snprintf(objects->uris[objects->count++], PLACE_SIZE, "%s", uri);
}

static void of_tpm(struct objects *objects)
{
    (void)snprintf(objects->key, PLACE_SIZE, DEVID_IDEVID_URI);
    add(objects, DEVID_IDEVID_CERT_URI);
    add(objects, DEVID_IAK_CERT_URI);
    add(objects, DEVID_IDEVID_URI);
    add(objects, DEVID_IAK_URI);
}

static enum exit_code of_token(const char *key, struct objects *objects)
{
    char beside[PLACE_SIZE];

    if (strlen(key) >= DEVID_URI_SIZE)
        return fail("the URI of the device is longer than %d characters",
                    (int)DEVID_URI_SIZE);
    objects->on_token = true;
    (void)snprintf(objects->key, PLACE_SIZE, "%s", key);
    place_beside(key, "cert", beside);
    add(objects, beside);
    add(objects, key);
    return EXIT_DONE;
}

/* The folder's key; "" where there is none. */
static enum exit_code read_folder(const struct args *args, const char *folder,
                                  struct objects *objects,
                                  struct devid_key_info *info)
{
    char path[PATH_MAX];
    struct devid *engine = NULL;
    struct devid_key *key = NULL;
    struct devid_error err;
    enum exit_code code;
    enum devid_err e;

    memset(info, 0, sizeof(*info));
    if (snprintf(path, sizeof(path), "%s/key.pem", folder) >= PATH_MAX ||
        access(path, F_OK) != 0)
        return EXIT_DONE;
    engine_take_module(args, args_text(args, ROW_DEVICE));
    code = engine_open(args, NULL, &engine); /* and asks for no PIN yet */
    if (code != EXIT_DONE)
        return code;
    e = devid_key_open(engine, path, &key, &err); /* asks no device */
    if (e == DEVID_OK) {
        devid_key_info(key, info);
        objects->folders = *devid_key_public(key);
        objects->has_folder = true;
    }
    devid_key_free(&key);
    devid_free(&engine);
    return e == DEVID_OK ? EXIT_DONE : fail_engine(&err);
}

enum exit_code objects_find_out(const struct args *args, const char *folder,
                                struct objects *objects)
{
    const char *device = args_text(args, ROW_DEVICE);
    struct devid_key_info info;
    enum exit_code code;
    char *uri;

    memset(objects, 0, sizeof(*objects));
    code = read_folder(args, folder, objects, &info);
    if (code != EXIT_DONE)
        return code;
    if (is_token_uri(device)) {
        uri = token_key_uri(device, TOKEN_KEY_LABEL, "private");
        code = of_token(uri, objects);
        OPENSSL_free(uri);
        return code;
    }
    if (device == NULL && is_token_uri(info.uri))
        return of_token(info.uri, objects);
    of_tpm(objects);
    return EXIT_DONE;
}
