/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

enum {
    LABEL_WIDTH = 22,
    TABLE_COLUMNS = 8,
    CELL_SIZE = 64
};

static json_t *check(json_t *value)
{
    if (!value)
        die_no_memory();
    return value;
}

json_t *report_new(void)
{
    return check(json_object());
}

json_t *report_array(void)
{
    return check(json_array());
}

/* What is no UTF-8, or would steer a terminal, is spelt \xNN. */
static json_t *clean_string(const char *text)
{
    size_t len = strlen(text);
    json_t *whole = json_stringn(text, len);
    bool keep_high = whole != NULL;
    char *clean = calloc(len + 1, sizeof("\\xNN") - 1);
    char *at = clean;
    json_t *value;

    json_decref(whole);
    if (!clean)
        die_no_memory();
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < 0x20 || *c == 0x7f || (*c >= 0x80 && !keep_high))
            at += sprintf(at, "\\x%02x", *c);
        else
            *at++ = (char)*c;
    }
    value = check(json_stringn(clean, (size_t)(at - clean)));
    free(clean);
    return value;
}

void report_value(json_t *report, const char *name, json_t *value)
{
    if (json_is_array(value) && json_array_size(value) == 0) {
        json_decref(value);
        return;
    }
    if (json_object_set_new(report, name, check(value)))
        die_no_memory();
}

void report_text(json_t *report, const char *name, const char *text)
{
    if (text && *text)
        report_value(report, name, clean_string(text));
}

void report_number(json_t *report, const char *name, json_int_t number)
{
    report_value(report, name, json_integer(number));
}

void report_flag(json_t *report, const char *name, bool flag)
{
    report_value(report, name, json_boolean(flag));
}

void report_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, check(value)))
        die_no_memory();
}

void report_append_text(json_t *array, const char *text)
{
    report_append(array, clean_string(text));
}

void report_words(json_t *report, const char *name, const char *words)
{
    json_t *array = report_array();
    char *copy = strdup(words);
    char *rest = copy;
    char *word;

    if (!copy)
        die_no_memory();
    while ((word = strsep(&rest, ",")) != NULL) {
        word += strspn(word, " ");
        if (*word)
            report_append_text(array, word);
    }
    free(copy);
    report_value(report, name, array);
}

const char *report_get(const json_t *report, const char *name)
{
    const char *text = json_string_value(json_object_get(report, name));

    return text ? text : "";
}

void report_print_json(const json_t *report)
{
    /* A full disk shows at the end of main. */
    (void)json_dumpf(report, stdout, JSON_INDENT(2));
    putchar('\n');
}

static void print_value(const json_t *value)
{
    const json_t *element;
    size_t i;

    if (json_is_string(value))
        printf("%s", json_string_value(value));
    else if (json_is_integer(value))
        printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value))
        printf("%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_null(value))
        printf("none");
    json_array_foreach(value, i, element)
    {
        printf("%s", i > 0 ? ", " : "");
        print_value(element);
    }
}

void report_print_text(json_t *report)
{
    const char *name;
    json_t *value;

    json_object_foreach(report, name, value)
    {
        int width = 0;
        for (const char *c = name; *c; c++, width++)
            putchar(*c == '_' ? ' ' : *c);
        printf(":%*s", width < LABEL_WIDTH ? LABEL_WIDTH - width : 1, "");
        print_value(value);
        putchar('\n');
    }
}

static int cell_width(const json_t *row, size_t column)
{
    const char *text = json_string_value(json_array_get(row, column));
    int width = 0;

    /* Characters, not bytes: a subject may be in any script. */
    for (; text && *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void report_print_table(const json_t *rows)
{
    int widths[TABLE_COLUMNS] = {0};
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        for (size_t j = 0; j < json_array_size(row); j++) {
            if (cell_width(row, j) > widths[j])
                widths[j] = cell_width(row, j);
        }
    }
    json_array_foreach(rows, i, row)
    {
        size_t columns = json_array_size(row);
        for (size_t j = 0; j < columns; j++) {
            bool last = j + 1 == columns;
            printf("%s", json_string_value(json_array_get(row, j)));
            printf("%*s", last ? 0 : widths[j] + 2 - cell_width(row, j), "");
        }
        putchar('\n');
    }
}

static const char *column_text(const struct report_column *column,
                               const json_t *object, char *room, size_t size)
{
    const json_t *value;

    if (column->text)
        return column->text(object, room, size);
    value = json_object_get(object, column->member);
    if (!json_is_integer(value))
        return report_get(object, column->member);
    snprintf(room, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return room;
}

void report_print_columns(const json_t *objects,
                          const struct report_column *columns)
{
    json_t *rows = report_array();
    json_t *row = report_array();
    const json_t *object;
    char room[CELL_SIZE];
    size_t i;

    for (const struct report_column *column = columns; column->head; column++)
        report_append_text(row, column->head);
    report_append(rows, row);
    json_array_foreach(objects, i, object)
    {
        row = report_array();
        for (const struct report_column *column = columns; column->head;
             column++) {
            const char *text = column_text(column, object, room, sizeof(room));
            report_append_text(row, *text ? text : "-");
        }
        report_append(rows, row);
    }
    report_print_table(rows);
    json_decref(rows);
}
