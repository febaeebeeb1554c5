/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of a struct as the columns of a row, by a table of them.
 */
#ifndef DEVID_STATION_LEDGER_MEMBER_H
#define DEVID_STATION_LEDGER_MEMBER_H

#include "ledger_store.h"

enum member_kind {
    MEMBER_TEXT,
    MEMBER_NAME, /* text, NULL where it is empty: many may be */
    MEMBER_WORD, /* an enum, whose names are `words` */
    MEMBER_FLAG,
    MEMBER_COUNT,
    MEMBER_REASON,
    MEMBER_TIME, /* or any other int64_t */
    MEMBER_BLOB,
};

struct member {
    enum member_kind kind;
    size_t offset;
    size_t size;
    const char *const *words; /* ended by NULL */
};

#define MEMBER(type, kind, name)                                               \
    {                                                                          \
        kind, offsetof(struct type, name),                                     \
            sizeof(((struct type *)NULL)->name), NULL                          \
    }
#define MEMBER_OF(type, name, words)                                           \
    {                                                                          \
        MEMBER_WORD, offsetof(struct type, name),                              \
            sizeof(((struct type *)NULL)->name), words                         \
    }

/* In the order of the row's columns. */
struct members {
    const struct member *list;
    unsigned count;
};

/* The values borrow from what is at `base`. */
void members_to_values(const struct members *members, const void *base,
                       struct ledger_value *values);
/* Into what is zeroed. False: out of memory; the caller clears it. */
bool members_from_row(const struct members *members,
                      const struct ledger_row *row, void *base);
/* Bytes of its own for each blob of a struct that was copied. */
bool members_own_blobs(const struct members *members, void *base);
void members_free_blobs(const struct members *members, void *base);

/* Bytes of its own, in place of what was there. False: out of memory, and it is
 * unchanged. */
bool blob_copy(struct ledger_blob *to, const struct ledger_blob *from);
void blob_free(struct ledger_blob *blob);

/* Which of the words it is; false: none. */
bool word_parse(const char *const *words, const char *name, unsigned *at);

#endif
