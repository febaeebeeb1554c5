/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What answers a device in a station's place: any status, any body. The first
 * byte picks the call, and what the device has: an identity, a CA, patience;
 * the second the status, or how the transfer failed.
 */
#include "fuzz.h"

#include "fake_curl.h"
#include "line.h"

#include <openssl/crypto.h>
#include <string.h>

enum {
    CALLS = 7,
    IMPATIENT = 0x20, /* else it asks again, for a second of its clock */
    BY_CA = 0x40,     /* knows no fingerprint, and has a password */
    IDENTITY = 0x80
};

/* All that the device took out of the answer is whole, or nothing is there. */
static void check_unit(enum exit_code code, const struct line_unit *unit)
{
    struct devid_activation challenge;

    if (code == EXIT_DONE)
        must(unit->id[0] != '\0' && strpbrk(unit->id, "/.%?# ") == NULL);
    if (unit->challenge != NULL &&
        step_challenge_parse(unit->challenge, unit->challenge_len, &challenge))
        must(challenge.credential_len + challenge.secret_len <
             unit->challenge_len);
}

static void check_certificates(enum exit_code code,
                               const struct certificates *certificates)
{
    static const struct devid_public none;
    const struct certificates_owner owner = {.idevid = &none, .serial = "SN1"};

    if (code != EXIT_DONE)
        return;
    must(certificates->idevid != NULL && certificates->ca != NULL);
    must(certificates_check(certificates, &owner) == EXIT_UNTRUSTED);
}

static enum exit_code enrol(struct http *http, bool tpm)
{
    const struct step_request request = {.der = NULL};
    const struct line_enrolment enrolment = {
        .serial = "SN1",
        .model = "M",
        .request = tpm ? &request : NULL,
        .pkcs10 = (const uint8_t *)"",
    };
    struct certificates certificates = {0};
    struct line_unit unit;
    enum exit_code code = line_enrol(http, &enrolment, &unit, &certificates);

    check_unit(code, &unit);
    if (!tpm)
        check_certificates(code, &certificates);
    certificates_clear(&certificates);
    line_unit_clear(&unit);
    return code;
}

static enum exit_code activate(struct http *http)
{
    const struct devid_field answer = {NULL, 0};
    struct certificates certificates = {0};
    struct line_unit unit = {.id = "u"};
    enum exit_code code = line_activate(http, &unit, &answer, &certificates);

    check_certificates(code, &certificates);
    certificates_clear(&certificates);
    return code;
}

static enum exit_code look(struct http *http)
{
    struct line_station station;
    enum exit_code code = line_look(http, &station);

    must(code != EXIT_DONE || station.ca != NULL);
    line_station_clear(&station);
    return code;
}

static enum exit_code call(struct http *http, uint8_t which)
{
    struct line_unit unit = {.id = "u"};

    switch (which % CALLS) {
    case 0:
        return look(http);
    case 1:
        return enrol(http, true);
    case 2:
        return enrol(http, false);
    case 3:
        return activate(http);
    case 4:
        return line_advance(http, &unit, LINE_TESTED);
    case 5:
        return line_escrow(http, &unit, (const uint8_t *)"cms", 3);
    default: /* no more are left */
        return line_retire(http, unit.id, "superseded");
    }
}

static void set_answer(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 201, 204, 302, 400,
                                    409, 429, 500, 503};

    fake_answer =
        (struct fake_answer){.body = (const char *)data + 1, .len = size - 1};
    if (data[0] < sizeof(statuses) / sizeof(*statuses))
        fake_answer.status = statuses[data[0]];
    else
        fake_answer.rc = (CURLcode)(data[0] % 0x80);
}

static struct http *open_as(uint8_t flags)
{
    static const uint8_t fingerprint[HTTP_FINGERPRINT_LEN];
    static EVP_PKEY *key;
    const struct http_spec spec = {
        .url = "https://station:8443/",
        .fingerprint = flags & BY_CA ? NULL : fingerprint,
        .ca = flags & BY_CA ? "ca.pem" : NULL,
        .patience_s = flags & IMPATIENT ? 0 : 1,
    };
    struct http *http = NULL;

    if (key == NULL)
        key = EVP_PKEY_new();
    must(http_open(&spec, &http) == EXIT_DONE);
    if (flags & BY_CA)
        http_set_basic(http, "user", "secret");
    else
        http_set_token(http, "token");
    if (flags & IDENTITY)
        http_set_identity(http, &(struct http_identity){.key = key});
    must(!http_identity_was_asked(http));
    return http;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http *http;
    enum exit_code code;

    if (size < 2)
        return 0;
    set_answer(data + 1, size - 1);
    http = open_as(data[0]);
    code = call(http, data[0] % IMPATIENT);
    must(code == EXIT_DONE || fake_answer.rc != CURLE_OK ||
         fake_answer.status / 100 != 2 || code == EXIT_UNTRUSTED);
    must(!http_identity_failed(http) || data[0] & IDENTITY);
    must(strlen(http_refusal(http)) < HTTP_CODE_SIZE);
    http_close(&http);
    must_leave_no_error();
    return 0;
}
