/* SPDX-License-Identifier: Apache-2.0 */
/* From what was asked for to a request, and from a new key to its file. */
#include "create.h"
#include "policy.h"

#include "../secret.h"
#include "../uri.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <tss2/tss2_mu.h>

/* The digest of the name algorithm that our templates have (SHA-256). */
#define AUTH_MAX 32

static enum devid_err parse_hash(const struct devid_key_spec *spec,
                                 const struct devid_algorithm *alg,
                                 struct devid_error *err)
{
    if (spec->hash == NULL)
        return DEVID_OK;
    if (alg->type != DEVID_KEY_RSA_PSS)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "only an RSA-PSS key is bound to a hash, and %s is "
                          "none: it signs with any",
                          alg->name);
    if (tpm2_hash_id(devid_hash_by_name(spec->hash)) == TPM2_ALG_NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "'%.64s' is no hash that a TPM's RSA-PSS key can be "
                          "bound to: take SHA256, SHA384 or SHA512",
                          spec->hash);
    return DEVID_OK;
}

static enum devid_err check_device(const struct devid_key_spec *spec,
                                   struct devid_error *err)
{
    struct devid_tpm2_uri device;
    enum devid_err e;

    if (spec->device == NULL)
        return DEVID_OK;
    e = devid_tpm2_uri_parse(spec->device, &device, err);
    if (e != DEVID_OK || device.kind == DEVID_TPM2_DEVICE)
        return e;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "'%.100s' names an object, not a device: the device is "
                      "tpm2:",
                      spec->device);
}

static enum devid_err parse_persist(const struct devid_key_spec *spec,
                                    uint32_t *handle, struct devid_error *err)
{
    enum devid_err e;

    if (spec->persist == NULL)
        return DEVID_OK;
    e = devid_handle_parse(spec->persist, "the persistent handle", handle, err);
    if (e != DEVID_OK)
        return e;
    if (*handle >= TPM2_PERSISTENT_MIN && *handle <= TPM2_PERSISTENT_MAX)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "0x%08x is no persistent handle: those run from 0x%08x "
                      "to 0x%08x (the owner's) and on to 0x%08x (the "
                      "platform's)",
                      *handle, TPM2_PERSISTENT_MIN,
                      TPM2_PERSISTENT_PLATFORM - 1, TPM2_PERSISTENT_MAX);
}

static enum devid_err parse_values(const struct devid_key_spec *spec,
                                   struct tpm2_create *r,
                                   struct devid_error *err)
{
    enum devid_err e = check_device(spec, err);

    if (e != DEVID_OK)
        return e;
    r->spec = spec;
    r->alg = devid_algorithm_by_name(spec->algorithm);
    if (r->alg == NULL) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "'%.64s' is no algorithm: a TPM key is ec-p256, "
                          "ec-p384, ec-p521, or rsa- or rsa-pss- with 2048, "
                          "3072 or 4096",
                          spec->algorithm);
    }
    if (spec->decrypt && r->alg->type == DEVID_KEY_RSA_PSS)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "a key of %s signs only: RSA keys decrypt, EC keys "
                          "agree on secrets",
                          r->alg->name);
    if (spec->allow_extractable)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "no key of a TPM can leave it: a key that may is a "
                          "token's alone");
    e = parse_hash(spec, r->alg, err);
    if (e != DEVID_OK)
        return e;
    if (spec->auth_len > AUTH_MAX)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the auth value has %zu bytes, and a TPM key takes "
                          "%d at most",
                          spec->auth_len, AUTH_MAX);
    e = tpm2_policy_check(spec, err);
    if (e != DEVID_OK)
        return e;
    if (spec->parent != NULL)
        e = tpm2_parent_parse(spec->parent, &r->parent, err);
    return e == DEVID_OK ? parse_persist(spec, &r->persist, err) : e;
}

enum devid_err tpm2_spec_parse(const struct devid *engine,
                               const struct devid_key_spec *spec,
                               struct tpm2_create *create,
                               struct devid_error *err)
{
    enum devid_err e = parse_values(spec, create, err);

    if (e == DEVID_OK)
        e = devid_secret_from_setting(engine, "parent-auth-source",
                                      &create->parent_auth, err);
    if (e == DEVID_OK && spec->persist != NULL)
        e = devid_secret_from_setting(engine, "owner-auth-source",
                                      &create->owner_auth, err);
    return e;
}

enum devid_err tpm2_spec_blob(struct tpm2_create *create,
                              struct devid_keyfile *file,
                              struct devid_error *err)
{
    uint8_t buf[sizeof(TPM2B_PUBLIC)];
    size_t len = 0;

    file->format = DEVID_KEYFILE_TSS2;
    file->empty_auth = create->spec->auth_len == 0;
    file->parent = create->parent;
    file->policy = create->policy;
    memset(&create->policy, 0, sizeof(create->policy));
    file->has_policy = file->policy.count > 0;
    if (Tss2_MU_TPM2B_PUBLIC_Marshal(create->public_part, buf, sizeof(buf),
                                     &len) != 0)
        return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                          "the new key's public part does not encode");
    file->tpm_public = OPENSSL_memdup(buf, len);
    file->tpm_public_len = len;
    file->tpm_private_len = 2u + create->private_part->size;
    file->tpm_private = OPENSSL_malloc(file->tpm_private_len);
    if (file->tpm_public == NULL || file->tpm_private == NULL)
        return devid_no_memory(err);
    len = 0;
    if (Tss2_MU_TPM2B_PRIVATE_Marshal(create->private_part, file->tpm_private,
                                      file->tpm_private_len, &len) != 0)
        return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                          "the new key's private part does not encode");
    return DEVID_OK;
}

enum devid_err tpm2_spec_reference(const struct tpm2_create *create,
                                   struct devid_keyfile *file,
                                   struct devid_error *err)
{
    char uri[48];

    (void)snprintf(uri, sizeof(uri), "tpm2:handle=0x%08x%s", create->persist,
                   create->spec->auth_len > 0 ? ";auth=required" : "");
    file->format = DEVID_KEYFILE_REFERENCE;
    file->has_public = true;
    file->uri = OPENSSL_strdup(uri);
    if (file->uri == NULL)
        return devid_no_memory(err);
    return tpm2_public_to_devid(&create->public_part->publicArea,
                                &file->public_key, err);
}
