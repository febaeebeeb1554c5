/* SPDX-License-Identifier: Apache-2.0 */
/* A key that stays in the device: at a handle of a TPM, by a label on a token
 */
#include "contract.h"

#include <stdio.h>
#include <string.h>

#define HANDLE "0x81000123"
#define LABEL "contract-stored"

bool on_token(void)
{
    return contract_device != NULL;
}

struct devid_key_spec stored_spec(const char *algorithm)
{
    return (struct devid_key_spec){.device = contract_device,
                                   .algorithm = algorithm,
                                   .persist = on_token() ? NULL : HANDLE,
                                   .label = LABEL};
}

struct devid_key *stored_new(const char *algorithm)
{
    const struct devid_key_spec spec = stored_spec(algorithm);
    struct devid_key *key = NULL;
    struct devid_error err = {0};
    enum devid_err e = devid_key_create(engine, &spec, &key, &err);

    if (e != DEVID_OK)
        print_error("%s: %s\n", algorithm, err.text);
    assert_int_equal(e, DEVID_OK);
    return key;
}

void token_uri(char uri[URI_MAX], const char *more)
{
    size_t path = strcspn(contract_device, "?");

    assert_true(snprintf(uri, URI_MAX, "%.*s;%s%s", (int)path, contract_device,
                         more, contract_device + path) < URI_MAX);
}

void stored_uris(char uris[2][URI_MAX])
{
    if (on_token()) {
        token_uri(uris[0], "object=" LABEL);
        token_uri(uris[1], "object=" LABEL ";type=private");
    } else {
        (void)snprintf(uris[0], URI_MAX, "tpm2:handle=" HANDLE);
        (void)snprintf(uris[1], URI_MAX, "handle:" HANDLE);
    }
}

void uri_of(const struct devid_key *key, char uri[URI_MAX])
{
    struct devid_key_info info;

    devid_key_info(key, &info);
    memcpy(uri, info.uri, URI_MAX);
}

void stored_remove(struct devid_key **key)
{
    struct devid_error err = {0};
    char uri[URI_MAX];

    uri_of(*key, uri);
    if (*uri != '\0') /* a blob is in its file alone */
        assert_int_equal(devid_delete(engine, uri, &err), DEVID_OK);
    devid_key_free(key);
}

const char *stored_missing(void)
{
    return on_token() ? "has no private key that fits" : HANDLE;
}

int stored_clean_up(void **state)
{
    char uris[2][URI_MAX];
    enum devid_err e;

    stored_uris(uris);
    devid_shutdown(); /* and whatever PIN was tried */
    e = devid_delete(engine, uris[0], NULL);
    return contract_teardown(state) == 0 &&
                   (e == DEVID_OK || e == DEVID_ERR_NOT_FOUND)
               ? 0
               : -1;
}
