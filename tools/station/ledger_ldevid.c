/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_ldevid.h"

#include <stdio.h>
#include <string.h>

#include "ledger_member.h"

static const char *const state_names[] = {
    [LDEVID_PENDING] = "pending",
    [LDEVID_APPROVED] = "approved",
    [LDEVID_ISSUED] = "issued",
    [LDEVID_REFUSED] = "refused",
    NULL,
};

const char *ldevid_state_name(enum ldevid_state state)
{
    return state_names[state];
}

/* In the order of LDEVID_COLUMNS. */
static const struct member list[LDEVID_VALUES] = {
    MEMBER(ledger_ldevid, MEMBER_TEXT, id),
    MEMBER(ledger_ldevid, MEMBER_TEXT, unit),
    MEMBER(ledger_ldevid, MEMBER_TEXT, serial),
    MEMBER(ledger_ldevid, MEMBER_TEXT, label),
    MEMBER(ledger_ldevid, MEMBER_TEXT, key_digest),
    MEMBER(ledger_ldevid, MEMBER_TEXT, subject),
    MEMBER_OF(ledger_ldevid, state, state_names),
    MEMBER(ledger_ldevid, MEMBER_COUNT, generation),
    MEMBER(ledger_ldevid, MEMBER_COUNT, renewal),
    MEMBER(ledger_ldevid, MEMBER_NAME, number),
    MEMBER(ledger_ldevid, MEMBER_TEXT, renews),
    MEMBER(ledger_ldevid, MEMBER_TEXT, station),
    MEMBER(ledger_ldevid, MEMBER_TIME, asked_ms),
    MEMBER(ledger_ldevid, MEMBER_TIME, changed_ms),
    MEMBER(ledger_ldevid, MEMBER_TIME, issued_ms),
    MEMBER(ledger_ldevid, MEMBER_TIME, not_before_ms),
    MEMBER(ledger_ldevid, MEMBER_TIME, not_after_ms),
    MEMBER(ledger_ldevid, MEMBER_TIME, revoked_ms),
    MEMBER(ledger_ldevid, MEMBER_REASON, reason),
    MEMBER(ledger_ldevid, MEMBER_BLOB, request),
    MEMBER(ledger_ldevid, MEMBER_BLOB, cert),
    MEMBER(ledger_ldevid, MEMBER_TIME, revision),
};
static const struct members members = {list, LDEVID_VALUES};

void ldevid_to_values(const struct ledger_ldevid *ldevid,
                      struct ledger_value values[LDEVID_VALUES])
{
    members_to_values(&members, ldevid, values);
}

bool ldevid_from_row(const struct ledger_row *row, struct ledger_ldevid *ldevid)
{
    *ldevid = (struct ledger_ldevid){0};
    return members_from_row(&members, row, ldevid);
}

bool ldevid_copy(const struct ledger_ldevid *from, struct ledger_ldevid *to)
{
    *to = *from;
    return members_own_blobs(&members, to);
}

void ledger_ldevid_clear(struct ledger_ldevid *ldevid)
{
    members_free_blobs(&members, ldevid);
    *ldevid = (struct ledger_ldevid){0};
}
