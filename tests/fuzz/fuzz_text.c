/* SPDX-License-Identifier: Apache-2.0 */
/* What people type: URIs, handles, names of algorithms and hashes, subjects. */
#include "fuzz.h"

#include "extensions.h"
#include "subject.h"
#include "uri.h"

#include <stdio.h>
#include <string.h>

static void expect_sentence(enum devid_err e, const struct devid_error *err)
{
    must(e == DEVID_OK || err->text[0] != '\0');
}

static void fuzz_uri(const char *text)
{
    struct devid_tpm2_uri uri;
    struct devid_tpm2_uri again;
    struct devid_error err = {0};
    char canonical[64];
    enum devid_err e = devid_tpm2_uri_parse(text, &uri, &err);

    expect_sentence(e, &err);
    must(e != DEVID_OK || devid_is_uri(text));
    if (strncmp(text, "pkcs11:", strlen("pkcs11:")) != 0)
        must(devid_uri_is_cert(text) ==
             (e == DEVID_OK && uri.kind == DEVID_TPM2_NV));
    if (e != DEVID_OK || uri.kind == DEVID_TPM2_DEVICE)
        return;
    (void)snprintf(canonical, sizeof(canonical), "tpm2:%s=0x%08x",
                   uri.kind == DEVID_TPM2_NV ? "nv" : "handle",
                   (unsigned)uri.handle);
    must(devid_tpm2_uri_parse(canonical, &again, NULL) == DEVID_OK);
    must(again.kind == uri.kind && again.handle == uri.handle);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *const sans[2] = {NULL, NULL};
    struct devid_csr_spec spec = {.sans = sans};
    STACK_OF(X509_EXTENSION) *exts = NULL;
    X509_NAME *name = NULL;
    GENERAL_NAME *san = NULL;
    struct devid_error err = {0};
    char *text = malloc(size + 1);
    uint32_t handle = 0;

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    fuzz_uri(text);
    expect_sentence(devid_handle_parse(text, "it", &handle, &err), &err);
    (void)devid_algorithm_by_name(text);
    (void)devid_hash_by_name(text);
    expect_sentence(devid_subject_parse(text, &name, &err), &err);
    X509_NAME_free(name);
    expect_sentence(devid_san_parse(text, &san, &err), &err);
    GENERAL_NAME_free(san);
    spec.key_usage = text;
    expect_sentence(devid_extensions_make(&spec, false, &exts, &err), &err);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    spec.key_usage = NULL;
    spec.ext_key_usage = text;
    expect_sentence(devid_extensions_make(&spec, false, &exts, &err), &err);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    must_leave_no_error();
    free(text);
    return 0;
}
