/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structures as a TPM writes them, read by tpm2-tss. What would be written
 * otherwise than it was read is refused: Names and signatures are over bytes.
 */
#include "attest_internal.h"

#include "../backend.h"

#include <tss2/tss2_mu.h>

#include <string.h>

#define AREA_MAX 4096 /* bytes: of the largest of them */

struct parsed {
    struct devid_bytes in;
    const char *field;
    const char *type;
    TSS2_RC rc;
    size_t used;
    uint8_t again[AREA_MAX];
    size_t again_len;
    TSS2_RC again_rc;
};

static enum devid_err check(const struct parsed *p, struct devid_error *err)
{
    if (p->rc != TSS2_RC_SUCCESS) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the request's %s (%zu bytes) is no %s: it is cut "
                          "short or garbled (0x%x)",
                          p->field, p->in.len, p->type, p->rc);
    }
    if (p->used != p->in.len) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the request's %s is followed by %zu bytes: a %s "
                          "ends at %zu",
                          p->field, p->in.len - p->used, p->type, p->used);
    }
    if (p->again_rc != TSS2_RC_SUCCESS || p->again_len != p->in.len ||
        memcmp(p->again, p->in.data, p->in.len) != 0) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the request's %s is no %s as a TPM writes it",
                          p->field, p->type);
    }
    return DEVID_OK;
}

/* tpm2-tss has a function a type, of one shape: so have we. */
#define PARSE(function, tpm_type)                                              \
    enum devid_err function(struct devid_bytes in, const char *field,          \
                            tpm_type *out, struct devid_error *err)            \
    {                                                                          \
        struct parsed p = {.in = in, .field = field, .type = #tpm_type};       \
                                                                               \
        memset(out, 0, sizeof(*out));                                          \
        p.rc = Tss2_MU_##tpm_type##_Unmarshal(in.data, in.len, &p.used, out);  \
        if (p.rc == TSS2_RC_SUCCESS)                                           \
            p.again_rc = Tss2_MU_##tpm_type##_Marshal(                         \
                out, p.again, sizeof(p.again), &p.again_len);                  \
        return check(&p, err);                                                 \
    }

PARSE(attest_parse_public, TPMT_PUBLIC)
PARSE(attest_parse_attest, TPMS_ATTEST)
PARSE(attest_parse_signature, TPMT_SIGNATURE)
PARSE(attest_parse_ticket, TPMT_TK_CREATION)
PARSE(attest_parse_creation, TPMS_CREATION_DATA)
