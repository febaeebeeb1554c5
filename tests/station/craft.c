/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: craft FLAW SERIAL REQUEST ROOT
 *
 * The request of a device whose TPM is software, with a flaw; its IAK's
 * creation data, beside it in REQUEST.creation; its vendor's root certificate
 * in PEM.
 */
#include "device.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void no_flaw(struct device *d)
{
    (void)d;
}

static void unrestricted(struct device *d)
{
    d->iak.area.objectAttributes &= ~TPMA_OBJECT_RESTRICTED;
}

static void made_outside(struct device *d)
{
    d->idevid.area.objectAttributes &= ~TPMA_OBJECT_SENSITIVEDATAORIGIN;
}

static void sha1_vendor(struct device *d)
{
    struct cert_spec ek = device_ek_spec(d);

    ek.digest = "SHA1";
    device_issue_ek(d, &ek);
}

static void expired_ek(struct device *d)
{
    struct cert_spec ek = device_ek_spec(d);

    ek.not_after = ek.not_before + 1;
    device_issue_ek(d, &ek);
}

static void without_eku(struct device *d)
{
    struct cert_spec ek = device_ek_spec(d);

    ek.usage = NULL;
    device_issue_ek(d, &ek);
}

static void weak_ek(struct device *d)
{
    struct cert_spec ek = device_ek_spec(d);
    EVP_PKEY *sound = software_key("rsa-2048");
    BIGNUM *n = weak_number(7);
    struct devid_public pub;

    software_public(sound, &pub);
    assert_int_equal(BN_bn2binpad(n, pub.modulus, 256), 256);
    assert_int_equal(devid_public_to_pkey(&pub, NULL, &ek.key, NULL), DEVID_OK);
    device_issue_ek(d, &ek);
    EVP_PKEY_free(ek.key);
    EVP_PKEY_free(sound);
    BN_free(n);
}

static void weak_idevid(struct device *d)
{
    BIGNUM *n = weak_number(7);

    assert_int_equal(BN_bn2binpad(n, d->idevid.area.unique.rsa.buffer, 256),
                     256);
    BN_free(n);
}

static void other_template(struct device *d)
{
    d->iak.area.authPolicy.buffer[0] ^= 1;
}

/* A statement about the IAK in place of that about the IDevID. */
static void other_name(struct device *d)
{
    d->certify.attested.certify.name = d->iak.name;
}

/* Of another key: it is not what the IAK states. */
static void other_creation(struct device *d)
{
    d->creation.attested.creation.creationHash.buffer[0] ^= 1;
}

static void owners(struct device *d)
{
    d->creation_data.parentName.name[3] = 0x01;
    device_creation(d);
}

static void outside_info(struct device *d)
{
    d->creation_data.outsideInfo.size = 5;
    device_creation(d);
}

static void locality(struct device *d)
{
    d->creation_data.locality = TPMA_LOCALITY_TPM2_LOC_THREE;
    device_creation(d);
}

static void swapped(struct device *d, struct devid_tcg_csr *csr)
{
    (void)d;
    csr->sgnCertifyInfoSig = csr->atCertifyInfoSig;
}

static void unproven(struct device *d, struct devid_tcg_csr *csr)
{
    static const struct devid_bytes none = {NULL, 0};

    (void)d;
    csr->atCreateTkt = none;
    csr->atCertifyInfo = none;
    csr->atCertifyInfoSig = none;
}

static void without_ek(struct device *d, struct devid_tcg_csr *csr)
{
    (void)d;
    csr->ekCert.len = 0;
}

static const struct {
    const char *name;
    void (*keys)(struct device *d);
    void (*states)(struct device *d);
    void (*edit)(struct device *d, struct devid_tcg_csr *csr);
    const char *idevid; /* its kind; NULL: ec-p256 */
} flaws[] = {
    {"none", no_flaw, no_flaw, NULL, NULL},
    {"unrestricted", unrestricted, no_flaw, NULL, NULL},
    {"sha1", sha1_vendor, no_flaw, NULL, NULL},
    {"expired", expired_ek, no_flaw, NULL, NULL},
    {"no-eku", without_eku, no_flaw, NULL, NULL},
    {"weak-ek", weak_ek, no_flaw, NULL, NULL},
    {"weak-idevid", weak_idevid, no_flaw, NULL, "rsa-2048"},
    {"other-template", other_template, no_flaw, NULL, NULL},
    {"outside", made_outside, no_flaw, NULL, NULL},
    {"other-name", no_flaw, other_name, NULL, NULL},
    {"other-creation", no_flaw, other_creation, NULL, NULL},
    {"owners", no_flaw, owners, NULL, NULL},
    {"outside-info", no_flaw, outside_info, NULL, NULL},
    {"locality", no_flaw, locality, NULL, NULL},
    {"swapped", no_flaw, no_flaw, swapped, NULL},
    {"unproven", no_flaw, no_flaw, unproven, NULL},
    {"without-ek", no_flaw, no_flaw, without_ek, NULL},
};

static void write_file(const char *path, const uint8_t *data, size_t len)
{
    FILE *f = fopen(path, "wbe");

    assert_non_null(f);
    assert_int_equal(fwrite(data, len, 1, f), 1);
    assert_int_equal(fclose(f), 0);
}

static void write_request(struct device *d, const char *path)
{
    const struct devid_bytes *creation = &d->request.creation;
    char beside[PATH_MAX];
    uint8_t *whole = NULL;
    size_t len = 0;

    assert_int_equal(devid_tcg_csr_encode(d->csr.contents, d->csr.signature,
                                          &whole, &len, NULL),
                     DEVID_OK);
    write_file(path, whole, len);
    OPENSSL_free(whole);
    assert_true(snprintf(beside, sizeof(beside), "%s.creation", path) <
                PATH_MAX);
    write_file(beside, creation->data, creation->len);
}

int main(int argc, char **argv)
{
    static const char model[] = "Gate";
    size_t i = 0;
    struct device d;

    assert_int_equal(argc, 5);
    while (strcmp(flaws[i].name, argv[1]) != 0) {
        i++;
        assert_true(i < COUNT(flaws));
    }
    device_new(&d, "ec-p256", flaws[i].idevid ? flaws[i].idevid : "ec-p256");
    d.serial = argv[2];
    d.csr.prodModel.data = (const uint8_t *)model;
    d.csr.prodModel.len = sizeof(model) - 1;
    flaws[i].keys(&d);
    device_state(&d);
    flaws[i].states(&d);
    device_request(&d, flaws[i].edit);
    write_request(&d, argv[3]);
    append_pem(argv[4], d.root);
    device_free(&d);
    return 0;
}
