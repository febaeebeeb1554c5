/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every statement of the ledger, but for those by which it is verified. SQLite
 * and PostgreSQL take most of them alike: parameters are $1 and so on, whole
 * numbers BIGINT, bytes BLOB or BYTEA.
 */
#include "ledger_sql.h"

#include "ledger_ldevid.h"
#include "ledger_unit.h"

#define CHAIN_COLUMNS                                                          \
    "station, seq, head, signed_seq, signed_head, signature, signed_ms"
#define ENTRY_COLUMNS                                                          \
    "station, seq, time_ms, event, subject, revision, serial, peer, detail, "  \
    "row_digest, hash"
/* What is used is what was given out, but for what stations still hold. */
#define BATCH_COLUMNS                                                          \
    "b.name, b.product, b.token_digest, b.quota, b.quota - b.available - "     \
    "CAST((SELECT COALESCE(SUM(l.remaining), 0) FROM lease l "                 \
    "WHERE l.batch = b.name) AS BIGINT), b.closed, b.opened_ms"
#define UNIT_BY(column)                                                        \
    BOTH("SELECT " UNIT_COLUMNS " FROM unit WHERE " column " = $1")

#define LDEVID_BY(which)                                                       \
    BOTH("SELECT " LDEVID_COLUMNS " FROM ldevid WHERE " which)
#define HOLD_UNIT "SELECT serial, state, generation FROM unit WHERE id = $1"

/*
 * `granted` in batch and lease is what the last UPDATE took: RETURNING shows
 * the new values alone.
 */
#define TAKE(table, what, amount)                                              \
    "UPDATE " table " SET granted = " amount ", " what " = " what              \
    " - (" amount ") "
#define AT_MOST(column, wanted)                                                \
    "CASE WHEN " column " < " wanted " THEN " column " ELSE " wanted " END"
#define WANTED "CAST($2 AS BIGINT)"
#define TAKE_FOREIGN(lock)                                                     \
    TAKE("lease", "remaining", AT_MOST("remaining", WANTED))                   \
    "WHERE batch = $1 AND station = (SELECT station FROM lease "               \
    "WHERE batch = $1 AND remaining > 0 "                                      \
    "ORDER BY remaining DESC LIMIT 1" lock ") RETURNING granted"

/* Each of the three has an index of its own. */
#define ENTRIES_WHERE(which) "SELECT " ENTRY_COLUMNS " FROM audit WHERE " which
#define ID_OF_SERIAL "SELECT id FROM unit WHERE serial = $1"

/* By bytes, as the columns are in PostgreSQL; each unit as it is now. */
#define UNITS_PAGE(which)                                                      \
    "SELECT " UNIT_COLUMNS " FROM unit WHERE serial " which
#define WITHIN "serial >= $1 AND serial < $2 "
#define UNITS_OF_STATE(which)                                                  \
    UNITS_PAGE("IN (SELECT serial FROM unit_state WHERE state = $4 "           \
               "AND " WITHIN "AND " which                                      \
               " ORDER BY batch, serial LIMIT $3) ")
#define IN_BATCH(state)                                                        \
    "SELECT * FROM (SELECT serial FROM unit_state WHERE state = '" state       \
    "' AND batch = $4 AND " WITHIN "ORDER BY serial LIMIT $3) AS s"
#define OR " UNION ALL "

#define DUE_MS "(not_before_ms + (not_after_ms - not_before_ms) / 3 * 2)"

/* clang-format off */
static const char *const statements[STMT_CHECKS][DIALECT_COUNT] = {
    [STMT_BEGIN] = {"BEGIN IMMEDIATE", "BEGIN"},
    [STMT_BEGIN_READ] = {"BEGIN",
                         "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
    [STMT_COMMIT] = BOTH("COMMIT"),
    [STMT_ROLLBACK] = BOTH("ROLLBACK"),
    [STMT_LOCK_CHAIN] = {
        "SELECT seq, head FROM chain WHERE station = $1",
        "SELECT seq, head FROM chain WHERE station = $1 FOR UPDATE"},
    [STMT_NEW_CHAIN] = BOTH(
        "INSERT INTO chain (" CHAIN_COLUMNS ") "
        "VALUES ($1, 0, $2, 0, '', NULL, 0) ON CONFLICT DO NOTHING"),
    [STMT_PUT_CHAIN] = BOTH(
        "UPDATE chain SET seq = $2, head = $3 WHERE station = $1"),
    [STMT_SEAL_CHAIN] = BOTH(
        "UPDATE chain SET signed_seq = $2, signed_head = $3, signature = $4, "
        "signed_ms = $5 WHERE station = $1 AND signed_seq <= $2"),
    [STMT_PUT_ENTRY] = BOTH(
        "INSERT INTO audit (" ENTRY_COLUMNS ") "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"),
    [STMT_GET_ENTRY] = BOTH(
        "SELECT hash FROM audit WHERE station = $1 AND seq = $2"),
    [STMT_GET_BATCH] = BOTH("SELECT closed FROM batch WHERE name = $1"),
    [STMT_LOCK_BATCH] = {
        "SELECT closed FROM batch WHERE name = $1",
        "SELECT closed FROM batch WHERE name = $1 FOR UPDATE"},
    [STMT_TAKE_LEASE] = BOTH(
        TAKE("lease", "remaining", AT_MOST("remaining", WANTED))
        "WHERE batch = $1 AND station = $3 AND remaining > 0 "
        "RETURNING granted"),
    [STMT_TAKE_BLOCK] = BOTH(
        TAKE("batch", "available", AT_MOST("available", WANTED))
        "WHERE name = $1 AND closed = 0 AND available > 0 RETURNING granted"),
    [STMT_TAKE_FOREIGN] = {TAKE_FOREIGN(""), TAKE_FOREIGN(" FOR UPDATE")},
    [STMT_GIVE_LEASE] = BOTH(
        "INSERT INTO lease (batch, station, remaining, granted) "
        "VALUES ($1, $3, $2, 0) ON CONFLICT (batch, station) DO UPDATE "
        "SET remaining = lease.remaining + " WANTED),
    [STMT_PUT_BATCH] = BOTH(
        "INSERT INTO batch (name, product, token_digest, quota, available, "
        "granted, closed, opened_ms) "
        "VALUES ($1, $2, $3, $4, $4, 0, 0, $5) "
        "ON CONFLICT DO NOTHING RETURNING name"),
    [STMT_SHUT_BATCH] = BOTH(
        "UPDATE batch SET closed = 1 WHERE name = $1 AND closed = 0 "
        "RETURNING name"),
    [STMT_PUT_UNIT] = BOTH(
        "INSERT INTO unit (" UNIT_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, "
        "$7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, "
        "$21, $22, $23, $24, $25, $26) "
        "ON CONFLICT DO NOTHING RETURNING revision"),
    [STMT_SET_UNIT] = BOTH(
        "UPDATE unit SET serial = $2, model = $3, mac = $4, batch = $5, "
        "operator_name = $6, station = $7, ek_digest = $8, iak_name = $9, "
        "idevid_name = $10, state = $11, attested = $12, generation = $13, "
        "enrolled_ms = $14, changed_ms = $15, challenge_digest = $16, "
        "challenge_expires_ms = $17, ek_cert = $18, iak_cert = $19, "
        "idevid_cert = $20, escrow = $21, keys = $22, "
        "hw_serial = $23, reason = $24, revision = $25, challenge = $26 "
        "WHERE id = $1 AND revision = $25 - 1 RETURNING revision"),
    /* A long value that stays must not be written again, nor an index of
     * SQLite's, which writes those of all columns that are named here. */
    [STMT_STEP_UNIT] = BOTH(
        "UPDATE unit SET state = $2, changed_ms = $3, challenge_digest = $4, "
        "challenge_expires_ms = $5, iak_cert = COALESCE(iak_cert, $6), "
        "idevid_cert = COALESCE(idevid_cert, $7), escrow = CASE "
        "WHEN escrow = $8 THEN escrow ELSE $8 END, reason = $9, "
        "revision = $10, challenge = $11 "
        "WHERE id = $1 AND revision = $10 - 1 RETURNING revision"),
    [STMT_UNIT_BY_ID] = UNIT_BY("id"),
    [STMT_UNIT_BY_SERIAL] = UNIT_BY("serial"),
    [STMT_UNIT_BY_EK] = UNIT_BY("ek_digest"),
    [STMT_UNIT_BY_IAK] = UNIT_BY("iak_name"),
    [STMT_UNIT_BY_IDEVID] = UNIT_BY("idevid_name"),
    [STMT_UNIT_BY_MAC] = UNIT_BY("mac"),
    [STMT_PUT_CERTIFICATE] = BOTH(
        "INSERT INTO certificate (number, subject, generation, expires_ms, "
        "revoked_ms, reason) VALUES ($1, $2, $3, $4, 0, 0) "
        "ON CONFLICT DO NOTHING RETURNING number"),
    [STMT_REVOKE] = BOTH(
        "UPDATE certificate SET revoked_ms = $2, reason = $3 "
        "WHERE subject = $1 AND revoked_ms = 0"),
    [STMT_REVOKE_NUMBER] = BOTH(
        "UPDATE certificate SET revoked_ms = $2, reason = $3 "
        "WHERE number = $1 AND revoked_ms = 0"),
    [STMT_HOLD_UNIT] = {HOLD_UNIT, HOLD_UNIT " FOR SHARE"},
    [STMT_PUT_LDEVID] = BOTH(
        "INSERT INTO ldevid (" LDEVID_COLUMNS ") VALUES ($1, $2, $3, $4, $5, "
        "$6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
        "$20, $21, $22) ON CONFLICT DO NOTHING RETURNING revision"),
    [STMT_SET_LDEVID] = BOTH(
        "UPDATE ldevid SET unit = $2, serial = $3, label = $4, "
        "key_digest = $5, subject = $6, state = $7, generation = $8, "
        "renewal = $9, number = $10, renews = $11, station = $12, "
        "asked_ms = $13, changed_ms = $14, issued_ms = $15, "
        "not_before_ms = $16, not_after_ms = $17, revoked_ms = $18, "
        "reason = $19, request = $20, certificate = $21, revision = $22 "
        "WHERE id = $1 AND revision = $22 - 1 RETURNING revision"),
    [STMT_GET_CERTIFICATE] = BOTH(
        "SELECT subject, revoked_ms, reason FROM certificate "
        "WHERE number = $1"),
    [STMT_REVOCATIONS] = BOTH(
        "SELECT COUNT(*), COALESCE(MAX(revoked_ms), 0) FROM certificate "
        "WHERE revoked_ms > 0"),
    [STMT_LDEVID_BY_ID] = LDEVID_BY("id = $1"),
    [STMT_LDEVID_BY_NUMBER] = LDEVID_BY("number = $1"),
    [STMT_LDEVID_BY_KEY] = LDEVID_BY(
        "key_digest = $1 ORDER BY id DESC LIMIT 1"),
    [STMT_LDEVID_OF_UNIT] = LDEVID_BY(
        "unit = $1 AND label = $2 AND state = 'issued' "
        "ORDER BY id DESC LIMIT 1"),
    [STMT_BATCH_BY_NAME] = BOTH(
        "SELECT " BATCH_COLUMNS " FROM batch b WHERE b.name = $1"),
    [STMT_BATCH_BY_TOKEN] = BOTH(
        "SELECT " BATCH_COLUMNS " FROM batch b WHERE b.token_digest = $1"),

    [STMT_UNITS] = BOTH(
        "SELECT " UNIT_COLUMNS " FROM unit WHERE ($1 = '' OR batch = $1) "
        "AND ($2 = '' OR model = $2) AND ($3 = '' OR state = $3) "
        "AND enrolled_ms >= $4 ORDER BY id"),
    [STMT_UNITS_PAGE] = BOTH(
        UNITS_PAGE(">= $1 AND serial < $2 ORDER BY serial LIMIT $3")),
    /* The first of each state, and the first of these. */
    [STMT_UNITS_PAGE_BATCH] = BOTH(UNITS_PAGE("IN ("
        IN_BATCH("seen") OR IN_BATCH("ek-verified") OR IN_BATCH("certified")
        OR IN_BATCH("activated") OR IN_BATCH("issued") OR IN_BATCH("installed")
        OR IN_BATCH("tested") OR IN_BATCH("locked") OR IN_BATCH("retired")
        ") ORDER BY serial LIMIT $3")),
    [STMT_UNITS_PAGE_STATE] = {
        UNITS_OF_STATE("(batch, serial) > ($5, $6)") "ORDER BY batch, serial",
        UNITS_OF_STATE("(batch, serial) > ($5, $6)")
        "ORDER BY batch COLLATE \"C\", serial"},
    [STMT_UNITS_PAGE_BOTH] = BOTH(
        UNITS_OF_STATE("batch = $5") "ORDER BY serial"),
    [STMT_TALLIES] = BOTH(
        "SELECT batch, state, COUNT(*) FROM unit_state GROUP BY state, batch "
        "ORDER BY batch"),
    /* By id, which begins with the time, though others have the batch. */
    [STMT_PACES] = BOTH(
        "SELECT u.enrolled_ms, COALESCE((SELECT MAX(a.time_ms) FROM audit a "
        "WHERE a.subject = u.id AND a.revision > 0 "
        "AND a.event IN ('issue', 'advance')), 0) FROM unit u "
        "WHERE u.id >= $2 AND CASE WHEN u.batch = $1 THEN 1 ELSE 0 END = 1 "
        "ORDER BY u.id DESC LIMIT $3"),
    /* CROSS: from the few that were refused to their units, not the other way. */
    [STMT_STUMBLED] = BOTH(
        "SELECT COUNT(*) FROM (SELECT subject FROM audit WHERE revision = 0 "
        "AND subject <> '' AND event = 'refuse' UNION SELECT v.id "
        "FROM audit a JOIN unit v ON v.serial = a.serial "
        "WHERE a.subject = '' AND a.serial <> '') r CROSS JOIN unit u "
        "WHERE u.id = r.subject AND u.batch = $1 AND u.state IN "
        "('issued', 'installed', 'tested', 'locked', 'retired')"),
    [STMT_NEWEST_BATCH] = BOTH(
        "SELECT batch FROM unit ORDER BY id DESC LIMIT 1"),
    /* Of what no later one has taken the place of, of units in use. A device
     * renews at two thirds of a lifetime at the latest. */
    [STMT_RENEWALS] = BOTH(
        "SELECT CASE WHEN not_after_ms < $1 THEN -2 WHEN " DUE_MS " < $1 "
        "THEN -1 ELSE (" DUE_MS " - $1) / 86400000 END AS day, COUNT(*) "
        "FROM ldevid l WHERE state = 'issued' AND revoked_ms = 0 "
        "AND not_after_ms >= $2 AND NOT EXISTS (SELECT 1 FROM ldevid n "
        "WHERE n.renews = l.number AND n.renews <> '' "
        "AND n.state = 'issued') AND EXISTS (SELECT 1 FROM unit u "
        "WHERE u.id = l.unit AND u.state <> 'retired' "
        "AND u.generation = l.generation) GROUP BY 1 UNION ALL "
        "SELECT -3, COUNT(*) FROM ldevid WHERE state = 'pending'"),
    [STMT_BATCHES] = BOTH(
        "SELECT " BATCH_COLUMNS " FROM batch b ORDER BY b.opened_ms, b.name"),
    [STMT_REVOKED] = BOTH(
        "SELECT number, subject, reason, revoked_ms FROM certificate "
        "WHERE revoked_ms > 0 AND (expires_ms = 0 OR expires_ms > $1) "
        "ORDER BY revoked_ms, number"),
    [STMT_LDEVIDS_OF_UNIT] = BOTH(
        "SELECT " LDEVID_COLUMNS " FROM ldevid WHERE unit = $1 "
        "AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT $3"),
    /* What no later one has taken the place of, of units that are in use. */
    [STMT_LDEVIDS_ENDING] = BOTH(
        "SELECT " LDEVID_COLUMNS " FROM ldevid l WHERE state = 'issued' "
        "AND revoked_ms = 0 AND not_after_ms >= $1 AND not_after_ms < $2 "
        "AND (not_after_ms, id) > ($3, $4) AND NOT EXISTS (SELECT 1 "
        "FROM ldevid n WHERE n.renews = l.number AND n.renews <> '' "
        "AND n.state = 'issued') AND EXISTS (SELECT 1 FROM unit u "
        "WHERE u.id = l.unit AND u.state <> 'retired' "
        "AND u.generation = l.generation) "
        "ORDER BY not_after_ms, id LIMIT $5"),
    [STMT_LDEVIDS_PENDING] = BOTH(
        "SELECT " LDEVID_COLUMNS " FROM ldevid WHERE state = 'pending' "
        "AND (asked_ms, id) > ($1, $2) ORDER BY asked_ms, id LIMIT $3"),
    [STMT_ENTRIES] = BOTH(
        "SELECT " ENTRY_COLUMNS " FROM audit ORDER BY station, seq"),
    [STMT_ENTRIES_OF_UNIT] = BOTH(
        ENTRIES_WHERE("subject IN (" ID_OF_SERIAL ") AND revision > 0")
        " UNION ALL "
        ENTRIES_WHERE("subject IN (" ID_OF_SERIAL ") AND subject <> '' "
                      "AND revision = 0") " UNION ALL "
        ENTRIES_WHERE("subject IN (SELECT 'ldevid:' || id FROM ldevid "
                      "WHERE unit IN (" ID_OF_SERIAL ")) AND revision > 0")
        " UNION ALL "
        ENTRIES_WHERE("subject = '' AND serial = $1")
        " ORDER BY time_ms, station, seq"),
    [STMT_FORMER_ESCROWS] = BOTH(
        "SELECT replaced_ms, escrow FROM former_escrow WHERE unit = $1 "
        "ORDER BY revision DESC"),
    [STMT_CHAINS] = BOTH(
        "SELECT " CHAIN_COLUMNS " FROM chain ORDER BY station"),
};
/* clang-format on */

const char *ledger_sql(enum ledger_dialect dialect, enum ledger_stmt stmt)
{
    return stmt < STMT_CHECKS ? statements[stmt][dialect]
                              : ledger_sql_check(dialect, stmt);
}
