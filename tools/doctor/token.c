/* SPDX-License-Identifier: Apache-2.0 */
/* The token that --device names: what it says of its PINs and its room. */
#include "doctor.h"
#include "open.h"
#include "report.h"
#include "state.h"

/* A key pair and its certificate take some kilobytes. */
#define FEW_BYTES 8192

/* A token's flags as facts, by their members. */
static void put_token(json_t *facts, const struct devid_token_state *token)
{
    const struct {
        const char *name;
        bool flag;
    } flags[] = {
        {"initialised", token->initialised},
        {"write_protected", token->write_protected},
        {"login_required", token->login_required},
        {"pin_initialised", token->pin_initialised},
        {"pin_count_low", token->pin_count_low},
        {"pin_final_try", token->pin_final_try},
        {"pin_locked", token->pin_locked},
        {"pin_to_be_changed", token->pin_to_be_changed},
        {"so_pin_locked", token->so_pin_locked},
    };

    report_text(facts, "label", token->label);
    report_text(facts, "manufacturer", token->manufacturer);
    report_text(facts, "model", token->model);
    report_text(facts, "serial", token->serial);
    report_text(facts, "firmware", token->firmware);
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        report_flag(facts, flags[i].name, flags[i].flag);
    report_number(facts, "free_public", token->free_public);
    report_number(facts, "free_private", token->free_private);
}

static void look_token(struct doctor *doctor, json_t *facts)
{
    const char *device = args_text(doctor->args, ROW_DEVICE);
    struct devid_device_state state;
    struct devid_error err = {0};

    if (!is_token_uri(device) || !doctor->engine || *doctor->root)
        return;
    if (devid_device_state(doctor->engine, device, &state, &err))
        report_text(facts, "error", err.text);
    else
        put_token(facts, &state.token);
    devid_device_state_clear(&state);
}

static void judge_pins(struct doctor *doctor, const json_t *facts,
                       const char *label)
{
    if (!fact_flag(facts, "initialised"))
        is_bad(doctor, "token.initialised",
               words(doctor, "token '%s' is not initialised", label),
               "it takes no key", "devid token init");
    else if (!fact_flag(facts, "pin_initialised"))
        is_bad(doctor, "token.pin",
               words(doctor, "token '%s' has no user PIN", label),
               "nobody can log in to it", "devid token set-pin");
    else if (fact_flag(facts, "pin_locked"))
        is_bad(doctor, "token.pin",
               words(doctor, "the user PIN of token '%s' is locked", label),
               "its keys sign nothing until the security officer sets it anew",
               "devid token unblock");
    else if (fact_flag(facts, "pin_final_try"))
        is_bad(doctor, "token.pin",
               words(doctor, "one more wrong PIN locks token '%s'", label),
               "a program that starts with an old PIN does it",
               "log in once with the right one: devid test");
    else if (fact_flag(facts, "pin_count_low"))
        is_warning(doctor, "token.pin",
                   words(doctor, "a wrong PIN was given to token '%s'", label),
                   "a program with an old PIN locks it in the end",
                   "look for the program");
    else if (fact_flag(facts, "pin_to_be_changed"))
        is_warning(
            doctor, "token.pin",
            words(doctor, "the user PIN of token '%s' is to be changed", label),
            "it is still the first one", "devid token change-pin");
    else
        is_ok(doctor, "token.pin",
              words(doctor, "the user PIN of token '%s' is in order", label));
}

static void judge_token(struct doctor *doctor, const json_t *facts)
{
    const char *label = report_get(facts, "label");
    json_int_t room = fact_number(facts, "free_private");

    if (*report_get(facts, "error")) {
        is_bad(doctor, "token",
               words(doctor, "the token was not asked: %s",
                     report_get(facts, "error")),
               "its keys do not work for this user", "devid token list");
        return;
    }
    if (json_object_size(facts) == 0)
        return;
    is_ok(doctor, "token",
          words(doctor, "token '%s': %s %s, firmware %s", label,
                report_get(facts, "manufacturer"), report_get(facts, "model"),
                report_get(facts, "firmware")));
    judge_pins(doctor, facts, label);
    if (fact_flag(facts, "so_pin_locked"))
        is_warning(doctor, "token.so_pin",
                   words(doctor,
                         "the security officer's PIN of token '%s' is "
                         "locked",
                         label),
                   "a locked user PIN then means a new token", NULL);
    if (fact_flag(facts, "write_protected"))
        is_note(doctor, "token.write_protected",
                words(doctor, "token '%s' is write-protected", label),
                "no key can be made on it", NULL);
    if (room >= 0 && room < FEW_BYTES)
        is_warning(doctor, "token.room",
                   words(doctor,
                         "token '%s' has %" JSON_INTEGER_FORMAT " bytes left",
                         label, room),
                   "a new key may not fit", "devid list; devid delete");
}

const struct theme token_theme = {
    .name = "token",
    .look = look_token,
    .judge = judge_token,
};
