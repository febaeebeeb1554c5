/* SPDX-License-Identifier: Apache-2.0 */
#include "desk.h"

#include <openssl/evp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keys.h"
#include "ledger_unit.h"
#include "message.h"

static void name_user(char who[LEDGER_TEXT_SIZE])
{
    const struct passwd *user = getpwuid(getuid());

    if (user)
        snprintf(who, LEDGER_TEXT_SIZE, "%.100s here", user->pw_name);
    else
        snprintf(who, LEDGER_TEXT_SIZE, "user %u here", (unsigned)getuid());
}

enum exit_code desk_open(const struct args *args, bool write, struct desk *desk)
{
    struct ledger_spec spec = {.create = write};
    struct devid_error err;
    enum exit_code code;

    *desk = (struct desk){0};
    name_user(desk->who);
    code = config_load(args, &desk->config);
    if (code == EXIT_DONE)
        code = keys_begin(desk->config.device);
    if (code == EXIT_DONE && write)
        code = keys_private(desk->config.chain_key, &desk->key);
    spec.url = desk->config.ledger;
    spec.station = desk->config.name;
    spec.key = desk->key;
    if (code == EXIT_DONE && ledger_open(&spec, &desk->ledger, &err))
        code = fail_engine(&err);
    if (code != EXIT_DONE)
        desk_close(desk);
    return code;
}

void desk_close(struct desk *desk)
{
    ledger_close(&desk->ledger);
    EVP_PKEY_free(desk->key);
    config_clear(&desk->config);
    *desk = (struct desk){0};
}

enum exit_code desk_find(const struct desk *desk, const char *serial,
                         struct ledger_unit *unit)
{
    struct devid_error err;

    if (ledger_find(desk->ledger, UNIT_BY_SERIAL, serial, unit, &err))
        return fail_engine(&err);
    return EXIT_DONE;
}

const char *desk_time(int64_t ms, char text[DESK_TIME_SIZE])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;

    text[0] = '\0';
    if (ms > 0 && gmtime_r(&seconds, &utc))
        (void)strftime(text, DESK_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

static enum exit_code parse_day(const struct args *args, const char *day,
                                int64_t *ms)
{
    struct tm utc = {0};
    const char *end = strptime(day, "%Y-%m-%d", &utc);
    int date = utc.tm_mday;
    time_t seconds = timegm(&utc);

    /* 31 June is 1 July to timegm. */
    if (!end || *end || seconds < 0 || utc.tm_mday != date)
        return wrong_use(args->command->name,
                         "--since is a day, such as 2026-11-22, not '%s'", day);
    *ms = (int64_t)seconds * 1000;
    return EXIT_DONE;
}

enum exit_code desk_filter(const struct args *args, int first,
                           struct desk_filter *filter)
{
    const char *state = args_text(args, first + 2);
    const char *since = args_text(args, first + 3);

    *filter = (struct desk_filter){.filter = {
                                       .batch = args_text(args, first),
                                       .model = args_text(args, first + 1),
                                   }};
    if (state && !unit_state_parse(state, &filter->state))
        return wrong_use(args->command->name,
                         "there is no state '%s'; there are seen, "
                         "ek-verified, certified, activated, issued, "
                         "installed, tested, locked and retired",
                         state);
    filter->filter.state = state ? &filter->state : NULL;
    return since ? parse_day(args, since, &filter->filter.since_ms) : EXIT_DONE;
}

void desk_cert(const struct ledger_blob *der, struct desk_cert *cert)
{
    uint8_t digest[32];

    memset(cert, 0, sizeof(*cert));
    if (der->len == 0 ||
        !EVP_Q_digest(NULL, "SHA256", NULL, der->data, der->len, digest, NULL))
        return;
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(cert->sha256 + 2 * i, 3, "%02x", digest[i]);
    cert_number(der, cert->number);
}
