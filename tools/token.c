/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "message.h"
#include "token_pin.h"

enum {
    LABEL_MAX = 32
}; /* bytes: CK_TOKEN_INFO */

/* ---- what all share -------------------------------------------------- */

/* What an action does with its token, once the PINs are read. */
struct pins {
    struct secret so;
    struct secret user;
    struct secret new_one;
};
typedef enum exit_code action_fn(const struct args *args, struct token *token,
                                 const struct pins *pins);

static enum exit_code finish(const struct args *args, struct token *token)
{
    json_t *report;
    enum exit_code code;

    if (!args_flag(args, ROW_JSON))
        return EXIT_DONE;
    code = token_refresh(token);
    if (code != EXIT_DONE)
        return code;
    report = report_new();
    token_describe(report, token);
    report_print_json(report);
    json_decref(report);
    return EXIT_DONE;
}

static enum exit_code on_token(const struct args *args, bool blank,
                               const struct pins *pins, action_fn *action)
{
    struct tokens tokens;
    struct token token;
    enum exit_code code = tokens_open(args, &tokens);

    if (code == EXIT_DONE)
        code = tokens_find(&tokens, blank, &token);
    if (code == EXIT_DONE)
        code = action(args, &token, pins);
    if (code == EXIT_DONE)
        code = finish(args, &token);
    tokens_close(&tokens);
    return code;
}

static void wipe_pins(struct pins *pins)
{
    secret_wipe(&pins->so);
    secret_wipe(&pins->user);
    secret_wipe(&pins->new_one);
}

/* The security officer logs in and gives the token this user PIN. */
static enum exit_code give_user_pin(struct token *token,
                                    const struct pins *pins)
{
    enum exit_code code = token_login(token, PIN_SO, &pins->so);

    if (code != EXIT_DONE)
        return code;
    ERR_clear_error();
    if (PKCS11_init_pin(token->info, pins->new_one.data))
        return token_fail(token, PIN_USER, "take the new user PIN");
    return EXIT_DONE;
}

/* ---- init ------------------------------------------------------------ */

enum init_row {
    INIT_LABEL,
    INIT_SO_PIN,
    INIT_PIN,
    INIT_FORCE
};

static const struct option_row init_options[] = {
    [INIT_LABEL] = {"label", "NAME",
                    "the token's name, by which URIs call it; 1 to 32 bytes",
                    true, false},
    [INIT_SO_PIN] = {"so-pin-source", "SOURCE",
                     "where the security officer's PIN is, a new one unless "
                     "the token is initialised: file:PATH, env:NAME or prompt; "
                     "the default is to ask",
                     false, false},
    [INIT_PIN] = {"pin-source", "SOURCE",
                  "where the new user PIN is: file:PATH, env:NAME or prompt; "
                  "without it the token has none, until 'devid token set-pin'",
                  false, false},
    [INIT_FORCE] = {"force", NULL,
                    "erase a token that is initialised, and all keys on it",
                    false, false},
    {0},
};

static enum exit_code init_token(const struct args *args, struct token *token,
                                 const struct pins *pins)
{
    const char *label = args_text(args, INIT_LABEL);
    char padded[LABEL_MAX + 1];
    enum exit_code code;

    if (token->info->initialized && !args_flag(args, INIT_FORCE))
        return fail("%s is initialised: give --force to erase it, and all keys "
                    "on it",
                    token->name);
    if (token->info->initialized && token->info->soPinLocked)
        return pin_check(token, PIN_SO);
    /* libp11 0.4.12 hands the label on as it is, without its padding. */
    snprintf(padded, sizeof(padded), "%-*s", (int)LABEL_MAX, label);
    ERR_clear_error();
    if (PKCS11_init_token(token->info, pins->so.data, padded))
        return token_fail(token, PIN_SO, "initialise itself");
    code = token_refresh(token);
    if (code == EXIT_DONE && args_text(args, INIT_PIN))
        code = give_user_pin(token, pins);
    return code;
}

static enum exit_code run_init(const struct args *args)
{
    const char *label = args_text(args, INIT_LABEL);
    struct pins pins = {0};
    bool blank = !args_flag(args, ROW_TOKEN);
    enum exit_code code;

    if (*label == '\0' || strlen(label) > LABEL_MAX)
        return wrong_use(args->command->name,
                         "--label has 1 to %d bytes, not %zu", (int)LABEL_MAX,
                         strlen(label));
    code =
        pin_read(args, INIT_SO_PIN, "security officer's PIN", true, &pins.so);
    if (code == EXIT_DONE && args_text(args, INIT_PIN))
        code = pin_read(args, INIT_PIN, "new user PIN", true, &pins.new_one);
    if (code == EXIT_DONE)
        code = on_token(args, blank, &pins, init_token);
    wipe_pins(&pins);
    return code;
}

static const struct command init_action = {
    .name = "token init",
    .operands = "",
    .help = "initialise a token: give it a label and its PINs",
    .example = "  devid token init --label factory --so-pin-source file:so.pin "
               "\\\n      --pin-source file:user.pin\n",
    .options = init_options,
    .common = TAKES(ROW_TOKEN) | TAKES(ROW_MODULE) | TAKES(ROW_JSON),
    .run = run_init,
};

/* ---- set-pin, unblock ------------------------------------------------ */

enum user_pin_row {
    NEW_SO_PIN,
    NEW_PIN
};

static const struct option_row user_pin_options[] = {
    [NEW_SO_PIN] = {"so-pin-source", "SOURCE",
                    "where the security officer's PIN is: file:PATH, env:NAME "
                    "or prompt; the default is to ask",
                    false, false},
    [NEW_PIN] = {"pin-source", "SOURCE",
                 "where the new user PIN is: file:PATH, env:NAME or prompt; "
                 "the default is to ask",
                 false, false},
    {0},
};

static enum exit_code set_pin(const struct args *args, struct token *token,
                              const struct pins *pins)
{
    (void)args;
    if (token->info->initialized && token->info->userPinSet)
        return fail("%s has a user PIN: 'devid token change-pin' changes it, "
                    "and where it is lost or locked 'devid token unblock' "
                    "gives a new one",
                    token->name);
    return give_user_pin(token, pins);
}

static enum exit_code unblock(const struct args *args, struct token *token,
                              const struct pins *pins)
{
    (void)args;
    if (token->info->initialized && !token->info->userPinSet)
        return fail("%s has no user PIN yet: 'devid token set-pin' gives it "
                    "one",
                    token->name);
    return give_user_pin(token, pins);
}

static enum exit_code run_by_officer(const struct args *args, action_fn *action)
{
    struct pins pins = {0};
    enum exit_code code =
        pin_read(args, NEW_SO_PIN, "security officer's PIN", false, &pins.so);

    if (code == EXIT_DONE)
        code = pin_read(args, NEW_PIN, "new user PIN", true, &pins.new_one);
    if (code == EXIT_DONE)
        code = on_token(args, false, &pins, action);
    wipe_pins(&pins);
    return code;
}

static enum exit_code run_set_pin(const struct args *args)
{
    return run_by_officer(args, set_pin);
}

static const struct command set_pin_action = {
    .name = "token set-pin",
    .operands = "",
    .help = "give a token its first user PIN, as its security officer",
    .example = "  devid token set-pin --device pkcs11:token=factory\n",
    .options = user_pin_options,
    .common = TAKES(ROW_TOKEN) | TAKES(ROW_MODULE) | TAKES(ROW_JSON),
    .run = run_set_pin,
};

static enum exit_code run_unblock(const struct args *args)
{
    return run_by_officer(args, unblock);
}

static const struct command unblock_action = {
    .name = "token unblock",
    .operands = "",
    .help = "replace a user PIN that is locked or lost",
    .example = "  devid token unblock --device pkcs11:token=factory\n",
    .options = user_pin_options,
    .common = TAKES(ROW_TOKEN) | TAKES(ROW_MODULE) | TAKES(ROW_JSON),
    .run = run_unblock,
};

/* ---- change-pin ------------------------------------------------------ */

enum change_row {
    CHANGE_PIN,
    CHANGE_NEW_PIN,
    CHANGE_SO
};

static const struct option_row change_options[] = {
    [CHANGE_PIN] = {"pin-source", "SOURCE",
                    "where the PIN as it is now is: file:PATH, env:NAME or "
                    "prompt; the default is to ask",
                    false, false},
    [CHANGE_NEW_PIN] = {"new-pin-source", "SOURCE",
                        "where the new PIN is: file:PATH, env:NAME or prompt; "
                        "the default is to ask",
                        false, false},
    [CHANGE_SO] = {"so", NULL,
                   "change the security officer's PIN, not the user's", false,
                   false},
    {0},
};

static enum exit_code change_pin(const struct args *args, struct token *token,
                                 const struct pins *pins)
{
    enum pin_owner owner = args_flag(args, CHANGE_SO) ? PIN_SO : PIN_USER;
    enum exit_code code = token_login(token, owner, &pins->user);

    if (code != EXIT_DONE)
        return code;
    ERR_clear_error();
    if (PKCS11_change_pin(token->slot, pins->user.data, pins->new_one.data))
        return token_fail(token, owner, "take the new PIN");
    return EXIT_DONE;
}

static enum exit_code run_change_pin(const struct args *args)
{
    struct pins pins = {0};
    enum exit_code code =
        pin_read(args, CHANGE_PIN, "PIN as it is now", false, &pins.user);

    if (code == EXIT_DONE)
        code = pin_read(args, CHANGE_NEW_PIN, "new PIN", true, &pins.new_one);
    if (code == EXIT_DONE)
        code = on_token(args, false, &pins, change_pin);
    wipe_pins(&pins);
    return code;
}

static const struct command change_pin_action = {
    .name = "token change-pin",
    .operands = "",
    .help = "change the user PIN, or the security officer's",
    .example = "  devid token change-pin --device pkcs11:token=factory\n"
               "  devid token change-pin --so --device pkcs11:token=factory\n",
    .options = change_options,
    .common = TAKES(ROW_TOKEN) | TAKES(ROW_MODULE) | TAKES(ROW_JSON),
    .run = run_change_pin,
};

/* ---------------------------------------------------------------------- */

static const struct command *const actions[] = {
    &token_list_action, &init_action,    &set_pin_action,
    &change_pin_action, &unblock_action, NULL,
};

const struct command token_command = {
    .name = "token",
    .operands = "",
    .help = "list PKCS#11 tokens, initialise one, set and change its PINs",
    .example = "  devid token list\n"
               "  devid token init --label factory\n",
    .actions = actions,
};
