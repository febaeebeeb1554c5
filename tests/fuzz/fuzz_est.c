/* SPDX-License-Identifier: Apache-2.0 */
/* What an EST server answers, in base64 or as it is: certificates, and what a
 * request is to have. */
#include "fuzz.h"

#include "est_answer.h"

#include <openssl/crypto.h>
#include <string.h>

static void as_der(const uint8_t *der, size_t len)
{
    STACK_OF(X509) *certs = est_certificates(der, len);
    bool valid = false;
    const char *algorithm = est_wanted_algorithm(der, len, &valid);

    must(algorithm == NULL || valid);
    must(certs == NULL || !valid); /* nothing is both */
    sk_X509_pop_free(certs, X509_free);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    uint8_t *der = NULL;
    size_t len = 0;

    must(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (est_decode(text, size, &der, &len)) {
        must(der != NULL && len > 0);
        as_der(der, len);
    }
    as_der(data, size);
    OPENSSL_free(der);
    free(text);
    must_leave_no_error();
    return 0;
}
