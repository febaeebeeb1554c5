/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates that can be revoked, against what the log says was issued
 * and revoked.
 */
#include "ledger_verify.h"

/* The columns of STMT_CHECK_CERTIFICATES. */
enum {
    CERTIFICATE_NUMBER,
    CERTIFICATE_SERIAL, /* its unit's; NULL: there is none */
    CERTIFICATE_GENERATION,
    CERTIFICATE_EXPIRES,
    CERTIFICATE_REVOKED,
    CERTIFICATE_REASON,
    CERTIFICATE_OF_UNIT,       /* generation, reason */
    CERTIFICATE_OF_LDEVID = 8, /* id, NULL: it is none; generation, expires,
                                  revoked, reason */
    CERTIFICATE_OF_ENTRY = 13, /* that issued it: revision, NULL: none names it;
                                  generation */
    CERTIFICATE_OF_RETIREMENT = 15, /* time, NULL: none; detail */
    CERTIFICATE_NAMELESS = 17,      /* entries that name no number */
};

static bool is_null(const struct ledger_row *row, unsigned at)
{
    return row->values[at].kind == VALUE_NULL;
}

/* Of the same owner, until the same time, as what vouches for it. */
static bool is_as_issued(const struct ledger_row *row)
{
    const int64_t generation = row_number(row, CERTIFICATE_GENERATION);
    const unsigned ldevid = CERTIFICATE_OF_LDEVID;

    if (!is_null(row, ldevid))
        return generation == row_number(row, ldevid + 1) &&
               row_number(row, CERTIFICATE_EXPIRES) ==
                   row_number(row, ldevid + 2);
    if (row_number(row, CERTIFICATE_EXPIRES) != 0)
        return false;
    return is_null(row, CERTIFICATE_OF_ENTRY)
               ? generation >= 1 &&
                     generation <= row_number(row, CERTIFICATE_OF_UNIT)
               : generation == row_number(row, CERTIFICATE_OF_ENTRY + 1);
}

/* The unit's row has the reason, until it has a new owner; then the entry that
 * retired it has, but for older ones. */
static bool is_reason_of_unit(const struct ledger_row *row)
{
    const int64_t reason = row_number(row, CERTIFICATE_REASON);
    int said;

    if (row_number(row, CERTIFICATE_GENERATION) ==
        row_number(row, CERTIFICATE_OF_UNIT))
        return reason == row_number(row, CERTIFICATE_OF_UNIT + 1);
    return !revocation_reason(row_text(row, CERTIFICATE_OF_RETIREMENT + 1),
                              &said) ||
           reason == said;
}

/* By itself or with its unit, whichever came first. */
static bool is_revoked_rightly(const struct ledger_row *row)
{
    const unsigned ldevid = CERTIFICATE_OF_LDEVID;
    const int64_t revoked = row_number(row, CERTIFICATE_REVOKED);
    const int64_t by_itself = row_number(row, ldevid + 3);
    const bool with_unit = !is_null(row, CERTIFICATE_OF_RETIREMENT);

    if (with_unit && revoked == row_number(row, CERTIFICATE_OF_RETIREMENT) &&
        is_reason_of_unit(row))
        return true;
    if (by_itself == 0)
        return !with_unit && revoked == 0 &&
               row_number(row, CERTIFICATE_REASON) == 0;
    return revoked == by_itself &&
           row_number(row, CERTIFICATE_REASON) == row_number(row, ldevid + 4);
}

bool check_certificate(void *arg, const struct ledger_row *row)
{
    const char *number = row_text(row, CERTIFICATE_NUMBER);
    const char *serial = row_text(row, CERTIFICATE_SERIAL);

    if (is_null(row, CERTIFICATE_SERIAL))
        return check_fault(
            arg, "", 0, "the certificate %.64s is of a unit that is not there",
            number);
    if (is_null(row, CERTIFICATE_OF_LDEVID) &&
        is_null(row, CERTIFICATE_OF_ENTRY) &&
        row_number(row, CERTIFICATE_NAMELESS) == 0)
        return check_fault(
            arg, "", 0,
            "no entry speaks of the certificate %.64s of unit %.100s", number,
            serial);
    if (!is_as_issued(row))
        return check_fault(arg, "", 0,
                           "the certificate %.64s of unit %.100s is noted for "
                           "another owner, or until another time, than it was "
                           "issued",
                           number, serial);
    return is_revoked_rightly(row) ||
           check_fault(
               arg, "", 0,
               "the certificate %.64s of unit %.100s is on the list of "
               "revoked ones, or off it, without cause, or for another one",
               number, serial);
}

bool found_issued(void *arg, const struct ledger_row *row)
{
    const char *number = row_text(row, 0);

    if (*number)
        return check_fault(
            arg, "", 0,
            "the certificate %.64s was issued to unit %.100s, and "
            "is not among those that can be revoked",
            number, row_text(row, 1));
    return check_fault(arg, "", 0,
                       "unit %.100s has not as many certificates that can be "
                       "revoked as were issued to it",
                       row_text(row, 1));
}
