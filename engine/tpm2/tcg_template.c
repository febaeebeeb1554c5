/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of the TCG's identity keys. Pure. */
#include "tcg_template.h"
#include "../backend.h"

#include <string.h>

#include <tss2/tss2_mu.h>

#define RSA_2048_BYTES 256
#define P256_BYTES 32

const struct tpm2_ek_kind tpm2_ek_kinds[] = {
    {"RSA 2048 (L-1)", "rsa-2048", TPM2_ALG_SHA256, true, 0x81010001, 0,
     0x01c00002},
    {"ECC P-256 (L-2)", "ec-p256", TPM2_ALG_SHA256, true, 0x81010001,
     0x81010002, 0x01c0000a},
    {"RSA 2048 (H-1)", "rsa-2048", TPM2_ALG_SHA256, false, 0x81010012, 0,
     0x01c00012},
    {"ECC P-256 (H-2)", "ec-p256", TPM2_ALG_SHA256, false, 0x81010014, 0,
     0x01c00014},
    {"ECC P-384 (H-3)", "ec-p384", TPM2_ALG_SHA384, false, 0x81010016, 0,
     0x01c00016},
    {"ECC P-521 (H-4)", "ec-p521", TPM2_ALG_SHA512, false, 0x81010018, 0,
     0x01c00018},
    {"RSA 3072 (H-6)", "rsa-3072", TPM2_ALG_SHA384, false, 0x8101001c, 0,
     0x01c0001c},
    {"RSA 4096 (H-7)", "rsa-4096", TPM2_ALG_SHA384, false, 0x8101001e, 0,
     0x01c0001e},
    {0},
};

/* As strong as the key. */
static TPMI_ALG_HASH hash_of(const struct devid_algorithm *alg)
{
    if (alg->security_bits > 192)
        return TPM2_ALG_SHA512;
    return alg->bits == 256 || alg->bits == 2048 ? TPM2_ALG_SHA256
                                                 : TPM2_ALG_SHA384;
}

static void put_parameters(const struct devid_algorithm *alg,
                           const TPMT_SYM_DEF_OBJECT *symmetric,
                           TPMI_ALG_HASH scheme_hash, TPMT_PUBLIC *area)
{
    if (alg->type == DEVID_KEY_EC) {
        TPMS_ECC_PARMS *ecc = &area->parameters.eccDetail;

        area->type = TPM2_ALG_ECC;
        ecc->symmetric = *symmetric;
        ecc->scheme.scheme =
            scheme_hash == TPM2_ALG_NULL ? TPM2_ALG_NULL : TPM2_ALG_ECDSA;
        ecc->scheme.details.ecdsa.hashAlg = scheme_hash;
        ecc->curveID = tpm2_curve_of(alg);
        ecc->kdf.scheme = TPM2_ALG_NULL;
    } else {
        TPMS_RSA_PARMS *rsa = &area->parameters.rsaDetail;

        area->type = TPM2_ALG_RSA;
        rsa->symmetric = *symmetric;
        rsa->scheme.scheme =
            scheme_hash == TPM2_ALG_NULL ? TPM2_ALG_NULL : TPM2_ALG_RSAPSS;
        rsa->scheme.details.rsapss.hashAlg = scheme_hash;
        rsa->keyBits = (TPMI_RSA_KEY_BITS)alg->bits;
    }
}

enum devid_err tpm2_template_devid(enum tpm2_role role,
                                   const struct devid_algorithm *alg,
                                   OSSL_LIB_CTX *libctx, TPM2B_PUBLIC *pub,
                                   struct devid_error *err)
{
    const TPMT_SYM_DEF_OBJECT none = {.algorithm = TPM2_ALG_NULL};
    struct tpm2_tcg_policy policy = {.hash = hash_of(alg)};
    TPMT_PUBLIC *area = &pub->publicArea;
    enum devid_err e = tpm2_tcg_policy(role, false, libctx, &policy, err);
    bool rsa_idevid = role == TPM2_ROLE_IDEVID && alg->type == DEVID_KEY_RSA;

    if (e != DEVID_OK)
        return e;
    memset(pub, 0, sizeof(*pub));
    area->nameAlg = policy.hash;
    area->objectAttributes =
        TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
        TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
        TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_SIGN_ENCRYPT;
    if (role == TPM2_ROLE_IAK)
        area->objectAttributes |= TPMA_OBJECT_RESTRICTED;
    area->authPolicy = policy.digest;
    put_parameters(alg, &none, rsa_idevid ? TPM2_ALG_NULL : policy.hash, area);
    tpm2_template_unique(role, TPM2_UNIQUE_BOTH, pub);
    return DEVID_OK;
}

void tpm2_template_unique(enum tpm2_role role, enum tpm2_unique form,
                          TPM2B_PUBLIC *pub)
{
    const char *word = role == TPM2_ROLE_IAK ? "IAK" : "IDEVID";
    const size_t len = strlen(word);
    size_t x_len = form == TPM2_UNIQUE_HALVES ? len / 2 : len;
    size_t y_len = form == TPM2_UNIQUE_X ? 0 : len;
    TPMU_PUBLIC_ID *unique = &pub->publicArea.unique;

    memset(unique, 0, sizeof(*unique));
    if (pub->publicArea.type == TPM2_ALG_RSA) {
        unique->rsa.size = (UINT16)len;
        memcpy(unique->rsa.buffer, word, len);
        return;
    }
    unique->ecc.x.size = (UINT16)x_len;
    memcpy(unique->ecc.x.buffer, word, x_len);
    if (form == TPM2_UNIQUE_HALVES) {
        word += x_len;
        y_len -= x_len;
    }
    unique->ecc.y.size = (UINT16)y_len;
    memcpy(unique->ecc.y.buffer, word, y_len);
}

unsigned tpm2_ek_aes_bits(const struct tpm2_ek_kind *kind)
{
    return kind->hash == TPM2_ALG_SHA256 ? 128 : 256;
}

enum devid_err tpm2_template_ek(const struct tpm2_ek_kind *kind,
                                OSSL_LIB_CTX *libctx, TPM2B_PUBLIC *pub,
                                struct devid_error *err)
{
    const TPMT_SYM_DEF_OBJECT aes = {
        .algorithm = TPM2_ALG_AES,
        .keyBits.aes = (TPMI_AES_KEY_BITS)tpm2_ek_aes_bits(kind),
        .mode.aes = TPM2_ALG_CFB,
    };
    struct tpm2_tcg_policy policy = {.hash = kind->hash};
    TPMT_PUBLIC *area = &pub->publicArea;
    enum devid_err e =
        tpm2_tcg_policy(TPM2_ROLE_EK, kind->low, libctx, &policy, err);

    if (e != DEVID_OK)
        return e;
    memset(pub, 0, sizeof(*pub));
    area->nameAlg = kind->hash;
    area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                             TPMA_OBJECT_SENSITIVEDATAORIGIN |
                             TPMA_OBJECT_ADMINWITHPOLICY |
                             TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
    if (!kind->low)
        area->objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
    area->authPolicy = policy.digest;
    put_parameters(devid_algorithm_by_name(kind->algorithm), &aes,
                   TPM2_ALG_NULL, area);
    /* Zeros of the key's length in the low range, nothing in the high one. */
    if (kind->low && area->type == TPM2_ALG_RSA)
        area->unique.rsa.size = RSA_2048_BYTES;
    if (kind->low && area->type == TPM2_ALG_ECC) {
        area->unique.ecc.x.size = P256_BYTES;
        area->unique.ecc.y.size = P256_BYTES;
    }
    return DEVID_OK;
}

/* An RSA IAK signs by either of the two paddings, as its maker chose. */
static void take_scheme(const TPMT_PUBLIC *found, TPMT_PUBLIC *expected)
{
    const TPMT_RSA_SCHEME *scheme = &found->parameters.rsaDetail.scheme;

    if (expected->type == TPM2_ALG_RSA && found->type == TPM2_ALG_RSA &&
        expected->parameters.rsaDetail.scheme.scheme == TPM2_ALG_RSAPSS &&
        scheme->scheme == TPM2_ALG_RSASSA)
        expected->parameters.rsaDetail.scheme.scheme = TPM2_ALG_RSASSA;
}

bool tpm2_public_same(const TPM2B_PUBLIC *a, const TPM2B_PUBLIC *b)
{
    uint8_t a_data[sizeof(TPMT_PUBLIC)];
    uint8_t b_data[sizeof(TPMT_PUBLIC)];
    size_t a_len = 0;
    size_t b_len = 0;

    return Tss2_MU_TPMT_PUBLIC_Marshal(&a->publicArea, a_data, sizeof(a_data),
                                       &a_len) == TSS2_RC_SUCCESS &&
           Tss2_MU_TPMT_PUBLIC_Marshal(&b->publicArea, b_data, sizeof(b_data),
                                       &b_len) == TSS2_RC_SUCCESS &&
           a_len == b_len && memcmp(a_data, b_data, a_len) == 0;
}

bool tpm2_template_matches(const TPM2B_PUBLIC *template,
                           const TPM2B_PUBLIC *found)
{
    TPM2B_PUBLIC expected = *template;

    if (template->publicArea.type != found->publicArea.type)
        return false;
    take_scheme(&found->publicArea, &expected.publicArea);
    expected.publicArea.unique = found->publicArea.unique;
    return tpm2_public_same(&expected, found);
}

bool tpm2_is_identity_key(const TPM2B_PUBLIC *found, OSSL_LIB_CTX *libctx)
{
    struct devid_public pub;
    TPM2B_PUBLIC template;

    if (tpm2_public_to_devid(&found->publicArea, &pub, NULL) != DEVID_OK ||
        pub.alg == NULL)
        return false;
    for (int role = TPM2_ROLE_IDEVID; role <= TPM2_ROLE_IAK; role++) {
        if (tpm2_template_devid((enum tpm2_role)role, pub.alg, libctx,
                                &template, NULL) == DEVID_OK &&
            tpm2_template_matches(&template, found))
            return true;
    }
    for (const struct tpm2_ek_kind *k = tpm2_ek_kinds; k->name != NULL; k++) {
        if (tpm2_template_ek(k, libctx, &template, NULL) == DEVID_OK &&
            tpm2_template_matches(&template, found))
            return true;
    }
    return false;
}
