/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens.h"

#include <openssl/err.h>
#include <p11-kit/p11-kit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "token_uri.h"

#define MODULE_VARIABLE "DEVID_PKCS11_MODULE"

enum {
    LIST_MAX = 400
}; /* bytes of a list of tokens in a sentence */

unsigned long token_rv(void)
{
    unsigned long error = ERR_peek_last_error();

    /* That function answers libp11's number for the module's own errors. */
    if (error == 0 || ERR_GET_LIB(error) != ERR_get_CKR_code())
        return CKR_OK;
    return (unsigned long)ERR_GET_REASON(error);
}

const char *token_rv_words(unsigned long rv)
{
    return rv == CKR_OK ? "it gave no reason" : p11_kit_strerror(rv);
}

/* ---- modules --------------------------------------------------------- */

static void release_slots(struct token_module *module)
{
    if (module->slots)
        PKCS11_release_all_slots(module->ctx, module->slots,
                                 module->slots_count);
    module->slots = NULL;
    module->slots_count = 0;
}

static enum exit_code read_slots(struct token_module *module)
{
    release_slots(module);
    ERR_clear_error();
    if (PKCS11_enumerate_slots(module->ctx, &module->slots,
                               &module->slots_count) == 0)
        return EXIT_DONE;
    /* libp11 0.4.12 fails without a reason where a module has no slot. */
    module->slots = NULL;
    module->slots_count = 0;
    return token_rv() == CKR_OK ? EXIT_DONE : EXIT_FAILED;
}

/* False, with the reason in libcrypto's queue, where it does not start. */
static bool start_module(struct token_module *module)
{
    bool started;

    ERR_clear_error();
    module->ctx = PKCS11_CTX_new();
    if (!module->ctx)
        die_no_memory();
    devid_foreign_enter(module->path, "C_Initialize");
    started = PKCS11_CTX_load(module->ctx, module->path) == 0;
    devid_foreign_enter(module->path, NULL);
    started = started && read_slots(module) == EXIT_DONE;
    devid_foreign_leave();
    if (started)
        return true;
    PKCS11_CTX_free(module->ctx);
    module->ctx = NULL;
    return false;
}

static enum exit_code start_modules(struct tokens *tokens, bool named)
{
    tokens->modules = calloc(tokens->files.count, sizeof(*tokens->modules));
    if (!tokens->modules)
        die_no_memory();
    for (size_t i = 0; i < tokens->files.count; i++) {
        struct token_module *module = &tokens->modules[tokens->count];
        module->path = tokens->files.paths[i];
        if (start_module(module)) {
            tokens->count++;
            continue;
        }
        if (named)
            return fail("the PKCS#11 module %s does not start: %s (0x%lx)",
                        module->path, token_rv_words(token_rv()), token_rv());
        note("the PKCS#11 module %s does not start: %s (0x%lx)", module->path,
             token_rv_words(token_rv()), token_rv());
    }
    return EXIT_DONE;
}

enum exit_code tokens_open(const struct args *args, struct tokens *tokens)
{
    const char *device = args_text(args, ROW_TOKEN);
    const char *path = args_text(args, ROW_MODULE);
    const char *name = NULL;
    enum exit_code code = EXIT_DONE;

    *tokens = (struct tokens){0};
    if (device)
        code = token_uri_parse(device, &tokens->uri);
    if (code != EXIT_DONE)
        return code;
    if (!path)
        path = getenv(MODULE_VARIABLE);
    if (tokens->uri && p11_kit_uri_get_module_path(tokens->uri))
        path = p11_kit_uri_get_module_path(tokens->uri);
    if (tokens->uri)
        name = p11_kit_uri_get_module_name(tokens->uri);
    /* tpm2-pkcs11 would print its TPM library's log. */
    setenv("TSS2_LOG", "all+none", 0);
    code = modules_find(name ? NULL : path, name, &tokens->files);
    if (code != EXIT_DONE)
        return code;
    return start_modules(tokens, path || name);
}

void tokens_close(struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        struct token_module *module = &tokens->modules[i];
        release_slots(module);
        PKCS11_CTX_unload(module->ctx);
        PKCS11_CTX_free(module->ctx);
    }
    free(tokens->modules);
    modules_clear(&tokens->files);
    if (tokens->uri)
        p11_kit_uri_free(tokens->uri);
    *tokens = (struct tokens){0};
}

/* ---- tokens ---------------------------------------------------------- */

/* libp11's strings as PKCS#11 has them, padded by blanks; "" as no value. */
static void pad(CK_UTF8CHAR *field, size_t size, const char *text)
{
    if (*text == '\0')
        return;
    memset(field, ' ', size);
    memcpy(field, text, strnlen(text, size));
}

static void fill_info(const struct token *token, CK_TOKEN_INFO *info)
{
    *info = (CK_TOKEN_INFO){0};
    pad(info->label, sizeof(info->label), token->info->label);
    pad(info->manufacturerID, sizeof(info->manufacturerID),
        token->info->manufacturer);
    pad(info->model, sizeof(info->model), token->info->model);
    pad(info->serialNumber, sizeof(info->serialNumber), token->info->serialnr);
}

static void fill_token(struct token_module *module, PKCS11_SLOT *slot,
                       struct token *token)
{
    *token = (struct token){
        .module = module,
        .slot_id = PKCS11_get_slotid_from_slot(slot),
        .slot = slot,
        .info = slot->token,
    };
    if (*slot->token->label)
        snprintf(token->name, sizeof(token->name), "the token %s",
                 slot->token->label);
    else
        snprintf(token->name, sizeof(token->name), "the token in slot %lu",
                 token->slot_id);
}

enum exit_code tokens_each(struct tokens *tokens, token_fn *fn, void *arg)
{
    for (size_t i = 0; i < tokens->count; i++) {
        struct token_module *module = &tokens->modules[i];
        for (unsigned j = 0; j < module->slots_count; j++) {
            struct token token;
            enum exit_code code;
            if (!module->slots[j].token)
                continue;
            fill_token(module, &module->slots[j], &token);
            code = fn(&token, arg);
            if (code != EXIT_DONE)
                return code;
        }
    }
    return EXIT_DONE;
}

/* ---- the one that is meant ------------------------------------------- */

struct search {
    P11KitUri *uri;
    bool blank;
    struct token *found;
    unsigned count;
    char list[LIST_MAX];
};

static bool matches(const struct search *search, const struct token *token)
{
    CK_SLOT_ID slot_id;
    CK_TOKEN_INFO info;

    if (!search->uri)
        return token->info->initialized != search->blank;
    slot_id = p11_kit_uri_get_slot_id(search->uri);
    if (slot_id != (CK_SLOT_ID)-1 && slot_id != token->slot_id)
        return false;
    fill_info(token, &info);
    return p11_kit_uri_match_token_info(search->uri, &info) == 1;
}

static enum exit_code look_at(const struct token *token, void *arg)
{
    struct search *search = arg;
    size_t used = strlen(search->list);

    if (!matches(search, token))
        return EXIT_DONE;
    *search->found = *token;
    search->count++;
    snprintf(search->list + used, sizeof(search->list) - used,
             "%s%s (serial %s, slot %lu)", used ? ", " : "",
             *token->info->label ? token->info->label : "no label",
             *token->info->serialnr ? token->info->serialnr : "none",
             token->slot_id);
    return EXIT_DONE;
}

enum exit_code tokens_find(struct tokens *tokens, bool blank,
                           struct token *token)
{
    struct search search = {.uri = tokens->uri, .blank = blank, .found = token};

    tokens_each(tokens, look_at, &search);
    if (search.count == 1)
        return EXIT_DONE;
    if (search.count > 1)
        return fail("%u tokens match: %s; name one by --device, as 'devid "
                    "token list' prints it",
                    search.count, search.list);
    if (tokens->uri)
        return fail("there is no such token: 'devid token list' prints those "
                    "that there are");
    return fail("there is no token that is %sinitialised: 'devid token list' "
                "prints those that there are",
                blank ? "not yet " : "");
}

enum exit_code token_refresh(struct token *token)
{
    struct token_module *module = token->module;
    unsigned long slot_id = token->slot_id;

    /* Not PKCS11_update_slots: libp11 0.4.12 frees twice what it replaces. */
    if (read_slots(module) != EXIT_DONE)
        return fail("%s does not answer any more: %s (0x%lx)", token->name,
                    token_rv_words(token_rv()), token_rv());
    for (unsigned i = 0; i < module->slots_count; i++) {
        if (module->slots[i].token &&
            PKCS11_get_slotid_from_slot(&module->slots[i]) == slot_id) {
            fill_token(module, &module->slots[i], token);
            return EXIT_DONE;
        }
    }
    return fail("%s is gone", token->name);
}

/* ---- in words -------------------------------------------------------- */

static const char *pin_words(bool locked, bool final_try, bool count_low)
{
    if (locked)
        return "locked";
    if (final_try)
        return "one try left";
    return count_low ? "wrong before" : "";
}

void token_describe(json_t *report, const struct token *token)
{
    const PKCS11_TOKEN *info = token->info;
    P11KitUri *uri = p11_kit_uri_new();
    char *text = NULL;

    fill_info(token, p11_kit_uri_get_token_info(uri));
    if (!info->initialized) /* it has no label or serial of its own yet */
        p11_kit_uri_set_slot_id(uri, token->slot_id);
    if (p11_kit_uri_format(uri, P11_KIT_URI_FOR_ANY, &text) != P11_KIT_URI_OK)
        die_no_memory();
    report_text(report, "uri", text);
    free(text);
    p11_kit_uri_free(uri);
    report_text(report, "label", info->label);
    report_text(report, "manufacturer", info->manufacturer);
    report_text(report, "model", info->model);
    report_text(report, "serial", info->serialnr);
    report_number(report, "slot", (json_int_t)token->slot_id);
    report_text(report, "module", token->module->path);
    report_flag(report, "initialized", info->initialized);
    report_flag(report, "login_required", info->loginRequired);
    report_flag(report, "user_pin_set", info->userPinSet);
    if (!info->initialized)
        return; /* what it says of its PINs means nothing yet */
    report_text(report, "user_pin",
                pin_words(info->userPinLocked, info->userPinFinalTry,
                          info->userPinCountLow));
    report_text(
        report, "so_pin",
        pin_words(info->soPinLocked, info->soPinFinalTry, info->soPinCountLow));
}
