/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device says to a station: docs/protocol.md, from the device's side.
 */
#ifndef DEVID_TOOLS_LINE_H
#define DEVID_TOOLS_LINE_H

#include "certificates.h"
#include "http.h"
#include "identity.h"
#include "steps.h"

/* Who it is. */
struct line_station {
    char name[128];
    STACK_OF(X509) * ca;
    X509 *escrow; /* NULL: it keeps no authorisations */
};
void line_station_clear(struct line_station *station);

/* How far a unit has come, as far as the device has to know. */
enum line_state {
    LINE_BEFORE, /* it has no certificates yet */
    LINE_ISSUED,
    LINE_INSTALLED,
    LINE_TESTED,
    LINE_LOCKED,
    LINE_OVER, /* retired, or a word that a newer station has */
};

struct line_unit {
    char id[64];
    enum line_state state;
    bool attested;
    uint8_t *challenge; /* NULL: none is needed */
    size_t challenge_len;
};
void line_unit_clear(struct line_unit *unit);

struct line_enrolment {
    const char *serial;
    const char *model;
    const char *mac;           /* or NULL */
    const char *operator_name; /* or NULL */
    bool new_owner;
    const struct step_request *request; /* of a TPM */
    const uint8_t *pkcs10;              /* where there is none */
    size_t pkcs10_len;
};

/* What is posted: all that a station is told of a unit. json_decref. */
json_t *line_enrolment_body(const struct line_enrolment *enrolment);

/* All print the sentence on failure. */
enum exit_code line_look(struct http *http, struct line_station *station);
/* `certificates` is filled where the station gives them at once. */
enum exit_code line_enrol(struct http *http,
                          const struct line_enrolment *enrolment,
                          struct line_unit *unit,
                          struct certificates *certificates);
enum exit_code line_activate(struct http *http, struct line_unit *unit,
                             const struct devid_field *answer,
                             struct certificates *certificates);
/* Where the unit is not so far yet. */
enum exit_code line_advance(struct http *http, struct line_unit *unit,
                            enum line_state state);
enum exit_code line_escrow(struct http *http, const struct line_unit *unit,
                           const uint8_t *cms, size_t len);
enum exit_code line_retire(struct http *http, const char *unit_id,
                           const char *reason);

#endif
