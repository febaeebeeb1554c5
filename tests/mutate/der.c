/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of DER that keep its form: of one element's tag, length or value.
 * The lengths around it follow, or stay as they are.
 */
#include "mutate.h"

#include <string.h>

#define ELEMENTS_MAX 128
#define DEPTH_MAX 8
#define NONE ((size_t)-1)
#define CONSTRUCTED 0x20
#define HEADER_MAX 10

/* Values that go through the limits of what reads them. */
#define VALUE_MAX 70000
#define COPIES_MAX 50
#define NESTED_MAX 2000

struct element {
    size_t at;
    size_t header_len;
    size_t len; /* of its value */
    size_t parent;
};

struct tree {
    struct bytes *der; /* borrowed from who made the tree */
    struct element elements[ELEMENTS_MAX];
    size_t count;
};

/* The element at `at`, if it ends before `end`. */
static bool read_element(const struct bytes *der, size_t at, size_t end,
                         struct element *element)
{
    size_t left = end - at;
    size_t octets;

    if (left < 2)
        return false;
    element->at = at;
    element->header_len = 2;
    element->len = der->data[at + 1];
    if (element->len >= 0x80) {
        octets = element->len & 0x7FU;
        if (octets == 0 || octets > 3 || left < 2 + octets)
            return false;
        element->header_len = 2 + octets;
        element->len = 0;
        for (size_t i = 0; i < octets; i++)
            element->len = element->len << 8 | der->data[at + 2 + i];
    }
    return element->len <= left - element->header_len;
}

static void read_level(struct tree *tree, size_t at, size_t end, size_t parent,
                       int depth)
{
    struct element element;
    size_t self;

    while (at < end && tree->count < ELEMENTS_MAX &&
           read_element(tree->der, at, end, &element)) {
        self = tree->count++;
        element.parent = parent;
        tree->elements[self] = element;
        at += element.header_len + element.len;
        if (depth < DEPTH_MAX &&
            (tree->der->data[element.at] & CONSTRUCTED) != 0)
            read_level(tree, element.at + element.header_len, at, self,
                       depth + 1);
    }
}

/* One element of the file; NULL where it has none. */
static const struct element *pick(struct bytes *der, struct rng *rng,
                                  struct tree *tree)
{
    tree->der = der;
    tree->count = 0;
    read_level(tree, 0, der->len, NONE, 0);
    return tree->count == 0 ? NULL
                            : &tree->elements[rng_below(rng, tree->count)];
}

/* DER's length octets. */
static size_t put_length(size_t len, uint8_t *out)
{
    size_t octets = 1;

    if (len < 0x80) {
        out[0] = (uint8_t)len;
        return 1;
    }
    while (octets < sizeof(len) && len >> (8 * octets) != 0)
        octets++;
    out[0] = (uint8_t)(0x80 | octets);
    for (size_t i = 0; i < octets; i++)
        out[1 + i] = (uint8_t)(len >> (8 * (octets - 1 - i)));
    return 1 + octets;
}

/* Splice within the value of element `within`; the lengths of that and of all
 * around it follow. */
static void splice(const struct tree *tree, size_t within, size_t at,
                   size_t removed, const struct bytes *data)
{
    uint8_t header[HEADER_MAX];
    size_t added = data->len;

    bytes_splice(tree->der, at, removed, data->data, data->len);
    while (within != NONE) {
        const struct element *e = &tree->elements[within];
        size_t header_len;

        header[0] = tree->der->data[e->at];
        header_len = 1 + put_length(e->len - removed + added, header + 1);
        bytes_splice(tree->der, e->at, e->header_len, header, header_len);
        removed += e->header_len;
        added += header_len;
        within = e->parent;
    }
}

/* ---- changes --------------------------------------------------------- */

static void change_length(struct bytes *der, struct rng *rng)
{
    static const char *const lengths[] = {
        "\x01\x7F",
        "\x01\x80", /* indefinite */
        "\x01\xFF",
        "\x02\x81\x7F",
        "\x03\x82\xFF\xFF",
        "\x04\x83\xFF\xFF\xFF",
        "\x05\x84\x7F\xFF\xFF\xFF",
        "\x05\x84\xFF\xFF\xFF\xFF",
        "\x09\x88\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
        "\x09\x88\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
    };
    struct tree tree;
    const struct element *e = pick(der, rng, &tree);
    size_t n = rng_below(rng, 4 + sizeof(lengths) / sizeof(*lengths));
    uint8_t octets[HEADER_MAX] = {0};
    struct bytes data = {octets, 1};

    if (e == NULL)
        return;
    if (n == 1)
        data.len = put_length(e->len + 1, octets);
    else if (n == 2)
        data.len = put_length(e->len == 0 ? 1 : e->len - 1, octets);
    else if (n == 3)
        data.len = put_length(rng_below(rng, 2 * der->len), octets);
    else if (n > 3) {
        data.len = (size_t)lengths[n - 4][0];
        memcpy(octets, lengths[n - 4] + 1, data.len);
    }
    if (rng_below(rng, 2) == 0)
        bytes_splice(der, e->at + 1, e->header_len - 1, octets, data.len);
    else
        splice(&tree, e->parent, e->at + 1, e->header_len - 1, &data);
}

static void change_tag(struct bytes *der, struct rng *rng)
{
    static const uint8_t tags[] = {
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x13, 0x1F, 0x24,
        0x30, 0x31, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xBF, 0xFF};
    struct tree tree;
    const struct element *e = pick(der, rng, &tree);

    if (e != NULL)
        der->data[e->at] = tags[rng_below(rng, sizeof(tags))];
}

static void remove_element(struct bytes *der, struct rng *rng)
{
    struct tree tree;
    const struct element *e = pick(der, rng, &tree);
    struct bytes nothing = bytes_new(NULL, 0);

    if (e != NULL)
        splice(&tree, e->parent, e->at, e->header_len + e->len, &nothing);
    bytes_free(&nothing);
}

/* An element once more, or many times more, behind itself. */
static void repeat_element(struct bytes *der, struct rng *rng)
{
    struct tree tree;
    const struct element *e = pick(der, rng, &tree);
    size_t copies = 1;
    struct bytes data;
    size_t len;

    if (e == NULL)
        return;
    if (rng_below(rng, 4) == 0)
        copies += rng_below(rng, COPIES_MAX);
    len = e->header_len + e->len;
    data = bytes_new(NULL, copies * len);
    for (size_t i = 0; i < copies; i++)
        memcpy(data.data + i * len, der->data + e->at, len);
    splice(&tree, e->parent, e->at, 0, &data);
    bytes_free(&data);
}

/* Another value: none, one byte, many; all alike, so also all zeros or -1. */
static void change_value(struct bytes *der, struct rng *rng)
{
    static const size_t lens[] = {0,  1,   2,   3,    4,    5,     8,
                                  33, 127, 128, 1024, 4096, 65536, VALUE_MAX};
    static const uint8_t fills[] = {0x00, 0x01, 0x30, 0x7F, 0x80, 0xFF};
    struct tree tree;
    const struct element *e = pick(der, rng, &tree);
    size_t len = lens[rng_below(rng, sizeof(lens) / sizeof(*lens))];
    uint8_t fill = fills[rng_below(rng, sizeof(fills))];
    struct bytes data;

    if (e == NULL)
        return;
    data = bytes_new(NULL, len);
    memset(data.data, fill, len);
    splice(&tree, (size_t)(e - tree.elements), e->at + e->header_len, e->len,
           &data);
    bytes_free(&data);
}

/* A TPM's structures are of big-endian words: sizes, algorithms, curves. */
static void change_word(struct bytes *der, struct rng *rng)
{
    static const uint16_t words[] = {
        0x0000, 0x0001, 0x0003, 0x0004, 0x0005, 0x0006, 0x0008, 0x000B, 0x000C,
        0x0010, 0x0014, 0x0016, 0x0018, 0x001A, 0x0020, 0x0023, 0x0025, 0x0030,
        0x0042, 0x0080, 0x0100, 0x0400, 0x0800, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF,
    };
    const size_t count = sizeof(words) / sizeof(*words);
    struct tree tree;
    const struct element *e = pick(der, rng, &tree);
    size_t n = rng_below(rng, count + 2);
    uint8_t *word;
    unsigned value;

    if (e == NULL || e->len < 2)
        return;
    word = der->data + e->at + e->header_len + 2 * rng_below(rng, e->len / 2);
    value = (unsigned)word[0] << 8 | word[1];
    value = n < count ? words[n] : n == count ? value + 1 : value - 1;
    word[0] = (uint8_t)(value >> 8);
    word[1] = (uint8_t)value;
}

/* An element as the innermost of many of no stated length. */
static void nest_element(struct bytes *der, struct rng *rng)
{
    struct tree tree;
    const struct element *e = pick(der, rng, &tree);
    size_t levels = 1 + rng_below(rng, NESTED_MAX);
    struct bytes data;

    if (e == NULL)
        return;
    data = bytes_new(NULL, 2 * levels);
    for (size_t i = 0; i < levels; i++) {
        data.data[2 * i] = 0x30;
        data.data[2 * i + 1] = 0x80;
    }
    splice(&tree, e->parent, e->at, 0, &data);
    bytes_free(&data);
}

const struct mutation der_mutations[] = {
    {"length", change_length},  {"tag", change_tag},
    {"remove", remove_element}, {"repeat", repeat_element},
    {"value", change_value},    {"word", change_word},
    {"nest", nest_element},     {NULL, NULL},
};
