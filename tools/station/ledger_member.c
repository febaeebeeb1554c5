/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_member.h"

#include <openssl/crypto.h>
#include <string.h>

bool word_parse(const char *const *words, const char *name, unsigned *at)
{
    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(words[i], name) != 0)
            continue;
        *at = i;
        return true;
    }
    return false;
}

static struct ledger_value member_value(const struct member *member,
                                        const void *at)
{
    const struct ledger_blob *blob = at;

    switch (member->kind) {
    case MEMBER_TEXT:
        return value_text(at);
    case MEMBER_NAME:
        return value_name(at);
    case MEMBER_WORD:
        return value_text(member->words[*(const unsigned *)at]);
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

void members_to_values(const struct members *members, const void *base,
                       struct ledger_value *values)
{
    for (unsigned i = 0; i < members->count; i++)
        values[i] = member_value(&members->list[i],
                                 (const char *)base + members->list[i].offset);
}

void blob_free(struct ledger_blob *blob)
{
    OPENSSL_free(blob->data);
    *blob = (struct ledger_blob){0};
}

/* What stands there is not its own. */
static bool own_blob(struct ledger_blob *blob, const void *data, size_t len)
{
    *blob = (struct ledger_blob){0};
    if (len == 0)
        return true;
    blob->data = OPENSSL_memdup(data, len);
    blob->len = blob->data ? len : 0;
    return blob->data != NULL;
}

bool blob_copy(struct ledger_blob *to, const struct ledger_blob *from)
{
    struct ledger_blob copy;

    if (!own_blob(&copy, from->data, from->len))
        return false;
    blob_free(to);
    *to = copy;
    return true;
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
    case MEMBER_WORD:
        /* A word that nobody knows is found by the row's digest. */
        if (!word_parse(member->words, row_text(row, column), at))
            *(unsigned *)at = 0;
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
        return own_blob(at, value->data, value->len);
    }
    return false;
}

bool members_from_row(const struct members *members,
                      const struct ledger_row *row, void *base)
{
    bool ok = true;

    for (unsigned i = 0; i < members->count; i++)
        ok = member_from_row(row, i, &members->list[i],
                             (char *)base + members->list[i].offset) &&
             ok;
    return ok;
}

static struct ledger_blob *blob_at(const struct members *members, unsigned at,
                                   void *base)
{
    const struct member *member = &members->list[at];

    return member->kind == MEMBER_BLOB
               ? (struct ledger_blob *)(void *)((char *)base + member->offset)
               : NULL;
}

bool members_own_blobs(const struct members *members, void *base)
{
    bool ok = true;

    for (unsigned i = 0; i < members->count; i++) {
        struct ledger_blob *blob = blob_at(members, i, base);
        ok = (!blob || own_blob(blob, blob->data, blob->len)) && ok;
    }
    return ok;
}

void members_free_blobs(const struct members *members, void *base)
{
    for (unsigned i = 0; i < members->count; i++) {
        struct ledger_blob *blob = blob_at(members, i, base);
        if (blob)
            blob_free(blob);
    }
}
