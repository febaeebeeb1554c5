/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sits on the bus: a TCTI that passes everything on to another, but shows
 * a key of its own in the place of the one at the handle that the environment
 * variable INTERPOSER_HANDLE says (0x81010001), with a Name that fits; where
 * that is a hierarchy, in the place of each primary key that is made in it.
 *
 *     DEVID_TCTI=/path/of/interposer.so:swtpm:host=127.0.0.1,port=2321
 */
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_mu.h>
#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>
#include <tss2/tss2_tpm2_types.h>

enum {
    HEADER_LEN = 10
};

#define EXPORT __attribute__((visibility("default")))

struct interposer {
    TSS2_TCTI_CONTEXT_COMMON_V1 v1;
    TSS2_TCTI_CONTEXT *behind;
    uint32_t handle;
    uint32_t asked; /* the command at work is this one, and asks for it */
};

static struct interposer *of(TSS2_TCTI_CONTEXT *ctx)
{
    return (struct interposer *)(void *)ctx;
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *ctx, size_t size,
                        const uint8_t *command)
{
    struct interposer *self = of(ctx);

    self->asked =
        size >= HEADER_LEN + 4 && get_u32(command + HEADER_LEN) == self->handle
            ? get_u32(command + 6)
            : 0;
    return Tss2_Tcti_Transmit(self->behind, size, command);
}

/* The generator of P-256: the public key of who has the private key 1. */
static const uint8_t generator[2][32] = {
    {0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6,
     0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb,
     0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96},
    {0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb,
     0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31,
     0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5},
};

static void put_point(TPMS_ECC_POINT *point)
{
    point->x.size = point->y.size = sizeof(generator[0]);
    memcpy(point->x.buffer, generator[0], sizeof(generator[0]));
    memcpy(point->y.buffer, generator[1], sizeof(generator[1]));
}

/* The area with a key that nobody has certified, and its Name. */
static void put_own_key(TPM2B_PUBLIC *pub, TPM2B_NAME *name)
{
    uint8_t area[sizeof(TPMT_PUBLIC)];
    size_t len = 0;

    if (pub->publicArea.type == TPM2_ALG_RSA)
        pub->publicArea.unique.rsa.buffer[9] ^= 0xff;
    else if (pub->publicArea.parameters.eccDetail.curveID == TPM2_ECC_NIST_P256)
        put_point(&pub->publicArea.unique.ecc);
    else
        pub->publicArea.unique.ecc.x.buffer[9] ^= 0xff;
    if (Tss2_MU_TPMT_PUBLIC_Marshal(&pub->publicArea, area, sizeof(area),
                                    &len) != TSS2_RC_SUCCESS ||
        EVP_Q_digest(NULL, name->size == 2 + 48 ? "SHA384" : "SHA256", NULL,
                     area, len, name->name + 2, NULL) != 1)
        abort();
}

/* Both answers are written back where they stood: no size changes. */
struct answer {
    uint8_t *data;
    size_t len;
    size_t public_at;
    size_t name_at;
};

static void replace(const struct answer *answer)
{
    TPM2B_PUBLIC pub = {0};
    TPM2B_NAME name = {0};
    size_t at = answer->public_at;
    size_t end;

    if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(answer->data, answer->len, &at, &pub))
        abort();
    end = at;
    at = answer->name_at != 0 ? answer->name_at : end;
    if (Tss2_MU_TPM2B_NAME_Unmarshal(answer->data, answer->len, &at, &name))
        abort();
    put_own_key(&pub, &name);
    pub.size = 0; /* is counted anew */
    at = answer->public_at;
    if (Tss2_MU_TPM2B_PUBLIC_Marshal(&pub, answer->data, answer->len, &at) ||
        at != end)
        abort();
    at = answer->name_at != 0 ? answer->name_at : end;
    if (Tss2_MU_TPM2B_NAME_Marshal(&name, answer->data, answer->len, &at))
        abort();
}

/* TPM 2.0 Part 3, TPM2_CreatePrimary: the Name is the last that it answers. */
static size_t name_of_primary(const uint8_t *data, size_t len, size_t at)
{
    TPMT_TK_CREATION ticket = {0};
    TPM2B_DIGEST hash = {0};

    at += 2 + (size_t)(data[at] << 8 | data[at + 1]); /* the public area */
    at += 2 + (size_t)(data[at] << 8 | data[at + 1]); /* creation data */
    if (Tss2_MU_TPM2B_DIGEST_Unmarshal(data, len, &at, &hash) ||
        Tss2_MU_TPMT_TK_CREATION_Unmarshal(data, len, &at, &ticket))
        abort();
    return at;
}

static void show_own_key(uint32_t command, uint8_t *data, size_t len)
{
    struct answer answer = {.data = data, .len = len, .public_at = HEADER_LEN};

    if (len <= HEADER_LEN || get_u32(data + 6) != TPM2_RC_SUCCESS)
        return;
    if (command == TPM2_CC_CreatePrimary) {
        answer.public_at += 8; /* behind the handle and the parameters' size */
        answer.name_at = name_of_primary(data, len, answer.public_at);
    }
    if (command == TPM2_CC_CreatePrimary || command == TPM2_CC_ReadPublic)
        replace(&answer);
}

static TSS2_RC receive(TSS2_TCTI_CONTEXT *ctx, size_t *size, uint8_t *response,
                       int32_t timeout)
{
    struct interposer *self = of(ctx);
    TSS2_RC rc = Tss2_Tcti_Receive(self->behind, size, response, timeout);

    if (rc == TSS2_RC_SUCCESS && response != NULL)
        show_own_key(self->asked, response, *size);
    return rc;
}

static void finalize(TSS2_TCTI_CONTEXT *ctx)
{
    Tss2_TctiLdr_Finalize(&of(ctx)->behind);
}

static TSS2_RC set_locality(TSS2_TCTI_CONTEXT *ctx, uint8_t locality)
{
    return Tss2_Tcti_SetLocality(of(ctx)->behind, locality);
}

static TSS2_RC initialize(TSS2_TCTI_CONTEXT *ctx, size_t *size,
                          const char *behind)
{
    struct interposer *self = of(ctx);
    const char *handle = getenv("INTERPOSER_HANDLE");

    *size = sizeof(*self);
    if (ctx == NULL)
        return TSS2_RC_SUCCESS;
    *self = (struct interposer){
        .v1 = {.magic = 0x73706965,
               .version = 1,
               .transmit = transmit,
               .receive = receive,
               .finalize = finalize,
               .setLocality = set_locality},
        .handle =
            handle == NULL ? 0x81010001 : (uint32_t)strtoul(handle, NULL, 0),
    };
    return Tss2_TctiLdr_Initialize(behind, &self->behind);
}

EXPORT const TSS2_TCTI_INFO *Tss2_Tcti_Info(void);

const TSS2_TCTI_INFO *Tss2_Tcti_Info(void)
{
    static const TSS2_TCTI_INFO info = {
        .version = 1,
        .name = "interposer",
        .description = "shows a key of its own",
        .config_help = "the TCTI behind it",
        .init = initialize,
    };

    return &info;
}
