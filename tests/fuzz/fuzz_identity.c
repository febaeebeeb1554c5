/* SPDX-License-Identifier: Apache-2.0 */
/* An identity that is renewed: its NAME.conf, up to a NUL, and behind it its
 * NAME.state. */
#include "fuzz.h"

#include "as_file.h"
#include "identities.h"

#include <string.h>

static void check(const struct identity *identity)
{
    const struct identity_conf *conf = &identity->conf;

    must(conf->protocol != NULL && conf->url != NULL);
    must((conf->user == NULL) == (conf->secret_source == NULL));
    must(conf->device == NULL || strstr(conf->device, "pin-value=") == NULL);
    must(identity->lock == -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t conf_len = nul != NULL ? (size_t)(nul - data) : size;
    struct identity identity = {.lock = -1};
    const char *root;

    /* OpenSSL reads other files where it is told so: not these. */
    if (size > 0 && memmem(data, size, "include", strlen("include")) != NULL)
        return 0;
    (void)fuzz_as_folder(0, "unit.conf", data, conf_len);
    root = fuzz_as_folder(1, "unit.state", nul != NULL ? nul + 1 : data,
                          nul != NULL ? size - conf_len - 1 : 0);
    if (identity_load(root, "unit", &identity) == EXIT_DONE)
        check(&identity);
    identity_clear(&identity);
    must_leave_no_error();
    return 0;
}
