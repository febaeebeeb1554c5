/* SPDX-License-Identifier: Apache-2.0 */
/* The list of a station's operators, and the certificate that a client shows:
 * the first of the list, or these bytes. */
#include "fuzz.h"

#include "as_file.h"
#include "operators.h"

#include <openssl/pem.h>
#include <string.h>

/* The first certificate of the list in DER; `own` is freed by the caller. */
static struct devid_bytes shown(const uint8_t *data, size_t size,
                                unsigned char **own)
{
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, (void *)(uintptr_t) "");
    struct devid_bytes der = {data, size};
    int len = cert != NULL ? i2d_X509(cert, own) : 0;

    if (len > 0)
        der = (struct devid_bytes){*own, (size_t)len};
    X509_free(cert);
    BIO_free(bio);
    ERR_clear_error();
    return der;
}

/* What a log and a page have of a name. */
static void check_name(const char *name)
{
    size_t len = strnlen(name, OPERATOR_NAME_SIZE);

    must(len < OPERATOR_NAME_SIZE);
    for (size_t i = 0; i < len; i++)
        must((unsigned char)name[i] >= 0x20 && name[i] != 0x7f);
}

static void find(struct operators *operators, struct devid_bytes cert)
{
    char name[OPERATOR_NAME_SIZE] = "";
    struct devid_error err = {0};

    if (operators_find(operators, cert, name, &err) == DEVID_OK)
        check_name(name);
    else
        must(err.text[0] != '\0');
    must_leave_no_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct operators *operators = NULL;
    unsigned char *own = NULL;
    struct devid_bytes cert;

    if (size > 1 << 16)
        return 0;
    cert = shown(data, size, &own);
    if (operators_open(fuzz_as_file(0, data, size), NULL, &operators) ==
        EXIT_DONE) {
        find(operators, cert);
        find(operators, (struct devid_bytes){data, size});
        find(operators, (struct devid_bytes){NULL, 0});
    }
    operators_close(&operators);
    OPENSSL_free(own);
    must_leave_no_error();
    return 0;
}
