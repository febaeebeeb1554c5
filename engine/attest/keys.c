/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public areas of an IAK and an IDevID against the TCG's templates. What
 * a TPM filled in as `unique` is the key itself, so implementations that ask
 * for it in different ways differ in nothing here.
 * Source: TCG, TPM 2.0 Keys for Device Identity and Attestation 1.0, 7.3.4.
 */
#include "attest_internal.h"

#include "../tpm2/tcg_policy.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <string.h>

static const struct role {
    const char *name;
    const char *field;
    enum tpm2_role role;
    TPMA_OBJECT wanted;
    TPMA_OBJECT unwanted;
    bool fixed_scheme; /* a restricted key signs in one way alone */
    enum devid_attest_reason malformed, key, attributes, template;
} iak_role =
    {
        .name = "IAK",
        .field = "attestPub",
        .role = TPM2_ROLE_IAK,
        .wanted = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                  TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_SIGN_ENCRYPT |
                  TPMA_OBJECT_RESTRICTED,
        .unwanted = TPMA_OBJECT_DECRYPT | TPMA_OBJECT_STCLEAR |
                    TPMA_OBJECT_ENCRYPTEDDUPLICATION,
        .fixed_scheme = true,
        .malformed = DEVID_ATTEST_IAK_MALFORMED,
        .key = DEVID_ATTEST_IAK_KEY,
        .attributes = DEVID_ATTEST_IAK_ATTRIBUTES,
        .template = DEVID_ATTEST_IAK_TEMPLATE,
},
  idevid_role = {
      .name = "IDevID",
      .field = "signingPub",
      .role = TPM2_ROLE_IDEVID,
      .wanted = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_SIGN_ENCRYPT,
      .unwanted = TPMA_OBJECT_DECRYPT | TPMA_OBJECT_STCLEAR |
                  TPMA_OBJECT_ENCRYPTEDDUPLICATION | TPMA_OBJECT_RESTRICTED,
      .fixed_scheme = false,
      .malformed = DEVID_ATTEST_IDEVID_MALFORMED,
      .key = DEVID_ATTEST_IDEVID_KEY,
      .attributes = DEVID_ATTEST_IDEVID_ATTRIBUTES,
      .template = DEVID_ATTEST_IDEVID_TEMPLATE,
};

static bool is_sha2(TPM2_ALG_ID id)
{
    return id == TPM2_ALG_SHA256 || id == TPM2_ALG_SHA384 ||
           id == TPM2_ALG_SHA512;
}

/* ECC and RSA keep their schemes in structures of the same shape. */
static bool scheme_fits(const struct role *role, const TPMT_PUBLIC *area)
{
    bool is_ec = area->type == TPM2_ALG_ECC;
    TPM2_ALG_ID scheme = is_ec ? area->parameters.eccDetail.scheme.scheme
                               : area->parameters.rsaDetail.scheme.scheme;
    TPM2_ALG_ID hash =
        is_ec ? area->parameters.eccDetail.scheme.details.ecdsa.hashAlg
              : area->parameters.rsaDetail.scheme.details.rsassa.hashAlg;

    if (scheme == TPM2_ALG_NULL)
        return !role->fixed_scheme;
    if (is_ec)
        return scheme == TPM2_ALG_ECDSA && is_sha2(hash);
    return (scheme == TPM2_ALG_RSASSA || scheme == TPM2_ALG_RSAPSS) &&
           is_sha2(hash);
}

static enum devid_attest_reason
check_algorithm(const struct role *role, const struct attest_key *key,
                struct devid_attest_verdict *verdict)
{
    const struct devid_public *pub = key->pub;

    if (!is_sha2(key->area.nameAlg)) {
        return attest_refuse(verdict, role->key,
                             "the %s's nameAlg is 0x%x: SHA-256, SHA-384 or "
                             "SHA-512 is wanted",
                             role->name, key->area.nameAlg);
    }
    if (!scheme_fits(role, &key->area)) {
        return attest_refuse(verdict, role->key,
                             "the %s's scheme is not one of ECDSA, RSASSA and "
                             "RSAPSS with SHA-256, SHA-384 or SHA-512%s",
                             role->name,
                             role->fixed_scheme ? "" : ", nor none");
    }
    if (devid_public_weakness(pub) != NULL) {
        return attest_refuse(verdict, role->key,
                             "the %s's RSA key of %u bits is weak: it %s",
                             role->name, pub->bits, devid_public_weakness(pub));
    }
    return DEVID_ATTEST_TRUSTED;
}

static enum devid_attest_reason
check_attributes(const struct role *role, const TPMT_PUBLIC *area,
                 struct devid_attest_verdict *verdict)
{
    TPMT_PUBLIC odd = *area;
    char lacks[128];
    char has[128];

    odd.objectAttributes = role->wanted & ~area->objectAttributes;
    tpm2_public_words(&odd, lacks, sizeof(lacks));
    odd.objectAttributes = role->unwanted & area->objectAttributes;
    tpm2_public_words(&odd, has, sizeof(has));
    if (*lacks == '\0' && *has == '\0')
        return DEVID_ATTEST_TRUSTED;
    return attest_refuse(verdict, role->attributes,
                         "the %s's attributes 0x%x are not those of an %s: it "
                         "lacks %s, and has %s that it must not have",
                         role->name, area->objectAttributes, role->name,
                         *lacks != '\0' ? lacks : "nothing",
                         *has != '\0' ? has : "nothing");
}

static enum devid_attest_reason
check_template(const struct role *role, const TPMT_PUBLIC *area,
               OSSL_LIB_CTX *libctx, struct devid_attest_verdict *verdict)
{
    const TPMA_OBJECT wanted =
        TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_ADMINWITHPOLICY;
    struct tpm2_tcg_policy policy = {.hash = area->nameAlg};

    if (tpm2_tcg_policy(role->role, false, libctx, &policy, NULL) != DEVID_OK)
        return attest_undecided(verdict);
    if ((area->objectAttributes & wanted) != wanted) {
        return attest_refuse(verdict, role->template,
                             "the %s's attributes 0x%x are not those of the "
                             "TCG's template: userWithAuth and "
                             "adminWithPolicy are wanted",
                             role->name, area->objectAttributes);
    }
    if (area->authPolicy.size != policy.digest.size ||
        memcmp(area->authPolicy.buffer, policy.digest.buffer,
               policy.digest.size) != 0) {
        return attest_refuse(verdict, role->template,
                             "the %s's authPolicy is not that of the TCG's "
                             "template: others may be able to use it",
                             role->name);
    }
    return DEVID_ATTEST_TRUSTED;
}

/* TPM 2.0 Part 1, 16: a primary's parent is its hierarchy's handle. */
static enum devid_err qualify(struct attest_key *key)
{
    static const uint8_t endorsement[] = {0x40, 0x00, 0x00, 0x0b};
    const struct devid_hash *hash = tpm2_hash_from_id(key->area.nameAlg);
    uint8_t data[sizeof(endorsement) + sizeof(key->name->data)];

    memcpy(data, endorsement, sizeof(endorsement));
    memcpy(data + sizeof(endorsement), key->name->data, key->name->len);
    memcpy(key->qualified.name, key->name->data, 2);
    key->qualified.size = (UINT16)(2 + hash->len);
    return attest_digest(
        hash, key->libctx,
        (struct devid_bytes){data, sizeof(endorsement) + key->name->len},
        key->qualified.name + 2, NULL);
}

static enum devid_err name_key(struct attest_key *key)
{
    TPM2B_NAME name = {0};
    enum devid_err e = tpm2_public_name(&key->area, key->libctx, &name, NULL);

    if (e != DEVID_OK || name.size > sizeof(key->name->data))
        return DEVID_ERR_SYSTEM;
    key->name->len = name.size;
    memcpy(key->name->data, name.name, name.size);
    return qualify(key);
}

static enum devid_attest_reason check(const struct role *role,
                                      struct devid_bytes area,
                                      const struct devid_attest_policy *policy,
                                      struct attest_key *key,
                                      struct devid_attest_verdict *verdict)
{
    struct devid_error err = {0};
    enum devid_attest_reason r;

    key->libctx = policy->libctx;
    if (attest_parse_public(area, role->field, &key->area, &verdict->error) !=
        DEVID_OK)
        return role->malformed;
    if (tpm2_public_to_devid(&key->area, key->pub, &err) != DEVID_OK)
        return attest_refuse(verdict, role->key, "the %s: %.600s", role->name,
                             err.text);
    r = check_algorithm(role, key, verdict);
    if (r == DEVID_ATTEST_TRUSTED)
        r = check_attributes(role, &key->area, verdict);
    if (r == DEVID_ATTEST_TRUSTED && !policy->allow_other_templates)
        r = check_template(role, &key->area, policy->libctx, verdict);
    if (r == DEVID_ATTEST_TRUSTED && name_key(key) != DEVID_OK)
        r = attest_undecided(verdict);
    return r;
}

enum devid_attest_reason
attest_iak_check(struct devid_bytes area,
                 const struct devid_attest_policy *policy,
                 struct attest_key *key, struct devid_attest_verdict *verdict)
{
    key->pub = &verdict->iak;
    key->name = &verdict->iak_name;
    return check(&iak_role, area, policy, key, verdict);
}

enum devid_attest_reason attest_idevid_check(
    struct devid_bytes area, const struct devid_attest_policy *policy,
    struct attest_key *key, struct devid_attest_verdict *verdict)
{
    key->pub = &verdict->idevid;
    key->name = &verdict->idevid_name;
    return check(&idevid_role, area, policy, key, verdict);
}
