/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements by which rows are held against the log: each gives the rows of
 * a table and what the log has of them, or what is at fault.
 */
#include "ledger_ldevid.h"
#include "ledger_sql.h"
#include "ledger_unit.h"

/* clang-format off */
#define SAME_STATE                                                             \
    "s.serial = u.serial AND s.batch = u.batch AND s.state = u.state"

/* Entries of a unit that changed its row. */
#define EVENT_OF(entry, unit, name)                                            \
    entry ".subject = " unit " AND " entry ".revision > 0 "                    \
    "AND " entry ".event = '" name "' "

/* An issue entry's detail is one number, or two with a space between; older
 * ones have none. `at` is what the dialect calls the place of a text. */
#define END_OF_FIRST(at) at "(detail || ' ', ' ')"
#define ISSUED_NUMBER(of)                                                      \
    "SELECT subject, serial, " of " AS number FROM audit "                     \
    "WHERE event = 'issue' AND revision > 0 UNION ALL "
/* Of each certificate that was issued, where there is no row; and units that
 * have more or fewer rows than certificates. */
#define CHECK_ISSUED(at)                                                       \
    "SELECT n.number, n.serial FROM ("                                         \
    ISSUED_NUMBER("substr(detail, 1, " END_OF_FIRST(at) " - 1)")               \
    ISSUED_NUMBER("substr(detail, " END_OF_FIRST(at) " + 1)")                  \
    "SELECT unit, serial, number FROM ldevid WHERE state = 'issued') n "       \
    "WHERE n.number <> '' AND NOT EXISTS (SELECT 1 FROM certificate c "        \
    "WHERE c.number = n.number AND c.subject = n.subject) UNION ALL "          \
    "SELECT '', u.serial FROM unit u WHERE (SELECT COUNT(*) "                  \
    "FROM certificate c WHERE c.subject = u.id "                               \
    "AND c.generation = u.generation AND NOT EXISTS (SELECT 1 "                \
    "FROM ldevid l WHERE l.number = c.number)) "                               \
    "<> CASE WHEN u.idevid_cert IS NULL THEN 0 "                               \
    "WHEN u.iak_cert IS NULL THEN 1 ELSE 2 END LIMIT 1"

#define RETIRED_BEFORE(entry)                                                  \
    "(SELECT COUNT(*) FROM audit p WHERE "                                     \
    EVENT_OF("p", "c.subject", "retire")                                       \
    "AND p.revision < " entry ".revision)"
/* In the order of CERTIFICATE_... in ledger_verify_certificates.c. What is
 * issued to the owner of generation N is revoked when the unit is retired the
 * Nth time. */
#define CHECK_CERTIFICATES(at)                                                 \
    "SELECT c.number, u.serial, c.generation, c.expires_ms, c.revoked_ms, "    \
    "c.reason, u.generation, u.reason, l.id, l.generation, l.not_after_ms, "   \
    "l.revoked_ms, l.reason, i.revision, 1 + " RETIRED_BEFORE("i") ", "        \
    "r.time_ms, r.detail, (SELECT COUNT(*) FROM audit o WHERE "                \
    EVENT_OF("o", "c.subject", "issue") "AND o.detail = '') "                  \
    "FROM certificate c LEFT JOIN unit u ON u.id = c.subject "                 \
    "LEFT JOIN ldevid l ON l.number = c.number AND l.unit = c.subject "        \
    "LEFT JOIN audit i ON " EVENT_OF("i", "c.subject", "issue")                \
    "AND " at "(' ' || i.detail || ' ', ' ' || c.number || ' ') > 0 "          \
    "LEFT JOIN audit r ON " EVENT_OF("r", "c.subject", "retire")               \
    "AND " RETIRED_BEFORE("r") " = c.generation - 1"

static const char *const statements[STMT_COUNT - STMT_CHECKS][DIALECT_COUNT] = {
    [STMT_CHECK_UNITS - STMT_CHECKS] = BOTH(
        "SELECT " UNIT_SEALED_COLUMNS ", a.row_digest, a.of_station, a.of_seq "
        "FROM unit LEFT JOIN (SELECT subject AS of_subject, "
        "revision AS of_revision, row_digest, station AS of_station, "
        "seq AS of_seq FROM audit WHERE revision > 0) a "
        "ON a.of_subject = id AND a.of_revision = revision ORDER BY id"),
    /* With a 1 where more is left of the quota than its units leave; a unit
     * that went on to another batch, for a new owner, is not counted. */
    [STMT_CHECK_BATCHES - STMT_CHECKS] = BOTH(
        "SELECT b.name, b.product, b.token_digest, b.quota, b.closed, "
        "b.opened_ms, a.row_digest, a.station, a.seq, "
        "CAST(CASE WHEN b.available > b.quota - COALESCE(l.leased, 0) "
        "- COALESCE(u.units, 0) THEN 1 ELSE 0 END AS BIGINT) "
        "FROM batch b LEFT JOIN audit a ON a.subject = 'batch:' || b.name "
        "AND a.revision = b.closed + 1 AND a.revision > 0 LEFT JOIN "
        "(SELECT batch, SUM(remaining) AS leased FROM lease GROUP BY batch) l "
        "ON l.batch = b.name LEFT JOIN "
        "(SELECT batch, COUNT(*) AS units FROM unit GROUP BY batch) u "
        "ON u.batch = b.name ORDER BY b.name"),
    [STMT_CHECK_LDEVIDS - STMT_CHECKS] = BOTH(
        "SELECT " LDEVID_COLUMNS ", a.row_digest, a.of_station, a.of_seq "
        "FROM ldevid LEFT JOIN (SELECT subject AS of_subject, "
        "revision AS of_revision, row_digest, station AS of_station, "
        "seq AS of_seq FROM audit WHERE revision > 0) a "
        "ON a.of_subject = 'ldevid:' || id AND a.of_revision = revision "
        "ORDER BY id"),
    /* The row of an entry is gone, or older than the entry. */
    [STMT_CHECK_LOST - STMT_CHECKS] = BOTH(
        "SELECT a.station, a.seq, a.serial FROM audit a WHERE a.revision > 0 "
        "AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.id = a.subject "
        "AND u.revision >= a.revision) "
        "AND NOT EXISTS (SELECT 1 FROM batch b "
        "WHERE 'batch:' || b.name = a.subject AND b.closed + 1 >= a.revision) "
        "AND NOT EXISTS (SELECT 1 FROM ldevid l "
        "WHERE 'ldevid:' || l.id = a.subject AND l.revision >= a.revision) "
        "ORDER BY a.station, a.seq LIMIT 1"),
    [STMT_CHECK_ISSUED - STMT_CHECKS] = {
        CHECK_ISSUED("instr"), CHECK_ISSUED("strpos")},
    [STMT_CHECK_CERTIFICATES - STMT_CHECKS] = {
        CHECK_CERTIFICATES("instr"), CHECK_CERTIFICATES("strpos")},
    [STMT_CHECK_STATES - STMT_CHECKS] = BOTH(
        "SELECT u.serial FROM unit u WHERE NOT EXISTS (SELECT 1 "
        "FROM unit_state s WHERE " SAME_STATE ") UNION ALL "
        "SELECT s.serial FROM unit_state s WHERE NOT EXISTS (SELECT 1 "
        "FROM unit u WHERE " SAME_STATE ") LIMIT 1"),
};
/* clang-format on */

const char *ledger_sql_check(enum ledger_dialect dialect, enum ledger_stmt stmt)
{
    return statements[stmt - STMT_CHECKS][dialect];
}
