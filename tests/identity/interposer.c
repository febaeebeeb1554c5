/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sits on the bus: a TCTI that passes everything on to another, but shows
 * a key of its own in the place of the one at the handle that the environment
 * variable INTERPOSER_HANDLE says (0x81010001), with a Name that fits.
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
    bool asked; /* the command at work is ReadPublic of it */
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

    self->asked = size == HEADER_LEN + 4 &&
                  get_u32(command + 6) == TPM2_CC_ReadPublic &&
                  get_u32(command + HEADER_LEN) == self->handle;
    return Tss2_Tcti_Transmit(self->behind, size, command);
}

/* The area with a key that nobody has certified, and its Name. */
static void put_own_key(TPM2B_PUBLIC *pub, TPM2B_NAME *name)
{
    uint8_t area[sizeof(TPMT_PUBLIC)];
    size_t len = 0;

    if (pub->publicArea.type == TPM2_ALG_RSA)
        pub->publicArea.unique.rsa.buffer[9] ^= 0xff;
    else
        pub->publicArea.unique.ecc.x.buffer[9] ^= 0xff;
    if (Tss2_MU_TPMT_PUBLIC_Marshal(&pub->publicArea, area, sizeof(area),
                                    &len) != TSS2_RC_SUCCESS ||
        EVP_Q_digest(NULL, name->size == 2 + 48 ? "SHA384" : "SHA256", NULL,
                     area, len, name->name + 2, NULL) != 1)
        abort();
}

static void replace(uint8_t *response, size_t len)
{
    TPM2B_PUBLIC pub = {0};
    TPM2B_NAME name = {0};
    size_t at = HEADER_LEN;
    size_t put = HEADER_LEN;

    if (len <= HEADER_LEN || get_u32(response + 6) != TPM2_RC_SUCCESS)
        return;
    if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(response, len, &at, &pub) !=
            TSS2_RC_SUCCESS ||
        Tss2_MU_TPM2B_NAME_Unmarshal(response, len, &at, &name) !=
            TSS2_RC_SUCCESS)
        abort();
    put_own_key(&pub, &name);
    pub.size = 0; /* is counted anew */
    if (Tss2_MU_TPM2B_PUBLIC_Marshal(&pub, response, len, &put) !=
            TSS2_RC_SUCCESS ||
        Tss2_MU_TPM2B_NAME_Marshal(&name, response, len, &put) !=
            TSS2_RC_SUCCESS)
        abort();
}

static TSS2_RC receive(TSS2_TCTI_CONTEXT *ctx, size_t *size, uint8_t *response,
                       int32_t timeout)
{
    struct interposer *self = of(ctx);
    TSS2_RC rc = Tss2_Tcti_Receive(self->behind, size, response, timeout);

    if (rc == TSS2_RC_SUCCESS && response != NULL && self->asked)
        replace(response, *size);
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
