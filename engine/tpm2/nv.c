/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates in the TPM's non-volatile memory. */
#include "tpm2.h"

#include "../uri.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <tss2/tss2_mu.h>

/* Every chip's NV buffer takes this much; most take 1024 or 2048. */
#define NV_CHUNK_DEFAULT 512u
/* One question for both limits, and what lies between them. */
#define NV_LIMITS_SPAN (TPM2_PT_NV_BUFFER_MAX - TPM2_PT_NV_INDEX_MAX + 1u)

enum devid_err tpm2_capability(struct tpm2_conn *conn, TPM2_CAP capability,
                               UINT32 first, UINT32 count,
                               TPMS_CAPABILITY_DATA **data,
                               struct devid_error *err)
{
    TPMI_YES_NO more = 0;
    TSS2_RC rc =
        Esys_GetCapability(conn->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                           capability, first, count, &more, data);

    if (rc != TSS2_RC_SUCCESS)
        return tpm2_fail(err, rc, "tell what it holds");
    if ((*data)->capability == capability)
        return DEVID_OK;
    /* The counts of its other lists are not bounded by the size of this one. */
    rc = (*data)->capability;
    Esys_Free(*data);
    *data = NULL;
    return devid_fail(err, DEVID_ERR_DEVICE, 0,
                      "the TPM was asked for its capability 0x%x and tells of "
                      "0x%x: it, or what is between, does not work",
                      capability, rc);
}

static void take_limit(const TPMS_TAGGED_PROPERTY *property,
                       struct tpm2_nv_limits *limits)
{
    if (property->property == TPM2_PT_NV_INDEX_MAX)
        limits->index_max = property->value;
    if (property->property == TPM2_PT_NV_BUFFER_MAX && property->value > 0 &&
        property->value <= TPM2_MAX_NV_BUFFER_SIZE)
        limits->chunk = (UINT16)property->value;
}

const struct tpm2_nv_limits *tpm2_nv_limits(struct tpm2_conn *conn)
{
    struct tpm2_nv_limits *limits = &conn->nv_limits;
    TPMS_CAPABILITY_DATA *data = NULL;

    if (limits->known && limits->generation == conn->generation)
        return limits;
    limits->chunk = NV_CHUNK_DEFAULT;
    limits->index_max = UINT16_MAX;
    limits->known =
        tpm2_capability(conn, TPM2_CAP_TPM_PROPERTIES, TPM2_PT_NV_INDEX_MAX,
                        NV_LIMITS_SPAN, &data, NULL) == DEVID_OK &&
        data != NULL;
    limits->generation = conn->generation;
    if (!limits->known)
        return limits;
    for (UINT32 i = 0; i < data->data.tpmProperties.count; i++)
        take_limit(&data->data.tpmProperties.tpmProperty[i], limits);
    Esys_Free(data);
    return limits;
}

enum devid_err tpm2_nv_read_chunks(struct tpm2_conn *conn, ESYS_TR index,
                                   const TPMS_NV_PUBLIC *area, uint8_t *out,
                                   struct devid_error *err)
{
    ESYS_TR auth =
        (area->attributes & TPMA_NV_AUTHREAD) != 0 ? index : ESYS_TR_RH_OWNER;
    UINT16 chunk = tpm2_nv_limits(conn)->chunk;
    UINT16 done = 0;

    while (done < area->dataSize) {
        UINT16 want = (UINT16)(area->dataSize - done);
        TPM2B_MAX_NV_BUFFER *part = NULL;
        TSS2_RC rc;

        if (want > chunk)
            want = chunk;
        rc = Esys_NV_Read(conn->esys, auth, index, ESYS_TR_PASSWORD,
                          ESYS_TR_NONE, ESYS_TR_NONE, want, done, &part);
        if (rc != TSS2_RC_SUCCESS)
            return tpm2_fail(err, rc, "read its non-volatile memory");
        if (part->size == 0 || part->size > want) {
            Esys_Free(part);
            return devid_fail(err, DEVID_ERR_DEVICE, 0,
                              "the TPM's answer to NV_Read has another size "
                              "than was asked for");
        }
        memcpy(out + done, part->buffer, part->size);
        done = (UINT16)(done + part->size);
        Esys_Free(part);
    }
    return DEVID_OK;
}

/*
 * ESYS keeps the public area that it read for an index, but hands it out only
 * in the index's serialised form: index, Name, kind (2 is an index), public
 * area.
 */
static bool area_from_serialized(const uint8_t *data, size_t len,
                                 uint32_t index, TPM2B_NV_PUBLIC *area)
{
    TPM2B_NAME name = {0};
    UINT32 found = 0;
    UINT32 kind = 0;
    size_t offset = 0;

    memset(area, 0, sizeof(*area));
    return Tss2_MU_UINT32_Unmarshal(data, len, &offset, &found) == 0 &&
           Tss2_MU_TPM2B_NAME_Unmarshal(data, len, &offset, &name) == 0 &&
           Tss2_MU_UINT32_Unmarshal(data, len, &offset, &kind) == 0 &&
           Tss2_MU_TPM2B_NV_PUBLIC_Unmarshal(data, len, &offset, area) == 0 &&
           offset == len && found == index && kind == 2 &&
           area->nvPublic.nvIndex == index;
}

static enum devid_err index_area(struct tpm2_conn *conn, ESYS_TR object,
                                 uint32_t index, TPMS_NV_PUBLIC *area,
                                 struct devid_error *err)
{
    TPM2B_NV_PUBLIC *asked = NULL;
    TPM2B_NV_PUBLIC kept;
    uint8_t *data = NULL;
    size_t len = 0;
    bool done = Esys_TR_Serialize(conn->esys, object, &data, &len) == 0 &&
                area_from_serialized(data, len, index, &kept);
    TSS2_RC rc;

    Esys_Free(data);
    if (done) {
        *area = kept.nvPublic;
        return DEVID_OK;
    }
    /* Another tpm2-tss lays it out otherwise: ask the TPM once more. */
    rc = Esys_NV_ReadPublic(conn->esys, object, ESYS_TR_NONE, ESYS_TR_NONE,
                            ESYS_TR_NONE, &asked, NULL);
    if (rc != TSS2_RC_SUCCESS)
        return tpm2_fail(err, rc, "describe an NV index");
    *area = asked->nvPublic;
    Esys_Free(asked);
    return DEVID_OK;
}

enum devid_err tpm2_nv_read(struct tpm2_conn *conn, uint32_t index,
                            uint8_t **data, size_t *len,
                            struct devid_error *err)
{
    TPMS_NV_PUBLIC area = {0};
    ESYS_TR object = ESYS_TR_NONE;
    enum devid_err e;

    *data = NULL;
    e = tpm2_read_handle(conn, index, &object, NULL, err);
    if (e == DEVID_ERR_NOT_FOUND)
        return devid_fail(err, e, err != NULL ? err->device_rc : 0,
                          "there is nothing at NV index 0x%08x of this TPM: "
                          "devid list shows what there is",
                          index);
    if (e != DEVID_OK)
        return e;
    e = index_area(conn, object, index, &area, err);
    if (e == DEVID_OK &&
        ((area.attributes & TPMA_NV_WRITTEN) == 0 || area.dataSize == 0))
        e = devid_fail(err, DEVID_ERR_NOT_FOUND, 0,
                       "NV index 0x%08x of this TPM is defined but was never "
                       "written",
                       index);
    if (e != DEVID_OK)
        goto out;
    *len = area.dataSize;
    *data = OPENSSL_malloc(*len);
    e = *data == NULL ? devid_no_memory(err)
                      : tpm2_nv_read_chunks(conn, object, &area, *data, err);
    if (e != DEVID_OK) {
        OPENSSL_free(*data);
        *data = NULL;
    }
out:
    (void)Esys_TR_Close(conn->esys, &object);
    return e;
}

/* ---- a certificate by its URI ---------------------------------------- */

struct cert_request {
    uint32_t index;
    uint8_t *data;
    size_t len;
};

static enum devid_err cert_op(struct tpm2_conn *conn, void *arg,
                              struct devid_error *err)
{
    struct cert_request *request = arg;

    return tpm2_nv_read(conn, request->index, &request->data, &request->len,
                        err);
}

/* Chips pad a certificate to the size of its index: keep the SEQUENCE. */
static bool cut_to_sequence(const uint8_t *data, size_t *len)
{
    const unsigned char *p = data;
    long content = 0;
    int tag = 0;
    int tag_class = 0;

    if (ASN1_get_object(&p, &content, &tag, &tag_class, (long)*len) !=
            V_ASN1_CONSTRUCTED ||
        tag != V_ASN1_SEQUENCE || tag_class != V_ASN1_UNIVERSAL)
        return false;
    *len = (size_t)(p - data) + (size_t)content;
    return true;
}

enum devid_err tpm2_nv_bytes(void *state, const char *uri, uint8_t **data,
                             size_t *len, struct devid_error *err)
{
    const struct tpm2_state *self = state;
    struct cert_request request = {0};
    struct devid_tpm2_uri parsed;
    enum devid_err e = devid_tpm2_uri_parse(uri, &parsed, err);

    if (e != DEVID_OK)
        return e;
    if (parsed.kind != DEVID_TPM2_NV) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "'%.100s' names no certificate: that is "
                          "tpm2:nv=0x01c90200 or another NV index",
                          uri);
    }
    request.index = parsed.handle;
    e = tpm2_run(self->conn, cert_op, &request, err);
    *data = request.data;
    *len = request.len;
    return e;
}

enum devid_err tpm2_cert_read(void *state, const char *uri, uint8_t **der,
                              size_t *len, struct devid_error *err)
{
    enum devid_err e = tpm2_nv_bytes(state, uri, der, len, err);
    struct devid_tpm2_uri parsed;

    if (e != DEVID_OK || cut_to_sequence(*der, len))
        return e;
    OPENSSL_free(*der);
    *der = NULL;
    *len = 0;
    e = devid_tpm2_uri_parse(uri, &parsed, err);
    if (e != DEVID_OK)
        return e;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "NV index 0x%08x of this TPM holds no certificate "
                      "(no DER SEQUENCE)",
                      parsed.handle);
}
