/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger's tables: as they were first, and what each version since has
 * changed. A new ledger goes through all of them, as an old one does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_store.h"

/* clang-format off */
/* `bytes` is what the dialect calls a column of them. */
#define VERSION_1(bytes)                                                          \
    "CREATE TABLE ledger (version BIGINT NOT NULL)",                           \
    "INSERT INTO ledger (version) VALUES (1)",                                 \
    "CREATE TABLE batch (name TEXT NOT NULL PRIMARY KEY, "                     \
    "product TEXT NOT NULL, token_digest TEXT NOT NULL UNIQUE, "               \
    "quota BIGINT NOT NULL, "                                                  \
    "available BIGINT NOT NULL CHECK (available >= 0), "                       \
    "granted BIGINT NOT NULL, closed BIGINT NOT NULL, "                        \
    "opened_ms BIGINT NOT NULL)",                                              \
    "CREATE TABLE lease (batch TEXT NOT NULL, station TEXT NOT NULL, "         \
    "remaining BIGINT NOT NULL CHECK (remaining >= 0), "                       \
    "granted BIGINT NOT NULL, PRIMARY KEY (batch, station))",                  \
    "CREATE TABLE unit (id TEXT NOT NULL PRIMARY KEY, "                        \
    "serial TEXT NOT NULL UNIQUE, model TEXT NOT NULL, mac TEXT UNIQUE, "      \
    "batch TEXT NOT NULL, operator_name TEXT NOT NULL, "                       \
    "station TEXT NOT NULL, ek_digest TEXT UNIQUE, iak_name TEXT UNIQUE, "     \
    "idevid_name TEXT UNIQUE, state TEXT NOT NULL, attested BIGINT NOT NULL, " \
    "generation BIGINT NOT NULL, enrolled_ms BIGINT NOT NULL, "                \
    "changed_ms BIGINT NOT NULL, challenge_digest TEXT NOT NULL, "             \
    "challenge_expires_ms BIGINT NOT NULL, ek_cert " bytes ", "                \
    "iak_cert " bytes ", idevid_cert " bytes ", escrow " bytes ", "            \
    "keys " bytes ", hw_serial TEXT NOT NULL, reason BIGINT NOT NULL, "        \
    "revision BIGINT NOT NULL)",                                               \
    "CREATE TABLE certificate (number TEXT NOT NULL PRIMARY KEY, "             \
    "subject TEXT NOT NULL, generation BIGINT NOT NULL, "                      \
    "revoked_ms BIGINT NOT NULL, reason BIGINT NOT NULL)",                     \
    "CREATE INDEX certificate_of_unit ON certificate (subject)",               \
    "CREATE INDEX certificate_revoked ON certificate (revoked_ms) "            \
    "WHERE revoked_ms > 0",                                                    \
    "CREATE TABLE chain (station TEXT NOT NULL PRIMARY KEY, "                  \
    "seq BIGINT NOT NULL, head TEXT NOT NULL, signed_seq BIGINT NOT NULL, "    \
    "signed_head TEXT NOT NULL, signature " bytes ", "                         \
    "signed_ms BIGINT NOT NULL)",                                              \
    "CREATE TABLE audit (station TEXT NOT NULL, seq BIGINT NOT NULL, "         \
    "time_ms BIGINT NOT NULL, event TEXT NOT NULL, subject TEXT NOT NULL, "    \
    "revision BIGINT NOT NULL, serial TEXT NOT NULL, peer TEXT NOT NULL, "     \
    "detail TEXT NOT NULL, row_digest TEXT NOT NULL, hash TEXT NOT NULL, "     \
    "PRIMARY KEY (station, seq))",                                             \
    "CREATE UNIQUE INDEX audit_of_row ON audit (subject, revision) "           \
    "WHERE revision > 0",                                                      \
    "CREATE INDEX audit_without_row ON audit (subject) "                       \
    "WHERE revision = 0 AND subject <> ''",                                    \
    "CREATE INDEX audit_without_unit ON audit (serial) WHERE subject = ''"

/* LDevIDs; when a certificate that may be revoked expires (0: never). */
#define VERSION_2(bytes)                                                       \
    "CREATE TABLE ldevid (id TEXT NOT NULL PRIMARY KEY, "                      \
    "unit TEXT NOT NULL, serial TEXT NOT NULL, label TEXT NOT NULL, "          \
    "key_digest TEXT NOT NULL, subject TEXT NOT NULL, state TEXT NOT NULL, "   \
    "generation BIGINT NOT NULL, renewal BIGINT NOT NULL, "                    \
    "number TEXT UNIQUE, renews TEXT NOT NULL, station TEXT NOT NULL, "        \
    "asked_ms BIGINT NOT NULL, changed_ms BIGINT NOT NULL, "                   \
    "issued_ms BIGINT NOT NULL, not_before_ms BIGINT NOT NULL, "               \
    "not_after_ms BIGINT NOT NULL, revoked_ms BIGINT NOT NULL, "               \
    "reason BIGINT NOT NULL, request " bytes ", certificate " bytes ", "       \
    "revision BIGINT NOT NULL)",                                               \
    "CREATE UNIQUE INDEX ldevid_of_key "                                       \
    "ON ldevid (key_digest, generation, renews)",                              \
    "CREATE INDEX ldevid_newest ON ldevid (key_digest, id)",                   \
    "CREATE INDEX ldevid_of_unit ON ldevid (unit, id)",                        \
    "CREATE INDEX ldevid_renews ON ldevid (renews) WHERE renews <> ''",        \
    "CREATE INDEX ldevid_ending ON ldevid (not_after_ms, id) "                 \
    "WHERE state = 'issued'",                                                  \
    "CREATE INDEX ldevid_pending ON ldevid (asked_ms, id) "                    \
    "WHERE state = 'pending'",                                                 \
    "ALTER TABLE certificate ADD COLUMN expires_ms BIGINT NOT NULL DEFAULT 0", \
    "UPDATE ledger SET version = 2"

/* A unit's challenge, to be given again. For lists by pages: serial numbers by
 * their bytes, whatever order the database has for texts. */
#define VERSION_3(bytes, bytewise)                                             \
    "ALTER TABLE unit ADD COLUMN challenge " bytes,                            \
    "CREATE INDEX unit_by_serial ON unit (serial" bytewise ")",                \
    "CREATE INDEX unit_of_state ON unit (state, serial" bytewise ")",          \
    "CREATE INDEX unit_of_batch ON unit (batch, serial" bytewise ", state)",   \
    "UPDATE ledger SET version = 3"

/*
 * No index of a unit has a column that its steps change: in PostgreSQL each of
 * them would be written again at each step, where so the row alone is, within
 * its page (HOT), for which the page keeps room and what is long lies
 * elsewhere. What lists and counts units by state and batch is a table of its
 * own, which follows the rows: what a line is at lies close together in it.
 */
#define VERSION_4(bytewise)                                                    \
    "DROP INDEX unit_by_serial", "DROP INDEX unit_of_state",                   \
    "DROP INDEX unit_of_batch",                                                \
    "CREATE TABLE unit_state (state TEXT" bytewise " NOT NULL, "               \
    "batch TEXT" bytewise " NOT NULL, serial TEXT" bytewise " NOT NULL, "      \
    "PRIMARY KEY (state, batch, serial))"
#define STATES_OF_UNITS                                                        \
    "INSERT INTO unit_state (state, batch, serial) "                           \
    "SELECT state, batch, serial FROM unit"
#define NEW_STATE                                                              \
    "INSERT INTO unit_state (state, batch, serial) "                           \
    "VALUES (NEW.state, NEW.batch, NEW.serial); "
#define NEXT_STATE                                                             \
    "UPDATE unit_state SET state = NEW.state, batch = NEW.batch, "             \
    "serial = NEW.serial " WHERE_OLD_STATE
#define WHERE_OLD_STATE                                                        \
    "WHERE state = OLD.state AND batch = OLD.batch AND serial = OLD.serial; "
#define OLD_STATE "DELETE FROM unit_state " WHERE_OLD_STATE

/* What a unit's escrow was before it was replaced, and by which of its row's
 * revisions: its TPM may still be locked by that. */
#define VERSION_5(bytes)                                                       \
    "CREATE TABLE former_escrow (unit TEXT NOT NULL, "                         \
    "revision BIGINT NOT NULL, replaced_ms BIGINT NOT NULL, "                  \
    "escrow " bytes " NOT NULL, PRIMARY KEY (unit, revision))"
#define KEEP_ESCROW                                                            \
    "INSERT INTO former_escrow (unit, revision, replaced_ms, escrow) "         \
    "VALUES (OLD.id, NEW.revision, NEW.changed_ms, OLD.escrow); "
#define ESCROW_CHANGES                                                         \
    "OLD.escrow IS NOT NULL AND (NEW.escrow IS NULL "                          \
    "OR NEW.escrow <> OLD.escrow)"
static const char *const sqlite_1[] = {VERSION_1("BLOB"), NULL};
static const char *const sqlite_2[] = {VERSION_2("BLOB"), NULL};
static const char *const sqlite_3[] = {VERSION_3("BLOB", ""), NULL};
static const char *const sqlite_4[] = {
    VERSION_4("") " WITHOUT ROWID",
    STATES_OF_UNITS,
    "CREATE TRIGGER unit_is_new AFTER INSERT ON unit BEGIN " NEW_STATE "END",
    "CREATE TRIGGER unit_goes_on AFTER UPDATE OF state, batch, serial ON unit "
    "WHEN OLD.state <> NEW.state OR OLD.batch <> NEW.batch "
    "OR OLD.serial <> NEW.serial BEGIN " NEXT_STATE "END",
    "CREATE TRIGGER unit_is_gone AFTER DELETE ON unit BEGIN " OLD_STATE "END",
    "UPDATE ledger SET version = 4",
    NULL};
static const char *const sqlite_5[] = {
    VERSION_5("BLOB"),
    "CREATE TRIGGER unit_had_escrow AFTER UPDATE OF escrow ON unit "
    "WHEN " ESCROW_CHANGES " BEGIN " KEEP_ESCROW "END",
    "UPDATE ledger SET version = 5",
    NULL};
static const char *const postgres_1[] = {VERSION_1("BYTEA"), NULL};
static const char *const postgres_2[] = {VERSION_2("BYTEA"), NULL};
static const char *const postgres_3[] = {VERSION_3("BYTEA", " COLLATE \"C\""), NULL};
static const char *const postgres_4[] = {
    VERSION_4(" COLLATE \"C\""),
    /* The index that keeps it unique serves lists, too. */
    "ALTER TABLE unit ALTER COLUMN serial TYPE TEXT COLLATE \"C\"",
    STATES_OF_UNITS,
    "CREATE FUNCTION unit_state_follows() RETURNS trigger LANGUAGE plpgsql "
    "AS $$BEGIN IF TG_OP = 'INSERT' THEN " NEW_STATE
    "ELSIF TG_OP = 'UPDATE' THEN " NEXT_STATE "ELSE " OLD_STATE "END IF; "
    "RETURN NULL; END$$",
    "CREATE TRIGGER unit_is_new AFTER INSERT OR DELETE ON unit "
    "FOR EACH ROW EXECUTE FUNCTION unit_state_follows()",
    "CREATE TRIGGER unit_goes_on AFTER UPDATE OF state, batch, serial ON unit "
    "FOR EACH ROW WHEN (OLD.state <> NEW.state OR OLD.batch <> NEW.batch "
    "OR OLD.serial <> NEW.serial) EXECUTE FUNCTION unit_state_follows()",
    "ALTER TABLE unit SET (fillfactor = 60, toast_tuple_target = 1024)",
    "UPDATE ledger SET version = 4",
    NULL};
static const char *const postgres_5[] = {
    VERSION_5("BYTEA"),
    "CREATE FUNCTION unit_escrow_is_kept() RETURNS trigger LANGUAGE plpgsql "
    "AS $$BEGIN " KEEP_ESCROW "RETURN NULL; END$$",
    "CREATE TRIGGER unit_had_escrow AFTER UPDATE OF escrow ON unit "
    "FOR EACH ROW WHEN (" ESCROW_CHANGES ") "
    "EXECUTE FUNCTION unit_escrow_is_kept()",
    "UPDATE ledger SET version = 5",
    NULL};
/* clang-format on */

static const char *const *const versions[LEDGER_VERSION][DIALECT_COUNT] = {
    {sqlite_1, postgres_1}, {sqlite_2, postgres_2}, {sqlite_3, postgres_3},
    {sqlite_4, postgres_4}, {sqlite_5, postgres_5},
};

const char *const *ledger_schema(enum ledger_dialect dialect, int version)
{
    return versions[version - 1][dialect];
}

enum devid_err ledger_version_check(const char *name, const char *found,
                                    bool change, int *version,
                                    struct devid_error *err)
{
    long number = strtol(found, NULL, 10);

    *version = (int)number;
    if (*found == '\0' || number == LEDGER_VERSION)
        return DEVID_OK;
    if (number > 0 && number < LEDGER_VERSION && change)
        return DEVID_OK;
    return ledger_fail(err, DEVID_ERR_INPUT,
                       "the %s has tables of version %s, this program knows "
                       "version %d%s",
                       name, found, LEDGER_VERSION,
                       number > 0 && number < LEDGER_VERSION
                           ? ": devid-station serve, and each command that "
                             "writes, brings them up to it"
                           : "");
}
