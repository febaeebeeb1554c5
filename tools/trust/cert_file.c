/* SPDX-License-Identifier: Apache-2.0 */
#include "cert_file.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "input.h"
#include "message.h"

static STACK_OF(X509) * certs_of_text(const char *text, size_t len)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    const unsigned char *at = (const unsigned char *)text;
    BIO *in = BIO_new_mem_buf(text, (int)len);
    X509 *cert;

    if (!certs || !in)
        die_no_memory();
    while ((cert = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
        if (sk_X509_push(certs, cert) == 0)
            die_no_memory();
    cert = sk_X509_num(certs) == 0 ? d2i_X509(NULL, &at, (long)len) : NULL;
    if (cert && sk_X509_push(certs, cert) == 0)
        die_no_memory();
    BIO_free(in);
    ERR_clear_error();
    return certs;
}

enum exit_code certs_read(const char *path, STACK_OF(X509) * *certs)
{
    char *text = NULL;
    size_t len = 0;
    enum exit_code code = input_read(path, &text, &len);

    *certs = NULL;
    if (code != EXIT_DONE)
        return code;
    *certs = certs_of_text(text, len);
    OPENSSL_clear_free(text, len);
    if (sk_X509_num(*certs) > 0)
        return EXIT_DONE;
    return fail("%s holds no certificate, neither in PEM nor in DER", path);
}
