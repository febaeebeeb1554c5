/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command has found out, in one JSON object from which both the text
 * for people and the output of --json are made. Members keep their order.
 * Running out of memory ends the program: a report is made after the work.
 */
#ifndef DEVID_TOOLS_REPORT_H
#define DEVID_TOOLS_REPORT_H

#include <jansson.h>
#include <stdbool.h>

json_t *report_new(void);
json_t *report_array(void);

/* Bytes that are not UTF-8 are written as \xNN. NULL and "" are left out. */
void report_text(json_t *report, const char *name, const char *text);
void report_number(json_t *report, const char *name, json_int_t number);
void report_flag(json_t *report, const char *name, bool flag);
/* Takes over `value`; an empty array is left out. */
void report_value(json_t *report, const char *name, json_t *value);
/* "a, b" as ["a", "b"]; left out where it is empty. */
void report_words(json_t *report, const char *name, const char *words);
/* Append to an array; `text` is cleaned as in report_text. */
void report_append(json_t *array, json_t *value);
void report_append_text(json_t *array, const char *text);

/* A string member, "" where it is not there; borrowed. */
const char *report_get(const json_t *report, const char *name);

/* As JSON, or a line a member, "public_key_sha256" as "public key sha256". */
void report_print_json(const json_t *report);
void report_print_text(json_t *report);

/* A column of a table: its head, and what stands in it of an object. */
struct report_column {
    const char *head;
    const char *member; /* a string, or a whole number; or */
    /* what it says of the object, in `room` or somewhere else */
    const char *(*text)(const json_t *object, char *room, size_t size);
};
/* Print a table of the objects in an array, "-" where one has nothing to say.
 * `columns` is ended by a NULL head. */
void report_print_columns(const json_t *objects,
                          const struct report_column *columns);

/* Print a table: the first row is its head; all are arrays of strings. */
void report_print_table(const json_t *rows);

#endif
