/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that other programs made, as key files. */
#include "engine.h"
#include "key.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

/* TPM 2.0 Part 2, 7.2: what persistent handles begin with. */
#define PERSISTENT 0x81u

static uint16_t size_at(const uint8_t *data)
{
    return (uint16_t)(data[0] << 8 | data[1]);
}

static enum devid_err put(const uint8_t *data, size_t len, uint8_t **to,
                          size_t *to_len, struct devid_error *err)
{
    *to = OPENSSL_memdup(data, len);
    *to_len = len;
    return *to == NULL ? devid_no_memory(err) : DEVID_OK;
}

/* ---- a persistent handle --------------------------------------------- */

/*
 * tpm2-tools keep a handle as ESYS serialises it: handle, Name, a number for
 * its kind, TPM2B_PUBLIC.
 */
static enum devid_err from_handle(const struct devid_convert_spec *spec,
                                  struct devid_keyfile *file,
                                  struct devid_error *err)
{
    const uint8_t *data = spec->data;
    size_t offset = spec->len < 6 ? SIZE_MAX : 4u + 2u + size_at(data + 4) + 4u;
    char uri[32];

    if (offset > spec->len || spec->len - offset < 2 ||
        spec->len - offset - 2 != size_at(data + offset))
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the file begins as tpm2-tools' file of a "
                          "persistent handle, and goes on otherwise: name the "
                          "key by its URI, tpm2:handle=0x81...");
    (void)snprintf(uri, sizeof(uri), "tpm2:handle=0x%02x%02x%02x%02x", data[0],
                   data[1], data[2], data[3]);
    file->format = DEVID_KEYFILE_REFERENCE;
    file->uri = OPENSSL_strdup(uri);
    if (file->uri == NULL)
        return devid_no_memory(err);
    return put(data + offset, spec->len - offset, &file->tpm_public,
               &file->tpm_public_len, err);
}

/* ---- blobs ----------------------------------------------------------- */

static bool is_tpm2b(const uint8_t *data, size_t len)
{
    return len > 2 && size_at(data) == len - 2;
}

static enum devid_err from_blobs(const struct devid_convert_spec *spec,
                                 struct devid_keyfile *file,
                                 struct devid_error *err)
{
    enum devid_err e;

    if (!is_tpm2b(spec->data, spec->len) ||
        !is_tpm2b(spec->tpm_private, spec->tpm_private_len))
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the %s part has not the length that it states: it "
                          "must be a file of tpm2_create -u and -r",
                          is_tpm2b(spec->data, spec->len) ? "private"
                                                          : "public");
    file->format = DEVID_KEYFILE_TSS2;
    file->empty_auth = !spec->has_auth;
    e = put(spec->data, spec->len, &file->tpm_public, &file->tpm_public_len,
            err);
    if (e == DEVID_OK)
        e = put(spec->tpm_private, spec->tpm_private_len, &file->tpm_private,
                &file->tpm_private_len, err);
    if (e == DEVID_OK && spec->policy != NULL)
        e = devid_policy_from_text(spec->policy, &file->policy, err);
    file->has_policy = file->policy.count > 0;
    return e;
}

/* ---- an importable key ----------------------------------------------- */

static enum devid_err from_importable(const struct devid_convert_spec *spec,
                                      struct devid_keyfile *file,
                                      struct devid_error *err)
{
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err e = devid_keyfile_unpem((const char *)spec->data, spec->len,
                                           &der, &len, err);

    if (e == DEVID_OK)
        e = devid_keyfile_parse(der, len, NULL, file, err);
    OPENSSL_free(der);
    if (e != DEVID_OK)
        return e;
    if (file->importable) {
        OPENSSL_free(file->der); /* it is written anew */
        file->der = NULL;
        if (spec->parent != NULL)
            file->parent = 0;
        return DEVID_OK;
    }
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "this is a key file already, and not an importable one: "
                      "there is nothing to convert");
}

/* ---- all ------------------------------------------------------------- */

static enum devid_err read_spec(const struct devid_convert_spec *spec,
                                struct devid_keyfile *file,
                                struct devid_error *err)
{
    if (spec->tpm_private != NULL)
        return from_blobs(spec, file, err);
    if (is_tpm2b(spec->data, spec->len))
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "this is a TPM's public part, which goes with a "
                          "private one: name that as well");
    if (spec->len > 0 && spec->data[0] == PERSISTENT)
        return from_handle(spec, file, err);
    return from_importable(spec, file, err);
}

enum devid_err devid_key_convert(struct devid *engine,
                                 const struct devid_convert_spec *spec,
                                 struct devid_key **key,
                                 struct devid_error *err)
{
    const struct devid_backend *be = NULL;
    struct devid_keyfile file = {0};
    void *state = NULL;
    enum devid_err e;

    *key = NULL;
    e = devid_backend_for(engine, NULL, &be, &state, err);
    if (e != DEVID_OK)
        return e;
    if (be->key_adopt == NULL)
        return devid_fail(err, DEVID_ERR_ALG, 0, "a %s takes no keys of others",
                          be->name);
    e = read_spec(spec, &file, err);
    if (e == DEVID_OK)
        e = be->key_adopt(state, spec->parent, &file, err);
    if (e != DEVID_OK) {
        devid_keyfile_clear(&file);
        return e;
    }
    return devid_key_from_keyfile(engine, &file, key, err);
}
