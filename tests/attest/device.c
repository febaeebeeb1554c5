/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include "tpm2/public.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <tss2/tss2_mu.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARSHALLED_MAX 2048
#define KEY_ATTRIBUTES 0x400f2U
#define RESTRICTED 0x10000U
#define FOR_YEARS 3650 /* days: by today's clock as by NOW */

/* As the TCG prints them. */
static const char *const policies[2][2] = {
    {"5437182326e414fca797d5f174615a1641f61255797c3a2b22c21d120b2d1e07",
     "129d94ebf84556652c6eef43bbb757512ac87e52be7b349ca6ce4d826f749fcf672f51716"
     "c5cbb605f313bf345aab312"},
    {"ad6b3a2284fd698a0710bf5cc1b9bdf15e2532e3f601fa4b93a6a8fa8de579ea",
     "4db1aa836d0b5615df6ee53a40ef70c61c217f4303d44695925972bc927006cfa5cbdf6dc"
     "18c4dbe329b2f1542c3dd33"},
};

uint8_t *device_keep(struct device *d, uint8_t *data)
{
    assert_non_null(data);
    assert_true(d->owned_count < COUNT(d->owned));
    d->owned[d->owned_count++] = data;
    return data;
}

static void fill_policy(TPM2B_DIGEST *policy, const char *hex)
{
    policy->size = (UINT16)(strlen(hex) / 2);
    for (size_t i = 0; i < policy->size; i++) {
        unsigned byte = 0;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        policy->buffer[i] = (uint8_t)byte;
    }
}

static void fill_ecc(struct device_key *key, const struct devid_public *pub,
                     bool restricted)
{
    TPMS_ECC_PARMS *ecc = &key->area.parameters.eccDetail;
    TPMS_ECC_POINT *point = &key->area.unique.ecc;

    key->scheme = TPM2_ALG_ECDSA;
    key->area.type = TPM2_ALG_ECC;
    ecc->symmetric.algorithm = TPM2_ALG_NULL;
    ecc->scheme.scheme = restricted ? TPM2_ALG_ECDSA : TPM2_ALG_NULL;
    ecc->scheme.details.ecdsa.hashAlg = key->hash;
    ecc->curveID = pub->bits == 256 ? TPM2_ECC_NIST_P256 : TPM2_ECC_NIST_P384;
    ecc->kdf.scheme = TPM2_ALG_NULL;
    point->x.size = (UINT16)pub->coordinate_len;
    point->y.size = (UINT16)pub->coordinate_len;
    memcpy(point->x.buffer, pub->x, pub->coordinate_len);
    memcpy(point->y.buffer, pub->y, pub->coordinate_len);
}

static void fill_rsa(struct device_key *key, const struct devid_public *pub,
                     bool restricted)
{
    TPMS_RSA_PARMS *rsa = &key->area.parameters.rsaDetail;

    key->scheme = restricted ? TPM2_ALG_RSAPSS : TPM2_ALG_RSASSA;
    key->area.type = TPM2_ALG_RSA;
    rsa->symmetric.algorithm = TPM2_ALG_NULL;
    rsa->scheme.scheme = restricted ? TPM2_ALG_RSAPSS : TPM2_ALG_NULL;
    rsa->scheme.details.rsapss.hashAlg = key->hash;
    rsa->keyBits = (TPMI_RSA_KEY_BITS)pub->bits;
    key->area.unique.rsa.size = (UINT16)pub->coordinate_len;
    memcpy(key->area.unique.rsa.buffer, pub->modulus, pub->coordinate_len);
}

static void fill_key(struct device_key *key, EVP_PKEY *pkey, bool restricted)
{
    struct devid_public pub;
    bool wide;

    memset(key, 0, sizeof(*key));
    key->pkey = pkey;
    software_public(pkey, &pub);
    wide = pub.type == DEVID_KEY_EC && pub.bits == 384;
    key->hash = wide ? TPM2_ALG_SHA384 : TPM2_ALG_SHA256;
    key->area.nameAlg = key->hash;
    key->area.objectAttributes = KEY_ATTRIBUTES | (restricted ? RESTRICTED : 0);
    fill_policy(&key->area.authPolicy, policies[restricted ? 0 : 1][wide]);
    if (pub.type == DEVID_KEY_EC)
        fill_ecc(key, &pub, restricted);
    else
        fill_rsa(key, &pub, restricted);
}

struct cert_spec device_ek_spec(const struct device *d)
{
    return (struct cert_spec){.name = "EK",
                              .key = d->ek_key,
                              .issuer = d->root,
                              .issuer_key = d->ca_key,
                              .usage = EK_USAGE,
                              .tpm_manufacturer = "id:53544D20",
                              .key_id = true,
                              .not_before = -FOR_YEARS,
                              .not_after = FOR_YEARS};
}

void device_issue_ek(struct device *d, const struct cert_spec *spec)
{
    X509 *cert = make_cert(spec);

    d->csr.ekCert.data =
        device_keep(d, cert_der(cert, 0, 0, &d->csr.ekCert.len));
    X509_free(cert);
}

/* A vendor with one root, which signs the EK's certificate itself. */
static void fill_vendor(struct device *d)
{
    struct devid_error err = {0};
    struct cert_spec root = {.name = "Vendor",
                             .key = d->ca_key,
                             .basic = "critical,CA:TRUE",
                             .key_usage = "keyCertSign",
                             .not_before = -FOR_YEARS,
                             .not_after = FOR_YEARS};
    struct cert_spec ek;
    char folder[64];
    char path[128];

    d->root = make_cert(&root);
    ek = device_ek_spec(d);
    device_issue_ek(d, &ek);
    make_folder(folder);
    (void)snprintf(path, sizeof(path), "%s/root", folder);
    append_pem(path, d->root);
    assert_int_equal(devid_trust_new(NULL, &d->trust, &err), DEVID_OK);
    assert_int_equal(devid_trust_add(d->trust, path, NULL, &err), DEVID_OK);
    remove_folder(folder);
}

void device_new_with(struct device *d, const struct device_keys *keys)
{
    memset(d, 0, sizeof(*d));
    d->ca_key = keys->ca;
    d->ek_key = keys->ek;
    d->serial = "SN-123";
    d->csr.hash = devid_hash_by_name("SHA256");
    fill_key(&d->iak, keys->iak, true);
    fill_key(&d->idevid, keys->idevid, false);
    fill_vendor(d);
}

void device_new(struct device *d, const char *iak, const char *idevid)
{
    const struct device_keys keys = {.ca = software_key("ec-p521"),
                                     .ek = software_key("rsa-4096"),
                                     .iak = software_key(iak),
                                     .idevid = software_key(idevid)};

    device_new_with(d, &keys);
}

void device_free(struct device *d)
{
    for (size_t i = 0; i < d->owned_count; i++)
        free(d->owned[i]);
    EVP_PKEY_free(d->ca_key);
    EVP_PKEY_free(d->ek_key);
    EVP_PKEY_free(d->iak.pkey);
    EVP_PKEY_free(d->idevid.pkey);
    X509_free(d->root);
    devid_trust_free(&d->trust);
}

struct devid_attest_policy device_policy(const struct device *d)
{
    return (struct devid_attest_policy){.trust = d->trust, .now = NOW};
}

/* ---- what the IAK states ----------------------------------------------- */

static void digest(TPM2_ALG_ID hash, const void *data, size_t len, uint8_t *out)
{
    assert_int_equal(EVP_Q_digest(NULL, tpm2_hash_from_id(hash)->name, NULL,
                                  data, len, out, NULL),
                     1);
}

static void name_key(struct device_key *key)
{
    uint8_t data[128] = {0x40, 0, 0, 0x0b};

    assert_int_equal(tpm2_public_name(&key->area, NULL, &key->name, NULL),
                     DEVID_OK);
    memcpy(data + 4, key->name.name, key->name.size);
    key->qualified = key->name;
    digest(key->area.nameAlg, data, 4 + (size_t)key->name.size,
           key->qualified.name + 2);
}

static void fill_creation(struct device *d)
{
    static const uint8_t endorsement[] = {0x40, 0, 0, 0x0b};
    TPMS_CREATION_DATA *data = &d->creation_data;

    data->locality = TPMA_LOCALITY_TPM2_LOC_ZERO;
    data->parentNameAlg = TPM2_ALG_NULL;
    data->parentName.size = sizeof(endorsement);
    memcpy(data->parentName.name, endorsement, sizeof(endorsement));
    data->parentQualifiedName = data->parentName;
    device_creation(d);
}

void device_creation(struct device *d)
{
    TPMS_CREATION_INFO *info = &d->creation.attested.creation;
    uint8_t buffer[MARSHALLED_MAX];
    size_t len = 0;

    assert_int_equal(Tss2_MU_TPMS_CREATION_DATA_Marshal(
                         &d->creation_data, buffer, sizeof(buffer), &len),
                     0);
    info->objectName = d->iak.name;
    info->creationHash.size =
        (UINT16)tpm2_hash_from_id(d->iak.area.nameAlg)->len;
    digest(d->iak.area.nameAlg, buffer, len, info->creationHash.buffer);
    d->request.creation.len = len;
    d->request.creation.data = device_keep(d, malloc(len));
    memcpy(d->owned[d->owned_count - 1], buffer, len);
}

void device_state(struct device *d)
{
    name_key(&d->iak);
    name_key(&d->idevid);
    d->ticket.tag = TPM2_ST_CREATION;
    d->ticket.hierarchy = TPM2_RH_ENDORSEMENT;
    d->ticket.digest.size = 32;
    d->creation.magic = TPM2_GENERATED_VALUE;
    d->creation.type = TPM2_ST_ATTEST_CREATION;
    d->creation.qualifiedSigner = d->iak.qualified;
    fill_creation(d);
    d->certify.magic = TPM2_GENERATED_VALUE;
    d->certify.type = TPM2_ST_ATTEST_CERTIFY;
    d->certify.qualifiedSigner = d->iak.qualified;
    d->certify.attested.certify.name = d->idevid.name;
    d->certify.attested.certify.qualifiedName = d->idevid.qualified;
}

/* ---- the request ------------------------------------------------------- */

typedef TSS2_RC marshal_fn(const void *what, uint8_t *buffer, size_t size,
                           size_t *len);

static TSS2_RC put_public(const void *what, uint8_t *buffer, size_t size,
                          size_t *len)
{
    return Tss2_MU_TPMT_PUBLIC_Marshal(what, buffer, size, len);
}

static TSS2_RC put_attest(const void *what, uint8_t *buffer, size_t size,
                          size_t *len)
{
    return Tss2_MU_TPMS_ATTEST_Marshal(what, buffer, size, len);
}

static TSS2_RC put_ticket(const void *what, uint8_t *buffer, size_t size,
                          size_t *len)
{
    return Tss2_MU_TPMT_TK_CREATION_Marshal(what, buffer, size, len);
}

static struct devid_bytes marshal(struct device *d, marshal_fn *fn,
                                  const void *what)
{
    struct devid_bytes out = {device_keep(d, malloc(MARSHALLED_MAX)), 0};

    assert_int_equal(
        fn(what, d->owned[d->owned_count - 1], MARSHALLED_MAX, &out.len), 0);
    return out;
}

static void fill_signature(const struct device_key *key,
                           const struct devid_sig *sig, TPMT_SIGNATURE *out)
{
    TPMS_SIGNATURE_ECC *ecc = &out->signature.ecdsa;
    TPMS_SIGNATURE_RSA *rsa = &out->signature.rsassa;
    size_t half = sig->len / 2;

    memset(out, 0, sizeof(*out));
    out->sigAlg = key->scheme;
    out->signature.any.hashAlg = key->hash;
    if (key->scheme == TPM2_ALG_ECDSA) {
        ecc->signatureR.size = (UINT16)half;
        ecc->signatureS.size = (UINT16)half;
        memcpy(ecc->signatureR.buffer, sig->data, half);
        memcpy(ecc->signatureS.buffer, sig->data + half, half);
    } else {
        rsa->sig.size = (UINT16)sig->len;
        memcpy(rsa->sig.buffer, sig->data, sig->len);
    }
}

static struct devid_bytes sign(struct device *d, const struct device_key *key,
                               struct devid_bytes data)
{
    struct devid_bytes out = {device_keep(d, malloc(MARSHALLED_MAX)), 0};
    uint8_t hashed[EVP_MAX_MD_SIZE];
    struct devid_tbs tbs = {
        .scheme = key->scheme == TPM2_ALG_ECDSA    ? DEVID_ECDSA
                  : key->scheme == TPM2_ALG_RSASSA ? DEVID_RSA_PKCS1
                                                   : DEVID_RSA_PSS,
        .hash = tpm2_hash_from_id(key->hash),
        .digest = hashed,
    };
    struct devid_sig sig = {0};
    TPMT_SIGNATURE signature;

    tbs.digest_len = tbs.hash->len;
    tbs.salt_len = key->salt_len != 0 ? key->salt_len : tbs.hash->len;
    digest(key->hash, data.data, data.len, hashed);
    software_sign(key->pkey, &tbs, &sig);
    fill_signature(key, &sig, &signature);
    assert_int_equal(
        Tss2_MU_TPMT_SIGNATURE_Marshal(&signature, d->owned[d->owned_count - 1],
                                       MARSHALLED_MAX, &out.len),
        0);
    return out;
}

void device_request(struct device *d,
                    void (*edit)(struct device *d, struct devid_tcg_csr *csr))
{
    struct devid_tcg_csr *csr = &d->csr;
    struct devid_error err = {0};
    struct devid_bytes whole = {NULL, 0};
    uint8_t *contents = NULL;
    uint8_t *out = NULL;

    csr->prodSerial.data = (const uint8_t *)d->serial;
    csr->prodSerial.len = strlen(d->serial);
    csr->attestPub = marshal(d, put_public, &d->iak.area);
    csr->atCreateTkt = marshal(d, put_ticket, &d->ticket);
    csr->atCertifyInfo = marshal(d, put_attest, &d->creation);
    csr->atCertifyInfoSig = sign(d, &d->iak, csr->atCertifyInfo);
    csr->signingPub = marshal(d, put_public, &d->idevid.area);
    csr->sgnCertifyInfo = marshal(d, put_attest, &d->certify);
    csr->sgnCertifyInfoSig = sign(d, &d->iak, csr->sgnCertifyInfo);
    if (edit != NULL)
        edit(d, csr);
    assert_int_equal(devid_tcg_csr_encode_contents(csr, NULL, &contents,
                                                   &csr->contents.len, &err),
                     DEVID_OK);
    csr->contents.data = device_keep(d, contents);
    csr->signature = sign(d, &d->idevid, csr->contents);
    assert_int_equal(devid_tcg_csr_encode(csr->contents, csr->signature, &out,
                                          &whole.len, &err),
                     DEVID_OK);
    whole.data = device_keep(d, out);
    assert_int_equal(devid_tcg_csr_decode(whole, NULL, csr, &err), DEVID_OK);
    d->request.csr = csr;
}

void device_expect(const struct device *d,
                   const struct devid_attest_policy *policy,
                   enum devid_attest_reason reason, const char *text)
{
    struct devid_attest_verdict verdict;

    if (devid_attest_verify(&d->request, policy, &verdict) != reason)
        print_error("%s: %s\n", devid_attest_reason_name(verdict.reason),
                    verdict.error.text);
    assert_int_equal(verdict.reason, reason);
    if (reason != DEVID_ATTEST_TRUSTED)
        expect_text(&verdict.error, text);
}
