/* SPDX-License-Identifier: Apache-2.0 */
/* A request for an LDevID: base64 in lines, PKCS#10, its names and binding. */
#include "fuzz.h"

#include "est.h"

#include <openssl/crypto.h>
#include <string.h>

/* What was taken is a request whose signature holds: it is the same again. */
static void open_again(const struct est_request *first)
{
    const size_t size = (first->der_len + 2) / 3 * 4 + 1;
    unsigned char *text = OPENSSL_malloc(size);
    struct est_request again;

    must(text != NULL);
    const struct devid_bytes body = {
        text, (size_t)EVP_EncodeBlock(text, first->der, (int)first->der_len)};
    must(est_request_open(body, &again) == NULL);
    must(strcmp(again.key_digest, first->key_digest) == 0);
    est_request_clear(&again);
    OPENSSL_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t unique[12] = {1};
    const struct devid_bytes binding = {unique, sizeof(unique)};
    const struct devid_bytes body = {data, size};
    struct est_request request;

    if (est_request_open(body, &request) == NULL) {
        (void)est_check_names(&request, body, true);
        (void)est_check_binding(&request, binding);
        open_again(&request);
    }
    est_request_clear(&request);
    return 0;
}
