/* SPDX-License-Identifier: Apache-2.0 */
/* Public areas that we ask a TPM to fill in. Pure. */
#include "tpm2.h"

#include <string.h>

#include <tss2/tss2_mu.h>

/* A TPM binds a key with a scheme to one hash. */
static TPMI_ALG_HASH pss_hash(const struct devid_key_spec *spec)
{
    return spec->hash == NULL ? TPM2_ALG_SHA256
                              : tpm2_hash_id(devid_hash_by_name(spec->hash));
}

void tpm2_template_key(const struct devid_key_spec *spec,
                       const struct devid_algorithm *alg, TPM2B_PUBLIC *pub)
{
    TPMT_PUBLIC *area = &pub->publicArea;

    memset(pub, 0, sizeof(*pub));
    area->nameAlg = TPM2_ALG_SHA256;
    area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                             TPMA_OBJECT_SENSITIVEDATAORIGIN |
                             TPMA_OBJECT_USERWITHAUTH |
                             TPMA_OBJECT_SIGN_ENCRYPT;
    if (!spec->dictionary_attack_protected)
        area->objectAttributes |= TPMA_OBJECT_NODA;
    if (spec->decrypt)
        area->objectAttributes |= TPMA_OBJECT_DECRYPT;
    if (!devid_key_kind(alg->type)->is_rsa) {
        TPMS_ECC_PARMS *ecc = &area->parameters.eccDetail;

        area->type = TPM2_ALG_ECC;
        ecc->symmetric.algorithm = TPM2_ALG_NULL;
        ecc->scheme.scheme = TPM2_ALG_NULL;
        ecc->curveID = tpm2_curve_of(alg);
        ecc->kdf.scheme = TPM2_ALG_NULL;
    } else {
        TPMS_RSA_PARMS *rsa = &area->parameters.rsaDetail;

        area->type = TPM2_ALG_RSA;
        rsa->symmetric.algorithm = TPM2_ALG_NULL;
        rsa->scheme.scheme = TPM2_ALG_NULL;
        if (alg->type == DEVID_KEY_RSA_PSS) {
            rsa->scheme.scheme = TPM2_ALG_RSAPSS;
            rsa->scheme.details.rsapss.hashAlg = pss_hash(spec);
        }
        rsa->keyBits = (TPMI_RSA_KEY_BITS)alg->bits;
    }
}

/*
 * The storage key that key files under a hierarchy mean: ECC P-256,
 * AES-128-CFB, SHA-256. Source: ASN.1 Specification for TPM 2.0 Key Files,
 * section 3.1.8; TCG TPM v2.0 Provisioning Guidance, section 7.5.1.
 */
void tpm2_template_storage(TPM2B_PUBLIC *pub)
{
    TPMT_PUBLIC *area = &pub->publicArea;
    TPMS_ECC_PARMS *ecc = &area->parameters.eccDetail;

    memset(pub, 0, sizeof(*pub));
    area->type = TPM2_ALG_ECC;
    area->nameAlg = TPM2_ALG_SHA256;
    area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                             TPMA_OBJECT_SENSITIVEDATAORIGIN |
                             TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
                             TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
    ecc->symmetric.algorithm = TPM2_ALG_AES;
    ecc->symmetric.keyBits.aes = 128;
    ecc->symmetric.mode.aes = TPM2_ALG_CFB;
    ecc->scheme.scheme = TPM2_ALG_NULL;
    ecc->curveID = TPM2_ECC_NIST_P256;
    ecc->kdf.scheme = TPM2_ALG_NULL;
}

bool tpm2_public_is_storage(const TPMT_PUBLIC *tpm)
{
    TPM2B_PUBLIC template;
    uint8_t wanted[sizeof(*tpm)];
    uint8_t found[sizeof(*tpm)];
    size_t wanted_len = 0;
    size_t found_len = 0;

    tpm2_template_storage(&template);
    template.publicArea.unique = tpm->unique; /* the point: each TPM's own */
    return tpm->type == template.publicArea.type &&
           Tss2_MU_TPMT_PUBLIC_Marshal(&template.publicArea, wanted,
                                       sizeof(wanted), &wanted_len) == 0 &&
           Tss2_MU_TPMT_PUBLIC_Marshal(tpm, found, sizeof(found), &found_len) ==
               0 &&
           wanted_len == found_len && memcmp(wanted, found, found_len) == 0;
}
