/* SPDX-License-Identifier: Apache-2.0 */
/* What the station's pages have in common. */
#ifndef DEVID_STATION_FLEET_PAGE_H
#define DEVID_STATION_FLEET_PAGE_H

#include <stdio.h>

#include "figures.h"
#include "fleet.h"
#include "form.h"

/* Is it an operator who asks? False: refused, *step says it. The first thing
 * that each step does. */
bool fleet_enter(struct exchange *x, enum step *step);

/* Which entry of the navigation a page belongs to. */
enum page_place {
    PAGE_OVERVIEW,
    PAGE_UNITS,
    PAGE_RENEWALS,
    PAGE_APPROVALS,
    PAGE_ELSEWHERE,
};

/*
 * Begin a page, up to where its own content does; NULL: out of memory, and
 * page_end says so. The title is text.
 */
FILE *page_begin(struct exchange *x, enum page_place place, const char *title);
/* End it. `out` is closed. */
enum step page_end(struct exchange *x, FILE *out, int status);

/* The ledger failed when a page had begun: it is dropped. */
enum step page_drop(struct exchange *x, const struct devid_error *err);

/* "2026-11-22 08:00:00" with its zone, as <time>; "never" for 0. */
void page_time(FILE *out, int64_t ms);
/* A unit's state, as a label. */
void page_state(FILE *out, enum unit_state state);
/* A row of a list of names and values; nothing where the value is "". */
void page_row(FILE *out, const char *name, const char *value);

/* The choice of a reason for what is revoked, as a labelled <select>; `id` is
 * its own in the page. */
void page_reasons(FILE *out, const char *id);
/* LDevIDs of a unit, with the forms that revoke them: a section, or nothing. */
enum devid_err page_ldevids(struct exchange *x, FILE *out, const char *unit,
                            struct devid_error *err);

/* After a change: away to a page that may be loaded again. */
enum step page_leave(struct exchange *x, const char *location);

/*
 * Tokens of forms. A browser sends the operator's certificate along with
 * whatever any site makes it send, as it does with a cookie, and no SameSite
 * keeps it from that. So a form holds what only a page of this station could
 * have told: an HMAC over the operator's certificate and the time, by a key
 * that this process alone has. Another site cannot read the page (it has no
 * CORS headers, and may not be framed), nor does another operator's token
 * serve.
 */
#define FLEET_TOKEN_SIZE 96
void fleet_token(const struct exchange *x, char token[FLEET_TOKEN_SIZE]);
/* Parse a form that was posted, and check its token. False: refused. The caller
 * clears the form either way. */
bool fleet_form(struct exchange *x, struct form *form, enum step *step);

/* The figures as they were last made, for the caller to let go of; NULL with
 * the sentence where they cannot be. */
const struct figures *fleet_figures(struct exchange *x,
                                    struct devid_error *err);
/* They are to be made anew before they are shown again. */
void fleet_changed(struct exchange *x);

#endif
