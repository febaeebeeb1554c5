/* SPDX-License-Identifier: Apache-2.0 */
/* Who this device is: its EK, its IDevID, the chip's maker and firmware. */
#include "tcg.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

struct whoami_request {
    OSSL_LIB_CTX *libctx; /* borrowed */
    TPM2B_PUBLIC ek;
    bool ek_is_persistent;
    TPM2B_PUBLIC idevid;
    bool has_idevid;
    TPML_TAGGED_TPM_PROPERTY properties;
};

/* Not persistent: the standard template gives the same key each time. */
static enum devid_err create_ek(struct tpm2_conn *conn,
                                struct whoami_request *r,
                                struct devid_error *err)
{
    TPM2B_SENSITIVE_CREATE sensitive = {0};
    TPML_PCR_SELECTION pcrs = {0};
    TPM2B_PUBLIC *made = NULL;
    TPM2B_DATA outside = {0};
    TPM2B_PUBLIC template;
    ESYS_TR handle = ESYS_TR_NONE;
    enum devid_err e =
        tpm2_template_ek(&tpm2_ek_kinds[0], r->libctx, &template, err);
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    rc =
        Esys_CreatePrimary(conn->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
                           ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &template,
                           &outside, &pcrs, &handle, &made, NULL, NULL, NULL);
    if (rc != TSS2_RC_SUCCESS)
        return tpm2_fail(err, rc, "make its endorsement key");
    r->ek = *made;
    Esys_Free(made);
    tpm2_flush(conn, handle);
    return DEVID_OK;
}

static enum devid_err whoami_op(struct tpm2_conn *conn, void *arg,
                                struct devid_error *err)
{
    struct whoami_request *r = arg;
    TPMS_CAPABILITY_DATA *data = NULL;
    enum devid_err e;

    e = tpm2_capability(conn, TPM2_CAP_TPM_PROPERTIES, TPM2_PT_FIXED,
                        TPM2_MAX_TPM_PROPERTIES, &data, err);
    if (e != DEVID_OK)
        return e;
    r->properties = data->data.tpmProperties;
    Esys_Free(data);
    e = tpm2_read_public_at(conn, TPM2_EK_HANDLE, &r->ek, err);
    r->ek_is_persistent = e == DEVID_OK;
    if (e == DEVID_ERR_NOT_FOUND)
        e = create_ek(conn, r, err);
    if (e != DEVID_OK)
        return e;
    e = tpm2_read_public_at(conn, TPM2_IDEVID_HANDLE, &r->idevid, err);
    r->has_idevid = e == DEVID_OK;
    return e == DEVID_ERR_NOT_FOUND ? DEVID_OK : e;
}

static uint32_t property(const struct whoami_request *r, TPM2_PT which)
{
    for (UINT32 i = 0; i < r->properties.count; i++) {
        if (r->properties.tpmProperty[i].property == which)
            return r->properties.tpmProperty[i].value;
    }
    return 0;
}

/* Four characters a property, padded with zeros or blanks. */
static void append_word(char *text, size_t size, uint32_t word)
{
    size_t used = strlen(text);

    for (int shift = 24; shift >= 0 && used + 1 < size; shift -= 8) {
        char c = (char)(word >> shift);

        if (isprint((unsigned char)c))
            text[used++] = c;
    }
    text[used] = '\0';
}

static void trim(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == ' ')
        text[--len] = '\0';
}

static void describe_chip(const struct whoami_request *r,
                          struct devid_device_info *info)
{
    uint32_t v1 = property(r, TPM2_PT_FIRMWARE_VERSION_1);
    uint32_t v2 = property(r, TPM2_PT_FIRMWARE_VERSION_2);
    uint32_t revision = property(r, TPM2_PT_REVISION);

    append_word(info->manufacturer, sizeof(info->manufacturer),
                property(r, TPM2_PT_MANUFACTURER));
    for (TPM2_PT i = 0; i < 4; i++)
        append_word(info->model, sizeof(info->model),
                    property(r, TPM2_PT_VENDOR_STRING_1 + i));
    trim(info->manufacturer);
    trim(info->model);
    (void)snprintf(info->firmware, sizeof(info->firmware), "%u.%u.%u.%u",
                   v1 >> 16, v1 & 0xffffu, v2 >> 16, v2 & 0xffffu);
    (void)snprintf(info->specification, sizeof(info->specification),
                   "2.0, revision %u.%02u", revision / 100, revision % 100);
}

/* SHA-256 of the SubjectPublicKeyInfo, in hexadecimal. */
static enum devid_err hash_spki(const TPM2B_PUBLIC *tpm, OSSL_LIB_CTX *libctx,
                                char text[72], struct devid_error *err)
{
    struct devid_public pub;
    uint8_t digest[EVP_MAX_MD_SIZE];
    size_t digest_len = 0;
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err e = tpm2_public_to_devid(&tpm->publicArea, &pub, err);

    if (e == DEVID_OK)
        e = devid_public_to_spki(&pub, &der, &len, err);
    if (e != DEVID_OK)
        return e;
    if (EVP_Q_digest(libctx, "SHA2-256", "provider!=devid", der, len, digest,
                     &digest_len) != 1)
        e = devid_fail(err, DEVID_ERR_SYSTEM, 0,
                       "OpenSSL does not compute SHA-256");
    for (size_t i = 0; e == DEVID_OK && i < digest_len; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    OPENSSL_free(der);
    return e;
}

enum devid_err tpm2_whoami(void *state, const char *device,
                           struct devid_device_info *info,
                           struct devid_error *err)
{
    const struct tpm2_state *self = state;
    OSSL_LIB_CTX *libctx = devid_libctx(self->engine);
    struct whoami_request request = {.libctx = libctx};
    enum devid_err e = tpm2_run(self->conn, whoami_op, &request, err);

    (void)device; /* the one that the TCTI names */
    if (e != DEVID_OK)
        return e;
    describe_chip(&request, info);
    (void)snprintf(info->device, sizeof(info->device), "%s", self->conn->tcti);
    info->managed = self->conn->managed;
    (void)snprintf(info->id_source, sizeof(info->id_source), "%s %s",
                   request.ek.publicArea.type == TPM2_ALG_RSA ? "RSA EK"
                                                              : "ECC EK",
                   request.ek_is_persistent
                       ? "at 0x81010001"
                       : "made from the TCG's template (RSA 2048, L-1)");
    e = hash_spki(&request.ek, libctx, info->id, err);
    if (e == DEVID_OK && request.has_idevid)
        e = hash_spki(&request.idevid, libctx, info->idevid, err);
    return e;
}
