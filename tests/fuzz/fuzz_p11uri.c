/* SPDX-License-Identifier: Apache-2.0 */
/* URIs of tokens: what is refused before p11-kit, and what is shown of them. */
#include "fuzz.h"

#include "pkcs11/pkcs11.h"

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
        p11_uri_clear(&uri);
    } else {
        must(err.text[0] != '\0' && uri.kit == NULL);
    }
    must_leave_no_error();
    free(text);
    return 0;
}
