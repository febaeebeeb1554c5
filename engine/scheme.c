/* SPDX-License-Identifier: Apache-2.0 */
/* What keys of a type sign: a new type is a row. */
#include "algorithm.h"
#include "backend.h"

#define SIGNS(scheme) (1u << (scheme))

static const struct devid_key_kind kinds[] = {
    [DEVID_KEY_EC] = {"EC", false, SIGNS(DEVID_ECDSA), "ECDSA alone",
                      DEVID_ECDSA},
    [DEVID_KEY_RSA] = {"RSA", true,
                       SIGNS(DEVID_RSA_PKCS1) | SIGNS(DEVID_RSA_PSS),
                       "RSA PKCS#1 and RSA-PSS", DEVID_RSA_PKCS1},
    [DEVID_KEY_RSA_PSS] = {"RSA-PSS", true, SIGNS(DEVID_RSA_PSS),
                           "RSA-PSS alone", DEVID_RSA_PSS},
    [DEVID_KEY_ED25519] = {"ED25519", false, SIGNS(DEVID_EDDSA),
                           "Ed25519 alone", DEVID_EDDSA},
};

static const char *const scheme_names[] = {
    [DEVID_ECDSA] = "ECDSA",
    [DEVID_RSA_PKCS1] = "RSA PKCS#1",
    [DEVID_RSA_PSS] = "RSA-PSS",
    [DEVID_EDDSA] = "Ed25519",
};

const struct devid_key_kind *devid_key_kind(enum devid_key_type type)
{
    return &kinds[type];
}

const char *devid_scheme_name(enum devid_scheme scheme)
{
    return scheme_names[scheme];
}

size_t devid_signature_len(const struct devid_public *pub)
{
    return (kinds[pub->type].is_rsa ? 1 : 2) * pub->coordinate_len;
}

enum devid_err devid_scheme_check(const struct devid_public *pub,
                                  const struct devid_tbs *tbs,
                                  struct devid_error *err)
{
    const struct devid_key_kind *kind = devid_key_kind(pub->type);

    if ((kind->schemes & 1u << tbs->scheme) == 0)
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "an %s signature asked of an %s key, which signs %s",
                          devid_scheme_name(tbs->scheme), kind->name,
                          kind->signs);
    if (tbs->scheme == DEVID_EDDSA && tbs->hash != NULL)
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "an Ed25519 signature is of the message itself, not "
                          "of its %s digest: name no hash",
                          tbs->hash->name);
    if (pub->hash == NULL)
        return DEVID_OK;
    if (tbs->hash != pub->hash || (tbs->mgf1 != NULL && tbs->mgf1 != pub->hash))
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "this RSA-PSS key is bound to the hash %s, for MGF1 "
                          "too, and signs with no other",
                          pub->hash->name);
    if (tbs->salt_len < pub->salt_len)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "this RSA-PSS key is bound to salts of %zu bytes at "
                          "least, and %zu are asked for",
                          pub->salt_len, tbs->salt_len);
    return DEVID_OK;
}
