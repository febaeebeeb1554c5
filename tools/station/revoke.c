/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "desk.h"
#include "exchange.h"
#include "message.h"

enum {
    REASON,
    LDEVIDS,
    NUMBER
};

static const struct option_row options[] = {
    [REASON] = {"reason", "REASON",
                "unspecified, compromise, affiliation, superseded or cessation",
                true, false},
    [LDEVIDS] = {"ldevids", NULL,
                 "only the unit's LDevIDs: its IDevID stays in force", false,
                 false},
    [NUMBER] = {"number", "HEX",
                "only the LDevID with this serial number, in place of SERIAL",
                false, false},
    {0},
};

static enum exit_code do_job(const struct desk *desk, struct ledger_job *job)
{
    enum ledger_outcome outcome;

    job->peer = desk->who;
    outcome = ledger_do(desk->ledger, job);
    ledger_unit_clear(&job->unit);
    ledger_ldevid_clear(&job->ldevid);
    if (outcome == LEDGER_AGAIN)
        note("%s", job->error.text);
    return outcome == LEDGER_DONE || outcome == LEDGER_AGAIN
               ? EXIT_DONE
               : fail_engine(&job->error);
}

static enum exit_code retire(const struct desk *desk, const char *serial,
                             const struct ledger_job *what)
{
    struct ledger_job job = *what;

    job.op = LEDGER_RETIRE;
    if (strlen(serial) >= sizeof(job.unit.serial))
        return fail("there is no unit %.100s... in the ledger", serial);
    snprintf(job.unit.serial, sizeof(job.unit.serial), "%s", serial);
    return do_job(desk, &job);
}

/* ---- LDevIDs ----------------------------------------------------------- */

static enum exit_code revoke_ldevid(const struct desk *desk, const char *number,
                                    const struct ledger_job *what)
{
    struct ledger_job job = *what;

    job.op = LEDGER_REVOKE_LDEVID;
    snprintf(job.ldevid.number, sizeof(job.ldevid.number), "%s", number);
    return do_job(desk, &job);
}

/* As openssl, browsers and this program write it: with colons or without. */
static bool parse_number(const char *text, char number[LEDGER_NUMBER_SIZE])
{
    char digits[2 * LEDGER_NUMBER_SIZE];
    BIGNUM *value = NULL;
    char *hex = NULL;
    size_t count = 0;
    bool ok;

    for (; *text && count < sizeof(digits) - 1; text++) {
        if (*text != ':')
            digits[count++] = *text;
    }
    digits[count] = '\0';
    ok = count > 0 && BN_hex2bn(&value, digits) == (int)count &&
         (hex = BN_bn2hex(value)) != NULL && strlen(hex) < LEDGER_NUMBER_SIZE;
    if (ok)
        snprintf(number, LEDGER_NUMBER_SIZE, "%s", hex);
    OPENSSL_free(hex);
    BN_free(value);
    return ok;
}

static enum exit_code revoke_number(const struct desk *desk, const char *text,
                                    const struct ledger_job *what)
{
    char number[LEDGER_NUMBER_SIZE];
    struct ledger_ldevid ldevid;
    struct devid_error err;

    if (!parse_number(text, number))
        return fail("'%.100s' is no serial number of a certificate: digits of "
                    "hex are wanted, with colons between them or without",
                    text);
    if (ledger_find_ldevid(desk->ledger, LDEVID_BY_NUMBER, number, &ldevid,
                           &err))
        return fail("%s; an IDevID is revoked with its unit: devid-station "
                    "revoke SERIAL",
                    err.text);
    ledger_ldevid_clear(&ldevid);
    return revoke_ldevid(desk, number, what);
}

/* Of a unit, those in force; a page at a time. */
struct ldevids {
    char numbers[100][LEDGER_NUMBER_SIZE];
    unsigned in_force;
    unsigned count;
    int64_t now_ms;
    char last_id[LEDGER_ID_SIZE];
};

static bool take_ldevid(void *arg, const struct ledger_ldevid *ldevid)
{
    struct ldevids *some = arg;

    some->count++;
    memcpy(some->last_id, ldevid->id, sizeof(some->last_id));
    if (ldevid->state == LDEVID_ISSUED && ldevid->revoked_ms == 0 &&
        ldevid->not_after_ms > some->now_ms)
        memcpy(some->numbers[some->in_force++], ldevid->number,
               sizeof(some->numbers[0]));
    return true;
}

static enum exit_code revoke_all(const struct desk *desk, const char *serial,
                                 const struct ledger_job *what)
{
    struct ldevids some = {.now_ms = now_ms()};
    struct ldevid_query query = {
        .list = LDEVIDS_OF_UNIT, .after_id = some.last_id, .limit = 100};
    struct ledger_unit unit = {0};
    struct devid_error err;
    enum exit_code code = desk_find(desk, serial, &unit);

    query.unit = unit.id;
    do {
        some.count = some.in_force = 0;
        if (code == EXIT_DONE &&
            ledger_ldevids(desk->ledger, &query, take_ldevid, &some, &err))
            code = fail_engine(&err);
        for (unsigned i = 0; code == EXIT_DONE && i < some.in_force; i++)
            code = revoke_ldevid(desk, some.numbers[i], what);
    } while (code == EXIT_DONE && some.count > 0);
    ledger_unit_clear(&unit);
    return code;
}

/* ---- the command ------------------------------------------------------- */

static enum exit_code revoke(const struct args *args, const struct desk *desk,
                             const struct ledger_job *what)
{
    const char *number = args_text(args, NUMBER);

    if (number)
        return revoke_number(desk, number, what);
    return args_flag(args, LDEVIDS) ? revoke_all(desk, args->operands[0], what)
                                    : retire(desk, args->operands[0], what);
}

static enum exit_code run(const struct args *args)
{
    const char *reason = args_text(args, REASON);
    struct ledger_job what = {.detail = reason};
    bool by_number = args_text(args, NUMBER) != NULL;
    struct desk desk;
    enum exit_code code;

    if (!revocation_reason(reason, &what.reason))
        return wrong_use("revoke",
                         "--reason is unspecified, compromise, affiliation, "
                         "superseded or cessation, not '%s'",
                         reason);
    if (by_number == (args->operand_count > 0) ||
        (by_number && args_flag(args, LDEVIDS)))
        return wrong_use("revoke", "one of SERIAL, SERIAL --ldevids and "
                                   "--number HEX is wanted");
    code = desk_open(args, true, &desk);
    if (code != EXIT_DONE)
        return code;
    code = revoke(args, &desk, &what);
    desk_close(&desk);
    return code;
}

const struct command revoke_command = {
    .name = "revoke",
    .operands = "[SERIAL]",
    .help = "retire a unit and revoke its certificates, or LDevIDs alone",
    .example = "  devid-station revoke SN-0001 --reason compromise\n",
    .options = options,
    .common = TAKES(ROW_DIR),
    .operands_max = 1,
    .run = run,
};
