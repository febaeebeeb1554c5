/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/x509.h>

#include "exchange.h"

const char *pkcs10_open(struct devid_bytes der, uint8_t **spki, size_t *len)
{
    const unsigned char *p = der.data;
    X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.len);
    const char *why = NULL;
    struct devid_public pub;
    int n;

    if (!req || p != der.data + der.len)
        why = "\"pkcs10\" is no request in DER, or has something behind it";
    else if (X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) != 1)
        why = "the signature of \"pkcs10\" is not by its key";
    if (!why) {
        n = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(req), spki);
        *len = n > 0 ? (size_t)n : 0;
        if (n <= 0 ||
            devid_public_from_spki(*spki, *len, &pub, NULL) != DEVID_OK)
            why = "the key in \"pkcs10\" is none that a unit may have";
        else if (devid_public_weakness(&pub))
            why = "the RSA key in \"pkcs10\" is weak: shorter than 2048 bits, "
                  "or of a generator with CVE-2017-15361 (\"ROCA\")";
    }
    X509_REQ_free(req);
    ERR_clear_error();
    return why;
}
