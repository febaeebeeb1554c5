/* SPDX-License-Identifier: Apache-2.0 */
/* URIs of tokens: what is refused before p11-kit, and what is shown of them. */
#include "fuzz.h"

#include "pkcs11/pkcs11.h"

#include <openssl/crypto.h>
#include <string.h>

/* What is shown of a URI keeps its PIN to itself. */
static void fuzz_shown(const char *text)
{
    static const char name[] = "pin-value=";
    char shown[4096];
    const char *pin;

    p11_uri_show(text, shown, sizeof(shown));
    pin = strstr(shown, name);
    must(pin == NULL || strchr("&", pin[sizeof(name) - 1]) != NULL);
}

static CK_ATTRIBUTE attribute_of(const struct p11_uri *uri,
                                 CK_ATTRIBUTE_TYPE type)
{
    CK_ATTRIBUTE *found = p11_kit_uri_get_attribute(uri->kit, type);

    return found != NULL ? *found : (CK_ATTRIBUTE){type, NULL, 0};
}

/* A reference to what it names, which names the same. */
static void write_anew(struct p11_uri *uri)
{
    CK_ATTRIBUTE id = attribute_of(uri, CKA_ID);
    CK_ATTRIBUTE label = attribute_of(uri, CKA_LABEL);
    char *name = OPENSSL_strndup(label.pValue != NULL ? label.pValue : "",
                                 label.ulValueLen);
    struct p11_reference ref = {
        .token = p11_kit_uri_get_token_info(uri->kit),
        .id = id.pValue,
        .id_len = id.ulValueLen,
        .label = name,
        .class = CKO_PRIVATE_KEY,
        .module_path = p11_kit_uri_get_module_path(uri->kit),
        .module_name = p11_kit_uri_get_module_name(uri->kit),
        .pin_source = p11_kit_uri_get_pin_source(uri->kit),
    };
    struct p11_uri again;
    char *text = NULL;

    must(name != NULL && p11_uri_format(&ref, &text, NULL) == DEVID_OK);
    must(strstr(text, "pin-value=") == NULL);
    if (p11_uri_parse(text, &again, NULL) == DEVID_OK) {
        CK_ATTRIBUTE same = attribute_of(&again, CKA_ID);

        must(id.ulValueLen > P11_ID_MAX || same.ulValueLen == id.ulValueLen);
        p11_uri_clear(&again);
    }
    OPENSSL_free(text);
    OPENSSL_free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct p11_uri uri;
    struct devid_error err = {0};
    char *text = malloc(size + 1);

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (p11_uri_parse(text, &uri, &err) == DEVID_OK) {
        must(strncmp(text, "pkcs11:", strlen("pkcs11:")) == 0);
        must(!p11_kit_uri_any_unrecognized(uri.kit));
        fuzz_shown(text);
        write_anew(&uri);
        p11_uri_clear(&uri);
    } else {
        must(err.text[0] != '\0' && uri.kit == NULL);
    }
    must_leave_no_error();
    free(text);
    return 0;
}
