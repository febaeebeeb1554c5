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

#include "ledger_member.h"

static const char *const state_names[] = {
    [UNIT_SEEN] = "seen",           [UNIT_EK_VERIFIED] = "ek-verified",
    [UNIT_CERTIFIED] = "certified", [UNIT_ACTIVATED] = "activated",
    [UNIT_ISSUED] = "issued",       [UNIT_INSTALLED] = "installed",
    [UNIT_TESTED] = "tested",       [UNIT_LOCKED] = "locked",
    [UNIT_RETIRED] = "retired",     NULL,
};

const char *unit_state_name(enum unit_state state)
{
    return state_names[state];
}

bool unit_state_parse(const char *name, enum unit_state *state)
{
    unsigned at;

    if (!word_parse(state_names, name, &at))
        return false;
    *state = (enum unit_state)at;
    return true;
}

/* ---- why it was revoked ------------------------------------------------ */

static const struct {
    const char *name;
    int number;
} reasons[] = {
    {"unspecified", 0}, {"compromise", 1}, {"affiliation", 3},
    {"superseded", 4},  {"cessation", 5},
};

bool revocation_reason(const char *name, int *number)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
        if (strcmp(reasons[i].name, name) != 0)
            continue;
        *number = reasons[i].number;
        return true;
    }
    return false;
}

const char *revocation_reason_name(int number)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
        if (reasons[i].number == number)
            return reasons[i].name;
    }
    return "?";
}

/* ---- a unit's members as columns --------------------------------------- */

/* In the order of UNIT_COLUMNS. */
static const struct member unit_list[UNIT_VALUES] = {
    MEMBER(ledger_unit, MEMBER_TEXT, id),
    MEMBER(ledger_unit, MEMBER_TEXT, serial),
    MEMBER(ledger_unit, MEMBER_TEXT, model),
    MEMBER(ledger_unit, MEMBER_NAME, mac),
    MEMBER(ledger_unit, MEMBER_TEXT, batch),
    MEMBER(ledger_unit, MEMBER_TEXT, operator_name),
    MEMBER(ledger_unit, MEMBER_TEXT, station),
    MEMBER(ledger_unit, MEMBER_NAME, ek_digest),
    MEMBER(ledger_unit, MEMBER_NAME, iak_name),
    MEMBER(ledger_unit, MEMBER_NAME, idevid_name),
    MEMBER_OF(ledger_unit, state, state_names),
    MEMBER(ledger_unit, MEMBER_FLAG, attested),
    MEMBER(ledger_unit, MEMBER_COUNT, generation),
    MEMBER(ledger_unit, MEMBER_TIME, enrolled_ms),
    MEMBER(ledger_unit, MEMBER_TIME, changed_ms),
    MEMBER(ledger_unit, MEMBER_TEXT, challenge_digest),
    MEMBER(ledger_unit, MEMBER_TIME, challenge_expires_ms),
    MEMBER(ledger_unit, MEMBER_BLOB, ek_cert),
    MEMBER(ledger_unit, MEMBER_BLOB, iak_cert),
    MEMBER(ledger_unit, MEMBER_BLOB, idevid_cert),
    MEMBER(ledger_unit, MEMBER_BLOB, escrow),
    MEMBER(ledger_unit, MEMBER_BLOB, keys),
    MEMBER(ledger_unit, MEMBER_TEXT, hw_serial),
    MEMBER(ledger_unit, MEMBER_REASON, reason),
    MEMBER(ledger_unit, MEMBER_TIME, revision),
    MEMBER(ledger_unit, MEMBER_BLOB, challenge),
};
static const struct members unit_members = {unit_list, UNIT_VALUES};

void unit_to_values(const struct ledger_unit *unit,
                    struct ledger_value values[UNIT_VALUES])
{
    members_to_values(&unit_members, unit, values);
}

void unit_step_values(const struct ledger_value values[UNIT_VALUES],
                      struct ledger_value step[UNIT_STEP_VALUES])
{
    static const size_t offsets[UNIT_STEP_VALUES] = {
        offsetof(struct ledger_unit, id),
        offsetof(struct ledger_unit, state),
        offsetof(struct ledger_unit, changed_ms),
        offsetof(struct ledger_unit, challenge_digest),
        offsetof(struct ledger_unit, challenge_expires_ms),
        offsetof(struct ledger_unit, iak_cert),
        offsetof(struct ledger_unit, idevid_cert),
        offsetof(struct ledger_unit, escrow),
        offsetof(struct ledger_unit, reason),
        offsetof(struct ledger_unit, revision),
        offsetof(struct ledger_unit, challenge),
    };
    unsigned count = 0;

    /* Both in one order. */
    for (unsigned at = 0; at < UNIT_VALUES; at++) {
        if (count < UNIT_STEP_VALUES && unit_list[at].offset == offsets[count])
            step[count++] = values[at];
    }
}

bool unit_from_row(const struct ledger_row *row, struct ledger_unit *unit)
{
    *unit = (struct ledger_unit){0};
    return members_from_row(&unit_members, row, unit);
}

bool unit_copy(const struct ledger_unit *from, struct ledger_unit *to)
{
    *to = *from;
    return members_own_blobs(&unit_members, to);
}

void ledger_unit_clear(struct ledger_unit *unit)
{
    members_free_blobs(&unit_members, unit);
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

const char *unit_id_moment(int64_t ms, char text[UNIT_MOMENT_SIZE])
{
    snprintf(text, UNIT_MOMENT_SIZE, "%016llx",
             (unsigned long long)((uint64_t)ms << 16));
    return text;
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
