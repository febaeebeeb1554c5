/* SPDX-License-Identifier: Apache-2.0 */
/* Who this token is: its maker, model, serial and firmware; and how it is. */
#include "find.h"

#include "../state.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

/* A field of fixed width, padded with blanks, as a text. */
static void put_field(char *text, size_t size, const CK_UTF8CHAR *field,
                      size_t field_size)
{
    size_t len = p11_kit_space_strlen(field, field_size);

    (void)snprintf(text, size, "%.*s", (int)len, (const char *)field);
}

static enum devid_err whoami_op(struct p11_session *session, void *arg,
                                struct devid_error *err)
{
    CK_TOKEN_INFO *info = arg;

    (void)err;
    *info = session->token->info; /* read when the token was found */
    return DEVID_OK;
}

/*
 * A token has no key of its maker's that could be asked for in general: its
 * id is the SHA-256 of maker, model and serial, which name it in the world.
 */
static enum devid_err hash_identity(const CK_TOKEN_INFO *token,
                                    OSSL_LIB_CTX *libctx, char text[72],
                                    struct devid_error *err)
{
    uint8_t name[sizeof(token->manufacturerID) + sizeof(token->model) +
                 sizeof(token->serialNumber)];
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint8_t *p = name;
    size_t len = 0;

    memcpy(p, token->manufacturerID, sizeof(token->manufacturerID));
    p += sizeof(token->manufacturerID);
    memcpy(p, token->model, sizeof(token->model));
    p += sizeof(token->model);
    memcpy(p, token->serialNumber, sizeof(token->serialNumber));
    if (EVP_Q_digest(libctx, "SHA2-256", "provider!=devid", name, sizeof(name),
                     digest, &len) != 1)
        return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                          "OpenSSL does not compute SHA-256");
    for (size_t i = 0; i < len; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return DEVID_OK;
}

/* CK_TOKEN_INFO of the token that a URI names. */
static enum devid_err read_info(const struct p11_state *self,
                                const char *device, CK_TOKEN_INFO *found,
                                struct devid_error *err)
{
    struct p11_uri uri;
    struct p11_token *token = NULL;
    bool ask = false;
    enum devid_err e = p11_open_uri(self, device, &uri, &token, &ask, err);

    if (e != DEVID_OK)
        return e;
    e = p11_run(token, P11_READ, whoami_op, found, err);
    p11_uri_clear(&uri);
    return e;
}

enum devid_err p11_whoami(void *state, const char *device,
                          struct devid_device_info *info,
                          struct devid_error *err)
{
    const struct p11_state *self = state;
    CK_TOKEN_INFO found = {0};
    char serial[24];
    char label[40];
    enum devid_err e = read_info(self, device, &found, err);

    if (e != DEVID_OK)
        return e;
    put_field(info->manufacturer, sizeof(info->manufacturer),
              found.manufacturerID, sizeof(found.manufacturerID));
    put_field(info->model, sizeof(info->model), found.model,
              sizeof(found.model));
    put_field(serial, sizeof(serial), found.serialNumber,
              sizeof(found.serialNumber));
    put_field(label, sizeof(label), found.label, sizeof(found.label));
    (void)snprintf(info->device, sizeof(info->device), "token '%s', serial %s",
                   label, serial);
    (void)snprintf(info->firmware, sizeof(info->firmware), "%u.%u",
                   found.firmwareVersion.major, found.firmwareVersion.minor);
    (void)snprintf(info->id_source, sizeof(info->id_source),
                   "the token's maker, model and serial %s", serial);
    return hash_identity(&found, devid_libctx(self->engine), info->id, err);
}

static int64_t free_bytes(CK_ULONG bytes)
{
    const uint64_t count = bytes; /* CK_ULONG may have 32 bits */

    return bytes == CK_UNAVAILABLE_INFORMATION || count > INT64_MAX
               ? -1
               : (int64_t)count;
}

/* CK_TOKEN_INFO's flags, each in its place. */
static void take_flags(CK_FLAGS flags, struct devid_token_state *token)
{
    token->flags = (uint32_t)flags;
    token->initialised = (flags & CKF_TOKEN_INITIALIZED) != 0;
    token->write_protected = (flags & CKF_WRITE_PROTECTED) != 0;
    token->login_required = (flags & CKF_LOGIN_REQUIRED) != 0;
    token->pin_initialised = (flags & CKF_USER_PIN_INITIALIZED) != 0;
    token->pin_count_low = (flags & CKF_USER_PIN_COUNT_LOW) != 0;
    token->pin_final_try = (flags & CKF_USER_PIN_FINAL_TRY) != 0;
    token->pin_locked = (flags & CKF_USER_PIN_LOCKED) != 0;
    token->pin_to_be_changed = (flags & CKF_USER_PIN_TO_BE_CHANGED) != 0;
    token->so_pin_locked = (flags & CKF_SO_PIN_LOCKED) != 0;
}

enum devid_err p11_device_state(void *state, const char *device,
                                struct devid_device_state *out,
                                struct devid_error *err)
{
    struct devid_token_state *token = &out->token;
    CK_TOKEN_INFO found = {0};
    enum devid_err e = read_info(state, device, &found, err);

    out->is_token = true;
    if (e != DEVID_OK)
        return e;
    put_field(token->label, sizeof(token->label), found.label,
              sizeof(found.label));
    put_field(token->manufacturer, sizeof(token->manufacturer),
              found.manufacturerID, sizeof(found.manufacturerID));
    put_field(token->model, sizeof(token->model), found.model,
              sizeof(found.model));
    put_field(token->serial, sizeof(token->serial), found.serialNumber,
              sizeof(found.serialNumber));
    (void)snprintf(token->firmware, sizeof(token->firmware), "%u.%u",
                   found.firmwareVersion.major, found.firmwareVersion.minor);
    (void)snprintf(out->device, sizeof(out->device), "token '%s', serial %s",
                   token->label, token->serial);
    take_flags(found.flags, token);
    token->free_public = free_bytes(found.ulFreePublicMemory);
    token->free_private = free_bytes(found.ulFreePrivateMemory);
    return DEVID_OK;
}
