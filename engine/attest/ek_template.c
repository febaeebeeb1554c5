/* SPDX-License-Identifier: Apache-2.0 */
/* Public areas of EKs. Source: TCG EK Credential Profile 2.5, B.3 and B.4. */
#include "attest_internal.h"

#include "../backend.h"
#include "../tpm2/tcg_policy.h"

#include <tss2/tss2_mu.h>

#include <string.h>

#define LOW_ATTRIBUTES 0x300b2U  /* used by its policy alone */
#define HIGH_ATTRIBUTES 0x300f2U /* and by its auth value, userWithAuth */

static const struct attest_ek_template templates[] = {
    {DEVID_KEY_RSA, 2048, TPM2_ALG_SHA256, 128, true},  /* L-1, H-1 */
    {DEVID_KEY_EC, 256, TPM2_ALG_SHA256, 128, true},    /* L-2, H-2 */
    {DEVID_KEY_EC, 384, TPM2_ALG_SHA384, 256, false},   /* H-3 */
    {DEVID_KEY_EC, 521, TPM2_ALG_SHA512, 256, false},   /* H-4 */
    {DEVID_KEY_RSA, 3072, TPM2_ALG_SHA384, 256, false}, /* H-6 */
    {DEVID_KEY_RSA, 4096, TPM2_ALG_SHA384, 256, false}, /* H-7 */
};

const struct attest_ek_template *
attest_ek_template(const struct devid_public *ek, struct devid_error *err)
{
    for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
        if (templates[i].type == ek->type && templates[i].bits == ek->bits)
            return &templates[i];
    }
    (void)devid_fail(err, DEVID_ERR_ALG, 0,
                     "there is no template for an EK of %s with %u bits: "
                     "RSA-2048, RSA-3072, RSA-4096, P-256, P-384 and P-521 "
                     "are EKs",
                     devid_key_kind(ek->type)->name, ek->bits);
    return NULL;
}

static void symmetric(const struct attest_ek_template *t,
                      TPMT_SYM_DEF_OBJECT *out)
{
    out->algorithm = TPM2_ALG_AES;
    out->keyBits.aes = (TPMI_AES_KEY_BITS)t->aes_bits;
    out->mode.aes = TPM2_ALG_CFB;
}

static TPMI_ECC_CURVE curve_of(unsigned bits)
{
    TPMI_ECC_CURVE id = TPM2_ECC_NIST_P256;

    while (tpm2_curve_from_id(id) != NULL &&
           tpm2_curve_from_id(id)->bits < bits)
        id++; /* their ids follow each other */
    return id;
}

static void fill(const struct attest_ek_template *t,
                 const struct devid_public *ek, TPMT_PUBLIC *area)
{
    TPMS_RSA_PARMS *rsa = &area->parameters.rsaDetail;
    TPMS_ECC_PARMS *ecc = &area->parameters.eccDetail;
    size_t len = ek->coordinate_len;

    area->nameAlg = t->name_alg;
    if (t->type == DEVID_KEY_RSA) {
        area->type = TPM2_ALG_RSA;
        symmetric(t, &rsa->symmetric);
        rsa->scheme.scheme = TPM2_ALG_NULL;
        rsa->keyBits = (TPMI_RSA_KEY_BITS)t->bits;
        rsa->exponent = ek->exponent == 65537 ? 0 : ek->exponent;
        area->unique.rsa.size = (UINT16)len;
        memcpy(area->unique.rsa.buffer, ek->modulus, len);
        return;
    }
    area->type = TPM2_ALG_ECC;
    symmetric(t, &ecc->symmetric);
    ecc->scheme.scheme = TPM2_ALG_NULL;
    ecc->curveID = curve_of(t->bits);
    ecc->kdf.scheme = TPM2_ALG_NULL;
    area->unique.ecc.x.size = (UINT16)len;
    area->unique.ecc.y.size = (UINT16)len;
    memcpy(area->unique.ecc.x.buffer, ek->x, len);
    memcpy(area->unique.ecc.y.buffer, ek->y, len);
}

enum devid_err devid_ek_public_area(const struct devid_public *ek,
                                    enum devid_ek_range range,
                                    OSSL_LIB_CTX *libctx,
                                    struct devid_ek_area *area,
                                    struct devid_error *err)
{
    const struct attest_ek_template *t = attest_ek_template(ek, err);
    bool low = range == DEVID_EK_LOW;
    TPMT_PUBLIC pub = {0};
    struct tpm2_tcg_policy policy = {0};
    TPM2B_NAME name = {0};
    enum devid_err e;

    memset(area, 0, sizeof(*area));
    if (t == NULL)
        return DEVID_ERR_ALG;
    if (low && !t->low) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the low range of EK templates has RSA-2048 and "
                          "P-256 only, not one of %u bits",
                          ek->bits);
    }
    fill(t, ek, &pub);
    pub.objectAttributes = low ? LOW_ATTRIBUTES : HIGH_ATTRIBUTES;
    policy.hash = t->name_alg;
    e = tpm2_tcg_policy(TPM2_ROLE_EK, low, libctx, &policy, err);
    pub.authPolicy = policy.digest;
    if (e == DEVID_OK)
        e = tpm2_public_name(&pub, libctx, &name, err);
    if (e == DEVID_OK &&
        (name.size > sizeof(area->name.data) ||
         Tss2_MU_TPMT_PUBLIC_Marshal(&pub, area->data, sizeof(area->data),
                                     &area->len) != 0))
        e = devid_no_memory(err);
    if (e == DEVID_OK) {
        area->name.len = name.size;
        memcpy(area->name.data, name.name, name.size);
    }
    return e;
}
