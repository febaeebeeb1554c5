/* SPDX-License-Identifier: Apache-2.0 */
#include "token_key.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "message.h"

char *token_key_uri(const char *device, const char *label, const char *type)
{
    static const char format[] = "%.*s%sobject=%s;type=%s%s";
    size_t path = strcspn(device, "?"); /* behind which is where the PIN is */
    size_t size =
        sizeof(format) + strlen(device) + strlen(label) + strlen(type);
    char *uri = OPENSSL_malloc(size);
    /* "pkcs11:" alone has no attribute that a ";" could follow. */
    bool first = path > 0 && device[path - 1] == ':';

    if (uri == NULL)
        die_no_memory();
    (void)snprintf(uri, size, format, (int)path, device, first ? "" : ";",
                   label, type, device + path);
    return uri;
}

enum exit_code token_check_pin(const struct args *args)
{
    const char *pin = args_text(args, ROW_AUTH_SOURCE);

    if (pin == NULL || strcmp(pin, "prompt") != 0)
        return EXIT_DONE;
    return wrong_use(args->command->name,
                     "--auth-source is file:PATH or env:NAME here: the PIN is "
                     "needed more than once");
}
