/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutants of key files: what damage, carelessness or malice makes of them.
 *
 * A mutant is a function of the seed, its number and the files it is made
 * from, on any machine.
 */
#ifndef MUTATE_H
#define MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data; /* malloc; never NULL */
    size_t len;
};

struct rng {
    uint64_t state;
};

/* One way to change a file. It may leave it as it is where nothing in it can
 * be changed so. */
typedef void mutation_fn(struct bytes *file, struct rng *rng);

struct mutation {
    const char *name;
    mutation_fn *apply;
};

/* Tables that end with a NULL name. */
extern const struct mutation raw_mutations[];  /* of any bytes */
extern const struct mutation text_mutations[]; /* of PEM */
extern const struct mutation der_mutations[];  /* of DER */

/* ---- raw.c ----------------------------------------------------------- */

/* Prints "mutate: " and the text to stderr, and exits with 2. */
_Noreturn void die(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

struct rng rng_new(uint64_t seed, uint64_t number);
size_t rng_below(struct rng *rng, size_t limit); /* 0: gives 0 */

/* A NULL `data` gives `len` zeros. */
struct bytes bytes_new(const void *data, size_t len);
void bytes_free(struct bytes *bytes);

/* Replace `removed` bytes at `at` by `len` others. */
void bytes_splice(struct bytes *bytes, size_t at, size_t removed,
                  const void *data, size_t len);

/* ---- pem.c ----------------------------------------------------------- */

/* Where a PEM block of a key of ours lies in a text. */
struct block {
    size_t body; /* the base64, from here ... */
    size_t end;  /* ... to the line that ends it */
};

/* Is the first PEM block of this text one of ours, its BEGIN line whole, and
 * nothing behind it? */
bool pem_is_ours(const struct bytes *text);

bool pem_find(const struct bytes *text, struct block *block);
struct bytes pem_decode(const struct bytes *text, const struct block *block);
void pem_replace(struct bytes *text, const struct block *block,
                 const struct bytes *der);

#endif
