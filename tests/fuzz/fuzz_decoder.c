/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a program decodes, through libcrypto and the provider's decoders:
 * PEM blocks among others, DER that is cut short. Over a back end in software.
 */
#include "fuzz.h"

#include "fake_backend.h"

#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

extern OSSL_provider_init_fn OSSL_provider_init;

/* Made once: providers are loaded for as long as a program runs. */
static OSSL_LIB_CTX *program;

static void start(void)
{
    program = OSSL_LIB_CTX_new();
    must(program != NULL);
    must(OSSL_PROVIDER_add_builtin(program, "devid", OSSL_provider_init) == 1);
    must(OSSL_PROVIDER_load(program, "devid") != NULL);
    must(OSSL_PROVIDER_load(program, "default") != NULL);
    fake_reset();
}

/* By devid's decoders alone: the others are libcrypto's own affair. */
static void decode(const char *format, const uint8_t *data, size_t size)
{
    EVP_PKEY *pkey = NULL;
    OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(
        &pkey, format, NULL, NULL, EVP_PKEY_KEYPAIR, program, "provider=devid");

    must(ctx != NULL);
    if (OSSL_DECODER_from_data(ctx, &data, &size) == 1)
        must(pkey != NULL && EVP_PKEY_get_bits(pkey) > 0);
    else
        must(pkey == NULL);
    EVP_PKEY_free(pkey);
    OSSL_DECODER_CTX_free(ctx);
    ERR_clear_error(); /* libcrypto's: that no decoder took it */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (program == NULL)
        start();
    decode("PEM", data, size);
    decode("DER", data, size);
    return 0;
}
