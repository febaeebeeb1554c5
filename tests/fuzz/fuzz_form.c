/* SPDX-License-Identifier: Apache-2.0 */
/* What a browser sends, and what a page makes of it. */
#include "fuzz.h"

#include "form.h"
#include "html.h"
#include "utf8.h"

#include <string.h>

/* Between the quotes of an attribute, and between tags, nothing ends it. */
static void expect_no_markup(const char *value)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    must(out != NULL);
    html_print(out, "%s", value);
    must(fclose(out) == 0);
    must(strpbrk(text, "<>\"'") == NULL);
    must(utf8_is_clean(text));
    free(text);
}

/* What a link has in its query comes back as it was. */
static void expect_same(const char *value)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct form form;

    must(out != NULL);
    (void)fputs("a=", out);
    html_query(out, value);
    must(fclose(out) == 0);
    must(form_parse(text, len, &form) == NULL);
    must(strcmp(form_get(&form, "a"), value) == 0);
    form_clear(&form);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct form form;

    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    expect_no_markup(text);
    free(text);
    if (form_parse(data, size, &form) == NULL) {
        for (size_t i = 0; i < form.count; i++) {
            must(utf8_is_clean(form.fields[i].name));
            must(utf8_is_clean(form.fields[i].value));
            expect_no_markup(form.fields[i].value);
            expect_same(form.fields[i].value);
        }
    }
    form_clear(&form);
    return 0;
}
