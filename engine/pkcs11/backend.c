/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PKCS#11 back end's table, and what its functions cost in calls. "Contact"
 * is C_Initialize, C_GetSlotList, C_GetTokenInfo, C_OpenSession and, where
 * there is a PIN, C_Login: five, once a process. A search is C_FindObjectsInit,
 * C_FindObjects and C_FindObjectsFinal.
 *
 *   open, close, key_free, key_set_auth, key_info   none
 *   key_open    none; of a file without a public key contact without C_Login,
 *               a search, C_GetAttributeValue
 *   key_find    contact, a search, C_GetAttributeValue for each object of the
 *               URI's id or label, up to three; else once, and once more with a
 *               search for the public half of an EC key
 *   sign        first: contact, a search, C_GetAttributeValue, C_SignInit and
 *               C_Sign; then, and right after key_find, C_SignInit and C_Sign
 *               (a key that asks each time also C_Login); C_OpenSession for
 *               each more that signs at once
 *   decrypt     as sign, with C_DecryptInit and C_Decrypt
 *   derive      first: contact, a search, C_GetAttributeValue, then twice
 *               C_DeriveKey, C_GetAttributeValue and C_DestroyObject; then
 *               these three once
 *   key_create  contact, C_GenerateKeyPair, C_GetAttributeValue twice,
 *               C_CloseSession
 *   remove      contact, a search, C_GetAttributeValue, C_DestroyObject, for a
 *               key a search and C_DestroyObject more, C_CloseSession
 *   list        contact, two searches, two to six an object
 *   cert_read   contact without C_Login, a search, C_GetAttributeValue twice
 *   whoami      contact without C_Login
 *   random      first: contact without C_Login and C_GenerateRandom; then that
 *   device_state  the same
 *   shutdown    C_CloseSession for each idle session, by p11-kit; C_Finalize
 */
#include "pkcs11.h"

#include <openssl/crypto.h>

extern const struct devid_backend devid_pkcs11_backend;

static enum devid_err backend_open(const struct devid *engine, void **state,
                                   struct devid_error *err)
{
    struct p11_state *self = OPENSSL_zalloc(sizeof(*self));

    if (self == NULL)
        return devid_no_memory(err);
    self->engine = engine;
    p11_tokens_open();
    *state = self;
    return DEVID_OK;
}

static void backend_close(void **state)
{
    OPENSSL_free(*state);
    *state = NULL;
    p11_tokens_close();
}

static const char *const schemes[] = {"pkcs11", NULL};

const struct devid_backend devid_pkcs11_backend = {
    .name = "PKCS#11",
    .secret = "PIN",
    .secret_setting = "pin-source",
    .schemes = schemes,
    .open = backend_open,
    .close = backend_close,
    .key_open = p11_key_open,
    .key_free = p11_key_free,
    .key_set_auth = p11_key_set_auth,
    .key_find = p11_key_find,
    .key_create = p11_key_create,
    .key_import = p11_key_import,
    .sign = p11_sign,
    .decrypt = p11_decrypt,
    .derive = p11_derive,
    .key_info = p11_key_info,
    .remove = p11_remove,
    .list = p11_list,
    .cert_read = p11_cert_read,
    .cert_write = p11_cert_write,
    .whoami = p11_whoami,
    .random = p11_random,
    .device_state = p11_device_state,
    .shutdown = p11_modules_stop,
};
