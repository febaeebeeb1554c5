/* SPDX-License-Identifier: Apache-2.0 */
/* What devid install reads: a station's certificates in JSON, or in PEM; and
 * what devid activate does: a challenge. */
#include "fuzz.h"

#include "certificates.h"
#include "steps.h"

#include <openssl/crypto.h>
#include <string.h>

/* Take them for their own: a chain then is all that they need. */
static void check(const struct certificates *certificates)
{
    struct certificates_owner owner = {0};
    struct devid_public pub;
    uint8_t *spki = NULL;
    int len =
        i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificates->idevid), &spki);

    if (len > 0 &&
        devid_public_from_spki(spki, (size_t)len, &pub, NULL) == DEVID_OK) {
        owner.idevid = &pub;
        must(certificate_has_key(certificates->idevid, &pub));
        (void)certificates_check(certificates, &owner);
        owner.serial = "SN1";
        (void)certificates_check(certificates, &owner);
    }
    OPENSSL_free(spki);
}

static void as_pem(const char *text)
{
    static const struct devid_public none;
    const struct certificates_owner owner = {.idevid = &none, .iak = &none};
    struct certificates certificates = {0};

    must(certificates_from_pem("FILE", text, &owner, &certificates) !=
         EXIT_DONE);
    if (sk_X509_num(certificates.ca) > 0) {
        certificates.idevid = sk_X509_shift(certificates.ca);
        if (sk_X509_num(certificates.ca) > 0)
            check(&certificates);
    }
    certificates_clear(&certificates);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct devid_activation challenge;
    struct certificates certificates = {0};
    char *text = malloc(size + 1);
    json_t *json;

    must(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json)) {
        if (certificates_from_json("FILE", json, &certificates) == EXIT_DONE)
            check(&certificates);
        certificates_clear(&certificates);
    } else {
        as_pem(text);
    }
    json_decref(json);
    if (step_challenge_parse(data, size, &challenge))
        must(challenge.secret + challenge.secret_len <= data + size &&
             challenge.credential + challenge.credential_len <=
                 challenge.secret);
    free(text);
    must_leave_no_error();
    return 0;
}
