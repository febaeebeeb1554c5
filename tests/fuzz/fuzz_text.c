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
    must(devid_uri_is_cert(text) ==
             (e == DEVID_OK && uri.kind == DEVID_TPM2_NV) ||
         strncmp(text, "pkcs11:", strlen("pkcs11:")) == 0);
    if (e != DEVID_OK || uri.kind == DEVID_TPM2_DEVICE)
        return;
    (void)snprintf(canonical, sizeof(canonical), "tpm2:%s=0x%08x",
                   uri.kind == DEVID_TPM2_NV ? "nv" : "handle",
                   (unsigned)uri.handle);
    must(devid_tpm2_uri_parse(canonical, &again, NULL) == DEVID_OK);
    must(again.kind == uri.kind && again.handle == uri.handle);
}

/* Another certificate is asked for, with the names of the first. */
static void copy_names(const STACK_OF(X509_EXTENSION) * exts)
{
    X509 *cert = X509_new();
    struct devid_csr_spec spec = {.like = cert};
    STACK_OF(X509_EXTENSION) *again = NULL;

    must(cert != NULL && X509_add_ext(cert, X509v3_get_ext(exts, 0), -1) == 1);
    must(devid_extensions_name(&spec));
    must(devid_extensions_make(&spec, false, &again, NULL) == DEVID_OK);
    must(X509v3_get_ext_count(again) == 1);
    sk_X509_EXTENSION_pop_free(again, X509_EXTENSION_free);
    X509_free(cert);
}

static void fuzz_extensions(const char *text)
{
    const char *const sans[] = {text, NULL};
    const struct devid_csr_spec specs[] = {
        {.key_usage = text}, {.ext_key_usage = text}, {.sans = sans}};
    STACK_OF(X509_EXTENSION) *exts = NULL;
    struct devid_error err = {0};

    for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
        enum devid_err e =
            devid_extensions_make(&specs[i], i % 2 == 0, &exts, &err);

        expect_sentence(e, &err);
        must((e == DEVID_OK) == (exts != NULL));
        if (e == DEVID_OK && specs[i].sans != NULL)
            copy_names(exts);
        sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
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
    fuzz_extensions(text);
    must_leave_no_error();
    free(text);
    return 0;
}
