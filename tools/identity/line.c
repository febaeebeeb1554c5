/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "base64.h"
#include "message.h"
#include "report.h"

#define PATH_SIZE 128

/* ---- answers ------------------------------------------------------------- */

static const char *const state_names[] = {
    [LINE_ISSUED] = "issued",
    [LINE_INSTALLED] = "installed",
    [LINE_TESTED] = "tested",
    [LINE_LOCKED] = "locked",
};

static enum line_state state_by_name(const char *name)
{
    static const char *const before[] = {"seen", "ek-verified", "certified",
                                         "activated"};

    for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
        if (strcmp(name, before[i]) == 0)
            return LINE_BEFORE;
    }
    for (int i = LINE_ISSUED; i <= LINE_LOCKED; i++) {
        if (strcmp(name, state_names[i]) == 0)
            return (enum line_state)i;
    }
    return LINE_OVER;
}

static enum exit_code no_protocol(const char *what, const char *member)
{
    return fail_with(EXIT_UNTRUSTED,
                     "the station's answer to %s has no %s as its protocol "
                     "has it",
                     what, member);
}

/* It becomes part of paths. */
static bool is_id(const char *id, size_t size)
{
    static const char good[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_";

    return *id != '\0' && strlen(id) < size && strspn(id, good) == strlen(id);
}

void line_station_clear(struct line_station *station)
{
    sk_X509_pop_free(station->ca, X509_free);
    X509_free(station->escrow);
    memset(station, 0, sizeof(*station));
}

void line_unit_clear(struct line_unit *unit)
{
    OPENSSL_free(unit->challenge);
    memset(unit, 0, sizeof(*unit));
}

enum exit_code line_look(struct http *http, struct line_station *station)
{
    static const char path[] = "/v1/station";
    enum exit_code code;
    json_t *answer = NULL;
    json_t *escrow = NULL;
    STACK_OF(X509) *wrap = NULL;

    memset(station, 0, sizeof(*station));
    code = http_call(http, path, NULL, &answer);
    if (code != EXIT_DONE)
        return code;
    (void)snprintf(station->name, sizeof(station->name), "%s",
                   report_get(answer, "station"));
    station->ca = certificates_chain(json_object_get(answer, "ca"));
    if (station->ca == NULL)
        code = no_protocol(path, "ca");
    escrow = json_object_get(answer, "escrow");
    if (code == EXIT_DONE && escrow != NULL) {
        json_t *one = json_pack("[O]", escrow);

        wrap = certificates_chain(one);
        json_decref(one);
        if (wrap == NULL)
            code = no_protocol(path, "escrow");
        else
            station->escrow = sk_X509_pop(wrap);
        sk_X509_free(wrap);
    }
    json_decref(answer);
    return code;
}

/* ---- a unit -------------------------------------------------------------- */

/* The certificates that lie in what an NV index holds, one behind another. */
static void append_certs(json_t *array, const struct devid_field *field)
{
    const unsigned char *at = field->data;
    const unsigned char *end = field->data + field->len;

    while (at != NULL && at < end) {
        const unsigned char *start = at;
        X509 *cert = d2i_X509(NULL, &at, end - at);

        if (cert == NULL)
            break;
        X509_free(cert);
        report_append(array, base64_json(start, (size_t)(at - start)));
    }
    ERR_clear_error();
}

static void put_request(json_t *body, const struct step_request *request)
{
    const struct devid_identity_request *fields = &request->fields;
    json_t *chain = report_array();
    uint8_t *spki = NULL;
    size_t len = 0;

    report_value(body, "request", base64_json(request->der, request->len));
    if (fields->creation.len > 0)
        report_value(body, "creation",
                     base64_json(fields->creation.data, fields->creation.len));
    for (size_t i = 0; i < fields->ek_chain_count; i++)
        append_certs(chain, &fields->ek_chain[i].bytes);
    report_value(body, "ek_chain", chain);
    if (fields->ekCert.index == 0 &&
        devid_public_to_spki(&fields->ek, &spki, &len, NULL) == DEVID_OK)
        report_value(body, "ek_public", base64_json(spki, len));
    OPENSSL_free(spki);
}

json_t *line_enrolment_body(const struct line_enrolment *enrolment)
{
    json_t *body = report_new();

    report_text(body, "serial", enrolment->serial);
    report_text(body, "model", enrolment->model);
    report_text(body, "mac", enrolment->mac);
    report_text(body, "operator", enrolment->operator_name);
    if (enrolment->new_owner)
        report_flag(body, "new_owner", true);
    if (enrolment->request != NULL)
        put_request(body, enrolment->request);
    else
        report_value(body, "pkcs10",
                     base64_json(enrolment->pkcs10, enrolment->pkcs10_len));
    return body;
}

static enum exit_code read_unit(const json_t *answer, struct line_unit *unit)
{
    const char *id = report_get(answer, "unit");
    const char *challenge = report_get(answer, "challenge");

    if (!is_id(id, sizeof(unit->id)))
        return no_protocol("/v1/units", "unit");
    (void)snprintf(unit->id, sizeof(unit->id), "%s", id);
    unit->state = state_by_name(report_get(answer, "state"));
    unit->attested = json_is_true(json_object_get(answer, "attested"));
    if (*challenge != '\0' &&
        !base64_decode(challenge, &unit->challenge, &unit->challenge_len))
        return no_protocol("/v1/units", "challenge");
    return EXIT_DONE;
}

enum exit_code line_enrol(struct http *http,
                          const struct line_enrolment *enrolment,
                          struct line_unit *unit,
                          struct certificates *certificates)
{
    json_t *body = line_enrolment_body(enrolment);
    json_t *answer = NULL;
    enum exit_code code = http_call(http, "/v1/units", body, &answer);

    memset(unit, 0, sizeof(*unit));
    json_decref(body);
    if (code == EXIT_DONE)
        code = read_unit(answer, unit);
    if (code == EXIT_DONE && enrolment->request != NULL &&
        unit->challenge == NULL)
        code = no_protocol("/v1/units", "challenge");
    if (code == EXIT_DONE && enrolment->request == NULL)
        code = certificates_from_json("the station's answer", answer,
                                      certificates);
    json_decref(answer);
    return code;
}

static void unit_path(char path[PATH_SIZE], const char *id, const char *what)
{
    (void)snprintf(path, PATH_SIZE, "/v1/units/%s/%s", id, what);
}

enum exit_code line_activate(struct http *http, struct line_unit *unit,
                             const struct devid_field *answer,
                             struct certificates *certificates)
{
    char path[PATH_SIZE];
    json_t *body = report_new();
    json_t *issued = NULL;
    enum exit_code code;

    report_value(body, "answer", base64_json(answer->data, answer->len));
    unit_path(path, unit->id, "activate");
    code = http_call(http, path, body, &issued);
    json_decref(body);
    if (code == EXIT_DONE) {
        unit->attested = json_is_true(json_object_get(issued, "attested"));
        if (unit->state < LINE_ISSUED)
            unit->state = LINE_ISSUED;
        code = certificates_from_json("the station's answer", issued,
                                      certificates);
    }
    json_decref(issued);
    return code;
}

/* POST one member, the answer's state is the unit's. Takes `value` over. */
static enum exit_code post_member(struct http *http, const char *id,
                                  const char *what, const char *member,
                                  json_t *value)
{
    char path[PATH_SIZE];
    json_t *body = report_new();
    json_t *answer = NULL;
    enum exit_code code;

    report_value(body, member, value);
    unit_path(path, id, what);
    code = http_call(http, path, body, &answer);
    json_decref(body);
    json_decref(answer);
    return code;
}

enum exit_code line_advance(struct http *http, struct line_unit *unit,
                            enum line_state state)
{
    enum exit_code code;

    if (unit->state > state)
        return EXIT_DONE;
    code = post_member(http, unit->id, "state", "state",
                       json_string(state_names[state]));
    if (code == EXIT_DONE)
        unit->state = state;
    return code;
}

enum exit_code line_escrow(struct http *http, const struct line_unit *unit,
                           const uint8_t *cms, size_t len)
{
    return post_member(http, unit->id, "state", "escrow",
                       base64_json(cms, len));
}

enum exit_code line_retire(struct http *http, const char *unit_id,
                           const char *reason)
{
    return post_member(http, unit_id, "retire", "reason", json_string(reason));
}
