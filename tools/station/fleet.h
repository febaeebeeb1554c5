/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The station's pages, for operators with a browser: what the ledger has, and
 * forms to change it. Each is an exchange that ends with HTML; who may not see
 * it gets a page that says why. Without JavaScript all of it works; with it,
 * figures are brought up to date in place.
 */
#ifndef DEVID_STATION_FLEET_H
#define DEVID_STATION_FLEET_H

#include "exchange.h"

struct fleet;

/* Read the list of operators, start the thread that keeps the figures. Prints
 * the sentence on failure; closed either way. */
enum exit_code fleet_open(const struct context *context, struct fleet **fleet);
void fleet_close(struct fleet **fleet);

/* GET / and /fleet: the figures of the whole */
exchange_step fleet_overview;
/* GET /fleet/units?serial=PREFIX&batch=NAME&state=STATE&after=SERIAL */
exchange_step fleet_units;
/* GET /fleet/units/ID: one unit, and all that was done or refused of it */
exchange_step fleet_unit;
/* POST /fleet/units/ID/retire: reason, sure, token */
exchange_step fleet_retire;
/* GET /fleet/renewals?after=TIME.ID: LDevIDs that are expired, overdue or due
 */
exchange_step fleet_renewals;
/* GET /fleet/approvals?after=TIME.ID: requests for LDevIDs that wait */
exchange_step fleet_approvals;
/* POST /fleet/ldevids/ID/approve and .../refuse: token */
exchange_step fleet_approve;
exchange_step fleet_refuse;
/* POST /fleet/ldevids/ID/revoke: reason, token */
exchange_step fleet_revoke;
/* What pages are made of; everybody may have it. */
exchange_step fleet_style;
exchange_step fleet_script;
exchange_step fleet_icon;

/* A page in place of an answer that refuses. */
void fleet_refusal(struct exchange *x);

#endif
