/* SPDX-License-Identifier: Apache-2.0 */
#include "token_pin.h"

#include <openssl/err.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

static const char *const owner_words[] = {
    [PIN_USER] = "user PIN",
    [PIN_SO] = "security officer's PIN",
};

enum exit_code pin_read(const struct args *args, int row, const char *what,
                        bool is_new, struct secret *pin)
{
    const char *option = command_option(args->command, row)->name;
    const char *source = args_text(args, row);
    enum exit_code code;

    if (!source && !isatty(STDIN_FILENO))
        return wrong_use(args->command->name,
                         "--%s is missing, and there is no terminal to ask at",
                         option);
    code = secret_read(pin, option, source ? source : "prompt", what, is_new);
    if (code != EXIT_DONE)
        return code;
    if (pin->len == 0)
        return fail("the %s is empty", what);
    /* As a C string it would be cut short, and a shorter PIN set. */
    if (memchr(pin->data, '\0', pin->len))
        return fail("the %s holds a NUL byte, which no PIN may", what);
    pin->data[pin->len] = '\0';
    return EXIT_DONE;
}

enum exit_code pin_check(const struct token *token, enum pin_owner owner)
{
    const PKCS11_TOKEN *info = token->info;

    if (!info->initialized)
        return fail("%s is not initialised: 'devid token init' does that",
                    token->name);
    if (owner == PIN_SO && info->soPinLocked)
        return fail("the security officer's PIN of %s is locked: the token can "
                    "only be erased now, by the means of its maker",
                    token->name);
    if (owner == PIN_USER && info->userPinLocked)
        return fail("the user PIN of %s is locked: its security officer gives "
                    "it a new one with 'devid token unblock'",
                    token->name);
    if (owner == PIN_USER && !info->userPinSet)
        return fail("%s has no user PIN yet: its security officer gives it one "
                    "with 'devid token set-pin'",
                    token->name);
    return EXIT_DONE;
}

enum exit_code token_login(struct token *token, enum pin_owner owner,
                           const struct secret *pin)
{
    enum exit_code code = pin_check(token, owner);

    if (code != EXIT_DONE)
        return code;
    ERR_clear_error();
    if (PKCS11_open_session(token->slot, 1) ||
        PKCS11_login(token->slot, owner == PIN_SO, pin->data))
        return token_fail(token, owner,
                          owner == PIN_SO ? "log its security officer in"
                                          : "log its user in");
    return EXIT_DONE;
}

/* What the token now tells of the tries that are left; asks it anew. */
static const char *tries_left(struct token *token, enum pin_owner owner)
{
    bool so = owner == PIN_SO;

    if (token_refresh(token) != EXIT_DONE)
        return "";
    if (so ? token->info->soPinLocked : token->info->userPinLocked)
        return "; it is locked now";
    if (so ? token->info->soPinFinalTry : token->info->userPinFinalTry)
        return "; one try is left before it is locked";
    if (so ? token->info->soPinCountLow : token->info->userPinCountLow)
        return "; the token counts wrong ones, and locks it after some";
    return "; the token does not tell how many tries are left";
}

enum exit_code token_fail(struct token *token, enum pin_owner owner,
                          const char *doing)
{
    unsigned long rv = token_rv();

    switch (rv) {
    case CKR_PIN_INCORRECT:
        return fail("%s refused the %s, which is not tried again%s (0x%lx)",
                    token->name, owner_words[owner], tries_left(token, owner),
                    rv);
    case CKR_PIN_LOCKED:
        return fail("the %s of %s is locked%s (0x%lx)", owner_words[owner],
                    token->name,
                    owner == PIN_USER ? ": its security officer gives it a new "
                                        "one with 'devid token unblock'"
                                      : "",
                    rv);
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
        return fail("%s takes no PIN of this length or of these characters "
                    "(0x%lx)",
                    token->name, rv);
    case CKR_SESSION_EXISTS:
        return fail("%s is in use by a program, so it cannot be initialised "
                    "(0x%lx)",
                    token->name, rv);
    default:
        return fail("%s did not %s: %s (0x%lx)", token->name, doing,
                    token_rv_words(rv), rv);
    }
}
