/* SPDX-License-Identifier: Apache-2.0 */
/* Public areas of EKs, from their public keys. */
#include "attest_internal.h"

#include "../backend.h"

#include <tss2/tss2_mu.h>

#include <string.h>

/* Of a key's algorithm; of both ranges where `low` is NULL. */
static const struct tpm2_ek_kind *find_kind(const struct devid_public *ek,
                                            const bool *low)
{
    const struct tpm2_ek_kind *kind = tpm2_ek_kinds;

    while (kind->name != NULL &&
           (devid_algorithm_by_name(kind->algorithm) != ek->alg ||
            (low != NULL && kind->low != *low)))
        kind++;
    return kind->name != NULL ? kind : NULL;
}

const struct tpm2_ek_kind *attest_ek_kind(const struct devid_public *ek,
                                          struct devid_error *err)
{
    const struct tpm2_ek_kind *kind = find_kind(ek, NULL);

    if (kind == NULL)
        (void)devid_fail(err, DEVID_ERR_ALG, 0,
                         "there is no template for an EK of %s with %u bits: "
                         "RSA-2048, RSA-3072, RSA-4096, P-256, P-384 and P-521 "
                         "are EKs",
                         devid_key_kind(ek->type)->name, ek->bits);
    return kind;
}

/* The template's, with the key's numbers in it. */
static void put_key(const struct devid_public *ek, TPMT_PUBLIC *area)
{
    TPMT_PUBLIC numbers = {0};

    tpm2_public_from_devid(ek, &numbers);
    area->unique = numbers.unique;
    if (area->type == TPM2_ALG_RSA)
        area->parameters.rsaDetail.exponent =
            numbers.parameters.rsaDetail.exponent;
}

static enum devid_err put_area(const TPMT_PUBLIC *pub, OSSL_LIB_CTX *libctx,
                               struct devid_ek_area *area,
                               struct devid_error *err)
{
    TPM2B_NAME name = {0};
    enum devid_err e = tpm2_public_name(pub, libctx, &name, err);

    if (e != DEVID_OK)
        return e;
    if (name.size > sizeof(area->name.data) ||
        Tss2_MU_TPMT_PUBLIC_Marshal(pub, area->data, sizeof(area->data),
                                    &area->len) != 0)
        return devid_no_memory(err);
    area->name.len = name.size;
    memcpy(area->name.data, name.name, name.size);
    return DEVID_OK;
}

enum devid_err devid_ek_public_area(const struct devid_public *ek,
                                    enum devid_ek_range range,
                                    OSSL_LIB_CTX *libctx,
                                    struct devid_ek_area *area,
                                    struct devid_error *err)
{
    const bool low = range == DEVID_EK_LOW;
    const struct tpm2_ek_kind *kind = find_kind(ek, &low);
    TPM2B_PUBLIC pub;
    enum devid_err e;

    memset(area, 0, sizeof(*area));
    if (attest_ek_kind(ek, err) == NULL)
        return DEVID_ERR_ALG;
    if (kind == NULL) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the low range of EK templates has RSA-2048 and "
                          "P-256 only, not one of %u bits",
                          ek->bits);
    }
    e = tpm2_template_ek(kind, libctx, &pub, err);
    if (e != DEVID_OK)
        return e;
    put_key(ek, &pub.publicArea);
    return put_area(&pub.publicArea, libctx, area, err);
}
