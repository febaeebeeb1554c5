/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_unit.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const char *const state_names[] = {
    [UNIT_SEEN] = "seen",           [UNIT_EK_VERIFIED] = "ek-verified",
    [UNIT_CERTIFIED] = "certified", [UNIT_ACTIVATED] = "activated",
    [UNIT_ISSUED] = "issued",       [UNIT_INSTALLED] = "installed",
    [UNIT_TESTED] = "tested",       [UNIT_LOCKED] = "locked",
    [UNIT_RETIRED] = "retired",
};

const char *unit_state_name(enum unit_state state)
{
    return state_names[state];
}

bool unit_state_parse(const char *name, enum unit_state *state)
{
    for (size_t i = 0; i < sizeof(state_names) / sizeof(*state_names); i++) {
        if (strcmp(name, state_names[i]) != 0)
            continue;
        *state = (enum unit_state)i;
        return true;
    }
    return false;
}

/* ---- a unit's members as columns --------------------------------------- */

enum member_kind {
    MEMBER_TEXT,
    MEMBER_NAME, /* text, NULL where it is empty: many may be */
    MEMBER_STATE,
    MEMBER_FLAG,
    MEMBER_COUNT,
    MEMBER_REASON,
    MEMBER_TIME, /* or any other int64_t */
    MEMBER_BLOB,
};

#define MEMBER(kind, name)                                                     \
    {                                                                          \
        kind, offsetof(struct ledger_unit, name),                              \
            sizeof(((struct ledger_unit *)NULL)->name)                         \
    }

/* In the order of UNIT_COLUMNS. */
static const struct member {
    enum member_kind kind;
    size_t offset;
    size_t size;
} members[UNIT_VALUES] = {
    MEMBER(MEMBER_TEXT, id),
    MEMBER(MEMBER_TEXT, serial),
    MEMBER(MEMBER_TEXT, model),
    MEMBER(MEMBER_NAME, mac),
    MEMBER(MEMBER_TEXT, batch),
    MEMBER(MEMBER_TEXT, operator_name),
    MEMBER(MEMBER_TEXT, station),
    MEMBER(MEMBER_NAME, ek_digest),
    MEMBER(MEMBER_NAME, iak_name),
    MEMBER(MEMBER_NAME, idevid_name),
    MEMBER(MEMBER_STATE, state),
    MEMBER(MEMBER_FLAG, attested),
    MEMBER(MEMBER_COUNT, generation),
    MEMBER(MEMBER_TIME, enrolled_ms),
    MEMBER(MEMBER_TIME, changed_ms),
    MEMBER(MEMBER_TEXT, challenge_digest),
    MEMBER(MEMBER_TIME, challenge_expires_ms),
    MEMBER(MEMBER_BLOB, ek_cert),
    MEMBER(MEMBER_BLOB, iak_cert),
    MEMBER(MEMBER_BLOB, idevid_cert),
    MEMBER(MEMBER_BLOB, escrow),
    MEMBER(MEMBER_BLOB, keys),
    MEMBER(MEMBER_TEXT, hw_serial),
    MEMBER(MEMBER_REASON, reason),
    MEMBER(MEMBER_TIME, revision),
};

static struct ledger_value member_value(enum member_kind kind, const void *at)
{
    const struct ledger_blob *blob = at;

    switch (kind) {
    case MEMBER_TEXT:
        return value_text(at);
    case MEMBER_NAME:
        return value_name(at);
    case MEMBER_STATE:
        return value_text(unit_state_name(*(const enum unit_state *)at));
    case MEMBER_FLAG:
        return value_number(*(const bool *)at);
    case MEMBER_COUNT:
        return value_number(*(const unsigned *)at);
    case MEMBER_REASON:
        return value_number(*(const int *)at);
    case MEMBER_TIME:
        return value_number(*(const int64_t *)at);
    case MEMBER_BLOB:
        return value_blob(blob->data, blob->len);
    }
    return value_text("");
}

void unit_to_values(const struct ledger_unit *unit,
                    struct ledger_value values[UNIT_VALUES])
{
    for (unsigned i = 0; i < UNIT_VALUES; i++)
        values[i] = member_value(members[i].kind,
                                 (const char *)unit + members[i].offset);
}

static bool blob_set(struct ledger_blob *blob, const void *data, size_t len)
{
    *blob = (struct ledger_blob){0};
    if (len == 0)
        return true;
    blob->data = OPENSSL_memdup(data, len);
    blob->len = blob->data ? len : 0;
    return blob->data != NULL;
}

static bool member_from_row(const struct ledger_row *row, unsigned column,
                            const struct member *member, void *at)
{
    const struct ledger_value *value = &row->values[column];

    switch (member->kind) {
    case MEMBER_TEXT:
    case MEMBER_NAME:
        row_copy_text(row, column, at, member->size);
        return true;
    case MEMBER_STATE:
        /* A word that nobody knows is found by the row's digest. */
        if (!unit_state_parse(row_text(row, column), at))
            *(enum unit_state *)at = UNIT_SEEN;
        return true;
    case MEMBER_FLAG:
        *(bool *)at = row_number(row, column) != 0;
        return true;
    case MEMBER_COUNT:
        *(unsigned *)at = (unsigned)row_number(row, column);
        return true;
    case MEMBER_REASON:
        *(int *)at = (int)row_number(row, column);
        return true;
    case MEMBER_TIME:
        *(int64_t *)at = row_number(row, column);
        return true;
    case MEMBER_BLOB:
        return blob_set(at, value->data, value->len);
    }
    return false;
}

bool unit_from_row(const struct ledger_row *row, struct ledger_unit *unit)
{
    bool ok = true;

    *unit = (struct ledger_unit){0};
    for (unsigned i = 0; i < UNIT_VALUES; i++)
        ok = member_from_row(row, i, &members[i],
                             (char *)unit + members[i].offset) &&
             ok;
    return ok;
}

bool unit_copy(const struct ledger_unit *from, struct ledger_unit *to)
{
    bool ok = true;

    *to = *from;
    for (unsigned i = 0; i < UNIT_VALUES; i++) {
        const struct ledger_blob *blob;
        if (members[i].kind != MEMBER_BLOB)
            continue;
        blob = (const void *)((const char *)from + members[i].offset);
        ok = blob_set((void *)((char *)to + members[i].offset), blob->data,
                      blob->len) &&
             ok;
    }
    return ok;
}

void ledger_unit_clear(struct ledger_unit *unit)
{
    OPENSSL_free(unit->ek_cert.data);
    OPENSSL_free(unit->iak_cert.data);
    OPENSSL_free(unit->idevid_cert.data);
    OPENSSL_free(unit->escrow.data);
    OPENSSL_free(unit->keys.data);
    *unit = (struct ledger_unit){0};
}

/* ---- batches ----------------------------------------------------------- */

void batch_to_values(const struct ledger_batch *batch,
                     struct ledger_value values[BATCH_VALUES])
{
    values[0] = value_text(batch->name);
    values[1] = value_text(batch->product);
    values[2] = value_text(batch->token_digest);
    values[3] = value_number((int64_t)batch->quota);
    values[4] = value_number(batch->closed);
    values[5] = value_number(batch->opened_ms);
}

void batch_from_row(const struct ledger_row *row, struct ledger_batch *batch)
{
    *batch = (struct ledger_batch){
        .quota = (uint64_t)row_number(row, 3),
        .used = (uint64_t)row_number(row, 4),
        .closed = row_number(row, 5) != 0,
        .opened_ms = row_number(row, 6),
    };
    row_copy_text(row, 0, batch->name, sizeof(batch->name));
    row_copy_text(row, 1, batch->product, sizeof(batch->product));
    row_copy_text(row, 2, batch->token_digest, sizeof(batch->token_digest));
}

/* ---- numbers ----------------------------------------------------------- */

/* Milliseconds in 48 bits, and the place among those of the same in 16. */
static uint64_t next_moment(int64_t now_ms)
{
    static _Atomic uint64_t last;
    uint64_t before = atomic_load(&last);
    uint64_t moment;

    do {
        moment = (uint64_t)now_ms << 16;
        if (moment <= before)
            moment = before + 1;
    } while (!atomic_compare_exchange_weak(&last, &before, moment));
    return moment;
}

bool unit_new_id(int64_t now_ms, char id[LEDGER_ID_SIZE])
{
    enum {
        TIME_BYTES = 8
    };
    const uint64_t moment = next_moment(now_ms);
    uint8_t bytes[(LEDGER_ID_SIZE - 1) / 2];

    for (int i = 0; i < TIME_BYTES; i++)
        bytes[i] = (uint8_t)(moment >> (8 * (TIME_BYTES - 1 - i)));
    if (RAND_bytes(bytes + TIME_BYTES, (int)sizeof(bytes) - TIME_BYTES) != 1)
        return false;
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

/* Takes the number over. */
static void number_text(BIGNUM *value, char number[CERT_NUMBER_SIZE])
{
    char *hex = value ? BN_bn2hex(value) : NULL;

    snprintf(number, CERT_NUMBER_SIZE, "%s", hex ? hex : "");
    OPENSSL_free(hex);
    BN_free(value);
}

void cert_number_text(const uint8_t *bytes, size_t len,
                      char number[CERT_NUMBER_SIZE])
{
    number_text(BN_bin2bn(bytes, (int)len, NULL), number);
}

void cert_number(const struct ledger_blob *der, char number[CERT_NUMBER_SIZE])
{
    const unsigned char *at = der->data;
    X509 *cert = at ? d2i_X509(NULL, &at, (long)der->len) : NULL;

    number_text(cert ? ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL)
                     : NULL,
                number);
    X509_free(cert);
    ERR_clear_error();
}
