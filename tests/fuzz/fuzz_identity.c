/* SPDX-License-Identifier: Apache-2.0 */
/* An identity that is renewed: its NAME.conf, up to a NUL, and behind it its
 * NAME.state. */
#include "fuzz.h"

#include "as_file.h"
#include "identities.h"

#include <openssl/crypto.h>
#include <string.h>

static void check(const struct identity *identity)
{
    const struct identity_conf *conf = &identity->conf;

    must(conf->protocol != NULL && conf->url != NULL);
    must((conf->user == NULL) == (conf->secret_source == NULL));
    must(conf->device == NULL || strstr(conf->device, "pin-value=") == NULL);
    must(identity->lock == -1);
}

static bool same(const char *a, const char *b)
{
    return a == NULL ? b == NULL : b != NULL && strcmp(a, b) == 0;
}

static void compare(const struct identity *a, const struct identity *b)
{
    must(same(a->conf.protocol, b->conf.protocol));
    must(same(a->conf.url, b->conf.url));
    must(same(a->conf.subject, b->conf.subject));
    must(same(a->conf.after, b->conf.after));
    must(a->conf.same_key == b->conf.same_key);
    must(a->state.next_renewal == b->state.next_renewal);
    must(a->state.hook_pending == b->state.hook_pending);
    must(same(a->state.last_error, b->state.last_error));
    must(same(a->state.pending_key, b->state.pending_key));
}

/* In another folder; what was written is what was read. */
static void write_anew(struct identity *identity)
{
    char *folder = identity->folder;
    struct identity again = {.lock = -1};
    struct identity other;

    identity_init(&other, fuzz_own_folder(), "unit");
    identity->folder = other.folder;
    if (identity_conf_write(identity) == EXIT_DONE) {
        must(identity_state_write(identity) == EXIT_DONE);
        must(identity_load(fuzz_own_folder(), "unit", &again) == EXIT_DONE);
        compare(identity, &again);
        identity_clear(&again);
    }
    identity->folder = folder;
    identity_clear(&other);
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
    if (identity_load(root, "unit", &identity) == EXIT_DONE) {
        check(&identity);
        write_anew(&identity);
    }
    identity_clear(&identity);
    must_leave_no_error();
    return 0;
}
