/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log is read from its first entry to its heads, and the rows of
 * units and batches are held against it: in one view of the database, while
 * stations go on writing.
 */
#include <stdio.h>
#include <string.h>

#include "ledger_queue.h"
#include "ledger_verify.h"

struct chain {
    struct chain_seal seal; /* its station is `station` below */
    char station[LEDGER_TEXT_SIZE];
    int64_t seq;
    char head[CHAIN_HASH_SIZE];
    /* As far as its entries were read. */
    int64_t read;
    char hash[CHAIN_HASH_SIZE];
};

struct check {
    struct ledger_db *db;
    EVP_PKEY *(*key)(void *arg, const char *station);
    void *arg;
    struct ledger_verdict *verdict;
    struct chain *chains;
    unsigned count;
    struct chain *chain; /* of the last entry */
    enum devid_err code;
    struct devid_error *err;
};

bool check_fault(struct check *check, const char *station, int64_t seq,
                 const char *format, ...)
{
    char what[512];
    va_list values;

    va_start(values, format);
    (void)vsnprintf(what, sizeof(what), format, values);
    va_end(values);
    snprintf(check->verdict->station, sizeof(check->verdict->station), "%s",
             station);
    check->verdict->seq = (uint64_t)seq;
    check->code =
        ledger_fail(check->err, DEVID_ERR_INPUT,
                    "the ledger was changed behind its log: %s", what);
    return false;
}

static bool no_memory(struct check *check)
{
    check->code = ledger_no_memory(check->err);
    return false;
}

/* ---- chains and their entries ------------------------------------------ */

static bool read_chain(void *arg, const struct ledger_row *row)
{
    struct check *check = arg;
    const struct ledger_value *signature = &row->values[5];
    struct chain *chain;
    struct chain *more = OPENSSL_realloc(
        check->chains, (check->count + 1) * sizeof(*check->chains));

    if (!more)
        return no_memory(check);
    check->chains = more;
    chain = &more[check->count++];
    *chain = (struct chain){.seq = row_number(row, 1)};
    row_copy_text(row, 0, chain->station, sizeof(chain->station));
    row_copy_text(row, 2, chain->head, sizeof(chain->head));
    chain->seal.seq = row_number(row, 3);
    row_copy_text(row, 4, chain->seal.head, sizeof(chain->seal.head));
    chain->seal.time_ms = row_number(row, 6);
    snprintf(chain->hash, sizeof(chain->hash), "%s", CHAIN_GENESIS);
    if (signature->kind != VALUE_BLOB || signature->len > CHAIN_SIGNATURE_MAX)
        return check_fault(check, chain->station, chain->seal.seq,
                           "the chain of station %s has no signature",
                           chain->station);
    memcpy(chain->seal.signature, signature->data, signature->len);
    chain->seal.len = signature->len;
    return true;
}

/* Where the signed head is among the entries. */
static bool meet_seal(struct check *check, struct chain *chain)
{
    if (chain->read != chain->seal.seq)
        return true;
    if (strcmp(chain->hash, chain->seal.head) == 0)
        return true;
    return check_fault(
        check, chain->station, chain->read,
        "entry %lld of station %s is not the one that was signed",
        (long long)chain->read, chain->station);
}

static struct chain *chain_of(struct check *check, const char *station)
{
    for (unsigned i = 0; i < check->count; i++) {
        if (strcmp(check->chains[i].station, station) == 0)
            return &check->chains[i];
    }
    return NULL;
}

static bool read_entry(void *arg, const struct ledger_row *row)
{
    struct check *check = arg;
    const char *station = row_text(row, ENTRY_STATION);
    int64_t seq = row_number(row, ENTRY_SEQ);
    struct chain *chain = check->chain;
    char hash[CHAIN_HASH_SIZE];

    if (!chain || strcmp(chain->station, station) != 0)
        chain = check->chain = chain_of(check, station);
    if (!chain)
        return check_fault(
            check, station, seq,
            "there are entries of station %s, which has no chain", station);
    if (seq != chain->read + 1)
        return check_fault(check, station, chain->read + 1,
                           "entry %lld of station %s is missing",
                           (long long)chain->read + 1, station);
    if (!chain_entry_hash(chain->hash, row->values, hash))
        return no_memory(check);
    if (strcmp(hash, row_text(row, ENTRY_HASH)) != 0)
        return check_fault(
            check, station, seq,
            "entry %lld of station %s (%.40s of unit %.100s) is not "
            "as it was written",
            (long long)seq, station, row_text(row, ENTRY_EVENT),
            row_text(row, ENTRY_SERIAL));
    memcpy(chain->hash, hash, sizeof(hash));
    chain->read = seq;
    check->verdict->entries++;
    return meet_seal(check, chain);
}

static bool check_signature(struct check *check, struct chain *chain)
{
    EVP_PKEY *key = check->key(check->arg, chain->station);
    bool ok;

    if (!key)
        return check_fault(
            check, chain->station, chain->seal.seq,
            "the key of station %s is not known, so that its head "
            "cannot be checked",
            chain->station);
    chain->seal.station = chain->station;
    ok = chain_verify(key, &chain->seal);
    EVP_PKEY_free(key);
    return ok ||
           check_fault(check, chain->station, chain->seal.seq,
                       "the head of station %s at entry %lld was not signed "
                       "by its key",
                       chain->station, (long long)chain->seal.seq);
}

static bool check_head(struct check *check, struct chain *chain)
{
    bool below_seal = chain->read < chain->seal.seq;

    if (!check_signature(check, chain))
        return false;
    if (below_seal || chain->read < chain->seq)
        return check_fault(
            check, chain->station, chain->read + 1,
            "the entries of station %s end with %lld, but its %s head "
            "is %lld: the last ones were taken away",
            chain->station, (long long)chain->read,
            below_seal ? "signed" : "noted",
            (long long)(below_seal ? chain->seal.seq : chain->seq));
    if (chain->read != chain->seq || strcmp(chain->hash, chain->head) != 0)
        return check_fault(
            check, chain->station, chain->read,
            "the last entry of station %s is %lld, but its noted head "
            "is another, at %lld",
            chain->station, (long long)chain->read, (long long)chain->seq);
    check->verdict->unsealed += (uint64_t)(chain->seq - chain->seal.seq);
    return true;
}

/* ---- rows -------------------------------------------------------------- */

/* Of the columns behind a row's own: the digest that its entry has. */
static bool check_row(struct check *check, const struct ledger_row *row,
                      unsigned columns, const char *what, const char *name)
{
    char digest[CHAIN_HASH_SIZE];
    const char *station = row_text(row, columns + 1);
    int64_t seq = row_number(row, columns + 2);

    if (!chain_row_digest(row->values, columns, digest))
        return no_memory(check);
    if (!*station)
        return check_fault(check, "", 0,
                           "no entry speaks of the row of %s %.100s as it is",
                           what, name);
    if (strcmp(digest, row_text(row, columns)) != 0)
        return check_fault(
            check, station, seq,
            "the row of %s %.100s is not what entry %lld of station "
            "%s says",
            what, name, (long long)seq, station);
    return true;
}

static bool check_unit(void *arg, const struct ledger_row *row)
{
    return check_row(arg, row, UNIT_SEALED, "unit", row_text(row, 1));
}

static bool check_ldevid(void *arg, const struct ledger_row *row)
{
    return check_row(arg, row, LDEVID_VALUES, "an LDevID of unit",
                     row_text(row, 2));
}

static bool check_batch(void *arg, const struct ledger_row *row)
{
    const char *name = row_text(row, 0);

    if (!check_row(arg, row, BATCH_VALUES, "batch", name))
        return false;
    return row_number(row, BATCH_VALUES + 3) == 0 ||
           check_fault(
               arg, row_text(row, BATCH_VALUES + 1),
               row_number(row, BATCH_VALUES + 2),
               "batch %.100s has more left to enrol, with what stations "
               "hold of it, than its units leave of its quota of %lld",
               name, (long long)row_number(row, 3));
}

static bool found_lost(void *arg, const struct ledger_row *row)
{
    return check_fault(
        arg, row_text(row, 0), row_number(row, 1),
        "entry %lld of station %s speaks of %s %.100s, whose row is "
        "gone or older",
        (long long)row_number(row, 1), row_text(row, 0),
        *row_text(row, 2) ? "unit" : "a batch", row_text(row, 2));
}

static bool found_state(void *arg, const struct ledger_row *row)
{
    return check_fault(
        arg, "", 0,
        "unit %.100s is not among those of its state, which pages "
        "and figures are made of, or twice",
        row_text(row, 0));
}

/* ---- the whole --------------------------------------------------------- */

static bool go_through(struct check *check, enum ledger_stmt stmt,
                       bool (*each)(void *arg, const struct ledger_row *row))
{
    const struct ledger_query query = {
        .stmt = stmt, .each = each, .arg = check};
    enum devid_err code;

    if (check->code != DEVID_OK)
        return false;
    code = check->db->store->query(check->db, &query, check->err);
    if (check->code == DEVID_OK)
        check->code = code;
    return check->code == DEVID_OK;
}

static void check_all(struct check *check)
{
    if (!go_through(check, STMT_CHAINS, read_chain))
        return;
    check->verdict->chains = check->count;
    if (!go_through(check, STMT_ENTRIES, read_entry))
        return;
    for (unsigned i = 0; i < check->count; i++) {
        if (!check_head(check, &check->chains[i]))
            return;
    }
    if (go_through(check, STMT_CHECK_UNITS, check_unit) &&
        go_through(check, STMT_CHECK_BATCHES, check_batch) &&
        go_through(check, STMT_CHECK_LDEVIDS, check_ldevid) &&
        go_through(check, STMT_CHECK_LOST, found_lost) &&
        go_through(check, STMT_CHECK_ISSUED, found_issued) &&
        go_through(check, STMT_CHECK_CERTIFICATES, check_certificate))
        go_through(check, STMT_CHECK_STATES, found_state);
}

enum devid_err ledger_verify(struct ledger *ledger,
                             EVP_PKEY *(*key)(void *arg, const char *station),
                             void *arg, struct ledger_verdict *verdict,
                             struct devid_error *err)
{
    struct check check = {
        .key = key, .arg = arg, .verdict = verdict, .err = err};

    *verdict = (struct ledger_verdict){0};
    check.code = ledger->store->open(ledger->url, false, &check.db, err);
    if (check.code == DEVID_OK)
        check.code = db_run(check.db, STMT_BEGIN_READ, NULL, 0, NULL, err);
    if (check.code == DEVID_OK)
        check_all(&check);
    if (check.code == DEVID_OK && *ledger->station &&
        !chain_of(&check, ledger->station))
        check_fault(&check, ledger->station, 0,
                    "the chain of station %s is not there", ledger->station);
    ledger->store->close(check.db);
    OPENSSL_free(check.chains);
    return check.code;
}
