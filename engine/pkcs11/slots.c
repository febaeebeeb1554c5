/* SPDX-License-Identifier: Apache-2.0 */
/* Where a token is: searched for in slots, lost, and found again. */
#include "pkcs11.h"

#include <stdio.h>
#include <string.h>

/* Does the slot hold the token that the URI names? _OK, _NOT_FOUND, others. */
static enum devid_err look_at(struct p11_token *t, struct p11_module *m,
                              CK_SLOT_ID slot, CK_TOKEN_INFO *info,
                              struct devid_error *err)
{
    CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(t->uri.kit);
    CK_SLOT_INFO slot_info;
    CK_RV rv;

    /* None of p11-kit's functions looks at it. */
    if ((t->uri.seen & P11_SEEN_SLOT_ID) != 0 && slot != wanted)
        return DEVID_ERR_NOT_FOUND;
    if ((t->uri.seen & P11_SEEN_SLOT_INFO) != 0) {
        rv = m->f->C_GetSlotInfo(slot, &slot_info);
        if (rv != CKR_OK)
            return p11_fail(err, rv, "describe its slot");
        if (!p11_kit_uri_match_slot_info(t->uri.kit, &slot_info))
            return DEVID_ERR_NOT_FOUND;
    }
    rv = m->f->C_GetTokenInfo(slot, info);
    if (rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_TOKEN_NOT_RECOGNIZED ||
        rv == CKR_SLOT_ID_INVALID)
        return DEVID_ERR_NOT_FOUND; /* taken away just now */
    if (rv != CKR_OK)
        return p11_fail(err, rv, "describe itself");
    /* SoftHSM's next token is such a slot: no key can be there. */
    if ((info->flags & CKF_TOKEN_INITIALIZED) == 0)
        return DEVID_ERR_NOT_FOUND;
    return p11_kit_uri_match_token_info(t->uri.kit, info) ? DEVID_OK
                                                          : DEVID_ERR_NOT_FOUND;
}

/* The tokens that fit, while they are looked for. */
struct search {
    struct p11_token *token; /* gets the place of the first */
    unsigned count;
    char list[320]; /* of them, as far as they go in */
};

/* A field of fixed width, padded with blanks, as a text. */
static void put_field(char *text, size_t size, const CK_UTF8CHAR *field,
                      size_t field_size)
{
    size_t len = p11_kit_space_strlen(field, field_size);

    (void)snprintf(text, size, "%.*s", (int)len, (const char *)field);
}

static void note_match(struct search *s, struct p11_module *m, CK_SLOT_ID slot,
                       const CK_TOKEN_INFO *info)
{
    struct p11_token *t = s->token;
    size_t used = strlen(s->list);
    char label[sizeof(info->label) + 1];
    char serial[sizeof(info->serialNumber) + 1];
    int n;

    put_field(label, sizeof(label), info->label, sizeof(info->label));
    put_field(serial, sizeof(serial), info->serialNumber,
              sizeof(info->serialNumber));
    if (s->count++ == 0) {
        t->module = m;
        t->epoch = p11_module_epoch(m);
        t->slot = slot;
        t->info = *info;
        memcpy(t->label, label, sizeof(label));
    }
    n = snprintf(s->list + used, sizeof(s->list) - used,
                 "%s'%s' (serial=%s;slot-id=%lu)", used == 0 ? "" : ", ", label,
                 serial, slot);
    if (n < 0 || (size_t)n >= sizeof(s->list) - used)
        s->list[used] = '\0'; /* the first are enough to choose by */
}

/* The first that fits is it where it is named so that no other can be. */
static bool is_certain(const struct p11_token *t)
{
    const unsigned both = P11_SEEN_TOKEN | P11_SEEN_SERIAL;

    return ((t->uri.seen & P11_SEEN_SLOT_ID) != 0 && t->in.count == 1) ||
           (t->uri.seen & both) == both;
}

static enum devid_err search_slots(struct search *s, struct p11_module *m,
                                   struct devid_error *err)
{
    CK_SLOT_ID slots[P11_SLOTS_MAX];
    CK_ULONG count = P11_SLOTS_MAX;
    CK_RV rv = m->f->C_GetSlotList(CK_TRUE, slots, &count);

    if (rv != CKR_OK)
        return p11_fail(err, rv, "say which slots there are");
    if (count > P11_SLOTS_MAX)
        return p11_fail_excess(err, count, P11_SLOTS_MAX, "slots");
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        enum devid_err e = look_at(s->token, m, slots[i], &info, err);

        if (e == DEVID_ERR_NOT_FOUND)
            continue;
        if (e != DEVID_OK)
            return e;
        note_match(s, m, slots[i], &info);
        if (is_certain(s->token))
            break;
    }
    return DEVID_OK;
}

static enum devid_err search_module(struct search *s, struct p11_module *m,
                                    struct devid_error *err)
{
    const struct p11_token *t = s->token;
    CK_INFO info;
    enum devid_err e = p11_module_start(m, err);
    CK_RV rv;

    if (e != DEVID_OK)
        return e;
    if ((t->uri.seen & P11_SEEN_LIBRARY) != 0) {
        rv = m->f->C_GetInfo(&info);
        if (rv != CKR_OK)
            return p11_fail(err, rv, "describe its module");
        if (!p11_kit_uri_match_module_info(t->uri.kit, &info))
            return DEVID_OK;
    }
    return search_slots(s, m, err);
}

/* One of several modules that does not start may still be the wrong one. */
static enum devid_err search(struct p11_token *t, struct devid_error *err)
{
    struct search s = {.token = t};
    enum devid_err failed = DEVID_OK;

    for (size_t i = 0; i < t->in.count; i++) {
        enum devid_err e = search_module(&s, t->in.modules[i], err);

        if (e != DEVID_OK)
            failed = e;
        if (s.count > 0 && is_certain(t))
            return DEVID_OK;
    }
    if (s.count == 1)
        return DEVID_OK;
    if (s.count > 1)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "%u tokens fit the URI '%.200s': %s; add to it what "
                          "tells the one that is meant from the others",
                          s.count, t->key, s.list);
    if (failed != DEVID_OK)
        return failed;
    return devid_fail(err, DEVID_ERR_NO_DEVICE, CKR_TOKEN_NOT_PRESENT,
                      "no token fits the URI '%.300s': it is not there, or "
                      "another module has it; p11-kit list-modules shows the "
                      "tokens of registered modules",
                      t->key);
}

/* Locked. What an earlier start of the module gave is void. */
static void reset(struct p11_token *t)
{
    t->module = NULL;
    t->logged_in = false;
    t->idle_count = 0;
    t->open_count = 0;
    t->contact++;
}

/* ---- contact --------------------------------------------------------- */

enum devid_err p11_token_connect(struct p11_token *token,
                                 struct devid_error *err)
{
    enum devid_err e = DEVID_OK;

    pthread_mutex_lock(&token->lock);
    if (token->module == NULL ||
        token->epoch != p11_module_epoch(token->module)) {
        reset(token);
        e = search(token, err);
        if (e != DEVID_OK)
            token->module = NULL;
    }
    pthread_mutex_unlock(&token->lock);
    return e;
}

/* Locked. A module that says so once, with its token still there, would keep
 * them for good; where they are gone it only says that, too. */
static void close_idle(const struct p11_token *t)
{
    if (t->module == NULL || t->epoch != p11_module_epoch(t->module))
        return;
    for (size_t i = 0; i < t->idle_count; i++)
        (void)t->module->f->C_CloseSession(t->idle[i]);
}

void p11_token_forget(struct p11_token *token, uint64_t contact, CK_RV rv)
{
    pthread_mutex_lock(&token->lock);
    /* Where another thread was faster, what it has made is good. */
    if (token->contact == contact) {
        if (p11_rv_action(rv) == P11_ACTION_REOPEN) {
            close_idle(token);
            reset(token);
        }
        token->logged_in = false;
        token->contact++;
    }
    pthread_mutex_unlock(&token->lock);
}

/* Locked. Nobody has a session of its own. */
static bool is_idle(const struct p11_token *t)
{
    return t->open_count == t->idle_count;
}

/* Both locked. */
static void move(struct p11_token *from, struct p11_token *to)
{
    to->module = from->module;
    to->epoch = from->epoch;
    to->slot = from->slot;
    to->info = from->info;
    memcpy(to->label, from->label, sizeof(to->label));
    to->logged_in = from->logged_in;
    to->open_count = from->open_count;
    to->idle_count = from->idle_count;
    memcpy(to->idle, from->idle, sizeof(to->idle));
    to->contact++;
    to->found = from->found;
    if (from->found.contact == from->contact)
        to->found.contact = to->contact;
    reset(from);
}

void p11_token_move(struct p11_token *from, struct p11_token *to)
{
    /* One order for all threads. */
    struct p11_token *first = from < to ? from : to;
    struct p11_token *second = from < to ? to : from;

    p11_gate_enter(); /* so that no fork finds them locked */
    pthread_mutex_lock(&first->lock);
    pthread_mutex_lock(&second->lock);
    if (from->module != NULL && to->module == NULL && is_idle(from))
        move(from, to);
    pthread_mutex_unlock(&second->lock);
    pthread_mutex_unlock(&first->lock);
    p11_gate_leave();
}
