/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structures as a TPM writes them, read by tpm2-tss. What would be written
 * otherwise than it was read is refused: Names and signatures are over bytes.
 */
#include "attest_internal.h"

#include "../backend.h"

#include <tss2/tss2_mu.h>

#include <string.h>

#define WRITTEN_MAX 4096 /* bytes of the largest of them */

/*
 * tpm2-tss prints what it finds wrong in a list of PCRs, and a library that
 * anybody may send bytes to does not: such a list is looked at beforehand.
 */
static bool pcrs_are_sound(struct devid_bytes in)
{
    size_t at = 0;
    UINT32 count = 0;

    if (Tss2_MU_UINT32_Unmarshal(in.data, in.len, &at, &count) !=
            TSS2_RC_SUCCESS ||
        count > TPM2_NUM_PCR_BANKS)
        return false;
    for (UINT32 i = 0; i < count; i++) {
        UINT16 hash = 0;
        BYTE size = 0;

        if (Tss2_MU_UINT16_Unmarshal(in.data, in.len, &at, &hash) !=
                TSS2_RC_SUCCESS ||
            Tss2_MU_BYTE_Unmarshal(in.data, in.len, &at, &size) !=
                TSS2_RC_SUCCESS ||
            size > TPM2_PCR_SELECT_MAX || size > in.len - at)
            return false;
        at += size;
    }
    return true;
}

bool attest_parse_kind(struct devid_bytes in, struct attest_kind *kind)
{
    size_t at = 0;

    return Tss2_MU_UINT32_Unmarshal(in.data, in.len, &at, &kind->magic) ==
               TSS2_RC_SUCCESS &&
           Tss2_MU_UINT16_Unmarshal(in.data, in.len, &at, &kind->type) ==
               TSS2_RC_SUCCESS;
}

/* tpm2-tss has a pair of functions a type, of one shape. */
struct type {
    const char *name;
    size_t size;
    TSS2_RC (*get)(struct devid_bytes in, size_t *used, void *out);
    TSS2_RC (*put)(const void *in, uint8_t *out, size_t *used);
};

static enum devid_err parse(const struct type *type, struct devid_bytes in,
                            const char *field, void *out,
                            struct devid_error *err)
{
    uint8_t again[WRITTEN_MAX];
    size_t again_len = 0;
    size_t used = 0;
    TSS2_RC rc;

    memset(out, 0, type->size);
    rc = type->get(in, &used, out);
    if (rc != TSS2_RC_SUCCESS) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the request's %s (%zu bytes) is no %s: it is cut "
                          "short or garbled (0x%x)",
                          field, in.len, type->name, rc);
    }
    if (used != in.len) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the request's %s is followed by %zu bytes: a %s "
                          "ends at %zu",
                          field, in.len - used, type->name, used);
    }
    if (type->put(out, again, &again_len) != TSS2_RC_SUCCESS ||
        again_len != in.len || memcmp(again, in.data, in.len) != 0) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the request's %s is no %s as a TPM writes it", field,
                          type->name);
    }
    return DEVID_OK;
}

static TSS2_RC get_public(struct devid_bytes in, size_t *used, void *out)
{
    return Tss2_MU_TPMT_PUBLIC_Unmarshal(in.data, in.len, used, out);
}

static TSS2_RC put_public(const void *in, uint8_t *out, size_t *used)
{
    return Tss2_MU_TPMT_PUBLIC_Marshal(in, out, WRITTEN_MAX, used);
}

enum devid_err attest_parse_public(struct devid_bytes in, const char *field,
                                   TPMT_PUBLIC *out, struct devid_error *err)
{
    static const struct type type = {"TPMT_PUBLIC", sizeof(*out), get_public,
                                     put_public};

    return parse(&type, in, field, out, err);
}

static TSS2_RC get_attest(struct devid_bytes in, size_t *used, void *out)
{
    return Tss2_MU_TPMS_ATTEST_Unmarshal(in.data, in.len, used, out);
}

static TSS2_RC put_attest(const void *in, uint8_t *out, size_t *used)
{
    return Tss2_MU_TPMS_ATTEST_Marshal(in, out, WRITTEN_MAX, used);
}

enum devid_err attest_parse_attest(struct devid_bytes in, const char *field,
                                   TPMS_ATTEST *out, struct devid_error *err)
{
    static const struct type type = {"TPMS_ATTEST", sizeof(*out), get_attest,
                                     put_attest};

    return parse(&type, in, field, out, err);
}

static TSS2_RC get_signature(struct devid_bytes in, size_t *used, void *out)
{
    return Tss2_MU_TPMT_SIGNATURE_Unmarshal(in.data, in.len, used, out);
}

static TSS2_RC put_signature(const void *in, uint8_t *out, size_t *used)
{
    return Tss2_MU_TPMT_SIGNATURE_Marshal(in, out, WRITTEN_MAX, used);
}

enum devid_err attest_parse_signature(struct devid_bytes in, const char *field,
                                      TPMT_SIGNATURE *out,
                                      struct devid_error *err)
{
    static const struct type type = {"TPMT_SIGNATURE", sizeof(*out),
                                     get_signature, put_signature};

    return parse(&type, in, field, out, err);
}

static TSS2_RC get_ticket(struct devid_bytes in, size_t *used, void *out)
{
    return Tss2_MU_TPMT_TK_CREATION_Unmarshal(in.data, in.len, used, out);
}

static TSS2_RC put_ticket(const void *in, uint8_t *out, size_t *used)
{
    return Tss2_MU_TPMT_TK_CREATION_Marshal(in, out, WRITTEN_MAX, used);
}

enum devid_err attest_parse_ticket(struct devid_bytes in, const char *field,
                                   TPMT_TK_CREATION *out,
                                   struct devid_error *err)
{
    static const struct type type = {"TPMT_TK_CREATION", sizeof(*out),
                                     get_ticket, put_ticket};

    return parse(&type, in, field, out, err);
}

static TSS2_RC get_creation(struct devid_bytes in, size_t *used, void *out)
{
    if (!pcrs_are_sound(in))
        return TSS2_MU_RC_BAD_SIZE;
    return Tss2_MU_TPMS_CREATION_DATA_Unmarshal(in.data, in.len, used, out);
}

static TSS2_RC put_creation(const void *in, uint8_t *out, size_t *used)
{
    return Tss2_MU_TPMS_CREATION_DATA_Marshal(in, out, WRITTEN_MAX, used);
}

enum devid_err attest_parse_creation(struct devid_bytes in, const char *field,
                                     TPMS_CREATION_DATA *out,
                                     struct devid_error *err)
{
    static const struct type type = {"TPMS_CREATION_DATA", sizeof(*out),
                                     get_creation, put_creation};

    return parse(&type, in, field, out, err);
}
