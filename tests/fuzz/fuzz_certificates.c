/* SPDX-License-Identifier: Apache-2.0 */
/* What devid install reads: a station's certificates in JSON, or in PEM; and
 * what devid activate does: a challenge. */
#include "fuzz.h"

#include "base64.h"
#include "certificates.h"
#include "steps.h"

#include <openssl/crypto.h>
#include <string.h>

static bool key_of(X509 *cert, struct devid_public *pub)
{
    uint8_t *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
    bool ok = len > 0 &&
              devid_public_from_spki(spki, (size_t)len, pub, NULL) == DEVID_OK;

    OPENSSL_free(spki);
    must(!ok || certificate_has_key(cert, pub));
    return ok;
}

/* Take them for their own: a chain then is all that they need. */
static void check(const struct certificates *certificates)
{
    static const struct devid_public none;
    struct certificates_owner owner = {.idevid = &none};
    struct devid_public idevid;
    struct devid_public iak;

    must(certificates_check(certificates, &owner) == EXIT_UNTRUSTED);
    if (!key_of(certificates->idevid, &idevid))
        return;
    owner.idevid = &idevid;
    (void)certificates_check(certificates, &owner);
    owner.iak = &none;
    must(certificates_check(certificates, &owner) == EXIT_UNTRUSTED);
    if (certificates->iak != NULL && key_of(certificates->iak, &iak))
        owner.iak = &iak;
    (void)certificates_check(certificates, &owner);
    owner.serial = "SN1";
    (void)certificates_check(certificates, &owner);
    owner.serial = "SN2";
    (void)certificates_check(certificates, &owner);
}

/* Whose the first certificates of the others are. */
static void as_pem_of(const char *text, STACK_OF(X509) * others)
{
    struct devid_public idevid;
    struct devid_public iak;
    struct certificates_owner owner = {.idevid = &idevid};
    struct certificates certificates = {0};

    if (!key_of(sk_X509_value(others, 0), &idevid))
        return;
    if (sk_X509_num(others) > 1 && key_of(sk_X509_value(others, 1), &iak))
        owner.iak = &iak;
    if (certificates_from_pem("FILE", text, &owner, &certificates) == EXIT_DONE)
        check(&certificates);
    certificates_clear(&certificates);
}

static void as_pem(const char *text)
{
    static const struct devid_public none;
    const struct certificates_owner owner = {.idevid = &none, .iak = &none};
    struct certificates certificates = {0};

    must(certificates_from_pem("FILE", text, &owner, &certificates) !=
         EXIT_DONE);
    if (sk_X509_num(certificates.ca) > 0)
        as_pem_of(text, certificates.ca);
    certificates_clear(&certificates);
}

/* What is taken out of base64 goes back into the same. */
static void as_base64(const char *text)
{
    uint8_t *data = NULL;
    uint8_t *again = NULL;
    size_t len = 0;
    size_t again_len = 0;
    json_t *json;

    if (!base64_decode(text, &data, &len)) {
        must(data == NULL && len == 0);
        return;
    }
    json = base64_json(data, len);
    if (len > 0) {
        must(base64_decode(json_string_value(json), &again, &again_len));
        must(again_len == len && memcmp(again, data, len) == 0);
    }
    json_decref(json);
    OPENSSL_free(again);
    OPENSSL_free(data);
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
    as_base64(text);
    if (step_challenge_parse(data, size, &challenge))
        must(challenge.secret + challenge.secret_len <= data + size &&
             challenge.credential + challenge.credential_len <=
                 challenge.secret);
    free(text);
    must_leave_no_error();
    return 0;
}
