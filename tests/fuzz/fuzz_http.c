/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What answers a device in a station's place: any status, any body. The first
 * byte picks the call, the second the status, or how the transfer failed.
 */
#include "fuzz.h"

#include "fake_curl.h"
#include "line.h"

#include <openssl/crypto.h>
#include <string.h>

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

    switch (which % 5) {
    case 0:
        return look(http);
    case 1:
        return enrol(http, true);
    case 2:
        return enrol(http, false);
    case 3:
        return activate(http);
    default: /* no more are left */
        return line_advance(http, &unit, LINE_TESTED);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 201, 204, 302, 400,
                                    409, 429, 500, 503};
    static const uint8_t fingerprint[HTTP_FINGERPRINT_LEN];
    const struct http_spec spec = {.url = "https://station:8443/",
                                   .fingerprint = fingerprint};
    struct http *http = NULL;
    enum exit_code code;

    if (size < 2)
        return 0;
    fake_answer =
        (struct fake_answer){.body = (const char *)data + 2, .len = size - 2};
    if (data[1] < sizeof(statuses) / sizeof(*statuses))
        fake_answer.status = statuses[data[1]];
    else
        fake_answer.rc = (CURLcode)data[1];
    must(http_open(&spec, &http) == EXIT_DONE);
    http_set_token(http, "token");
    code = call(http, data[0]);
    must(code == EXIT_DONE || fake_answer.rc != CURLE_OK ||
         fake_answer.status / 100 != 2 || code == EXIT_UNTRUSTED);
    must(strlen(http_refusal(http)) < HTTP_CODE_SIZE);
    http_close(&http);
    must_leave_no_error();
    return 0;
}
