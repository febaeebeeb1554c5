/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of units: by serial number, batch and state, a page at a time. */
#include <stdio.h>
#include <string.h>

#include "fleet_page.h"
#include "html.h"

enum {
    PAGE_ROWS = 50,
    REFUSALS_SHOWN = 50
};

/* What the query asks for, borrowed from its form. */
struct wish {
    struct ledger_unit_page page;
    enum unit_state state;
};

struct list {
    FILE *out;
    unsigned count;
    char last[LEDGER_TEXT_SIZE];
    char last_batch[LEDGER_TEXT_SIZE];
    bool more;
};

/* ---- the query --------------------------------------------------------- */

static bool fits(const char *text)
{
    return strlen(text) < LEDGER_TEXT_SIZE;
}

static const char *read_wish(const struct form *form, struct wish *wish)
{
    const char *state = form_get(form, "state");

    *wish = (struct wish){.page = {
                              .prefix = form_get(form, "serial"),
                              .after = form_get(form, "after"),
                              .after_batch = form_get(form, "after_batch"),
                              .batch = form_get(form, "batch"),
                              .limit = PAGE_ROWS + 1, /* to see that it is */
                          }};
    if (!fits(wish->page.prefix) || !fits(wish->page.after) ||
        !fits(wish->page.after_batch) || !fits(wish->page.batch))
        return "no serial number, and no batch, has a name as long as that";
    if (*state && !unit_state_parse(state, &wish->state))
        return "there is no such state of a unit";
    wish->page.state = *state ? &wish->state : NULL;
    return NULL;
}

/* ---- the filter -------------------------------------------------------- */

static void put_option(FILE *out, const char *value, const char *text,
                       bool chosen)
{
    html_print(out, "<option value=\"%s\"%s>%s</option>", value,
               chosen ? " selected" : "", text);
}

static void put_filter(FILE *out, const struct wish *wish)
{
    html_print(out,
               "<form class=\"filter\" action=\"/fleet/units\" method=\"get\" "
               "aria-label=\"Which units\">\n"
               "<div><label for=\"serial\">Serial number begins with</label>"
               "<input id=\"serial\" name=\"serial\" value=\"%s\" "
               "maxlength=\"127\" autocomplete=\"off\" spellcheck=\"false\">"
               "</div>\n<div><label for=\"batch\">Batch</label>"
               "<input id=\"batch\" name=\"batch\" value=\"%s\" "
               "maxlength=\"127\" autocomplete=\"off\" spellcheck=\"false\">"
               "</div>\n<div><label for=\"state\">State</label>"
               "<select id=\"state\" name=\"state\">",
               wish->page.prefix, wish->page.batch);
    put_option(out, "", "any", !wish->page.state);
    for (unsigned state = 0; state < FIGURE_STATES; state++) {
        const char *name = unit_state_name((enum unit_state)state);
        put_option(out, name, name,
                   wish->page.state && *wish->page.state == state);
    }
    html_print(out, "</select></div>\n<button>Show</button>\n</form>\n");
}

/* ---- the list ---------------------------------------------------------- */

static bool put_unit(void *arg, const struct ledger_unit *unit)
{
    struct list *list = arg;
    FILE *out = list->out;

    if (list->count == PAGE_ROWS) {
        list->more = true;
        return false;
    }
    list->count++;
    snprintf(list->last, sizeof(list->last), "%s", unit->serial);
    snprintf(list->last_batch, sizeof(list->last_batch), "%s", unit->batch);
    html_print(out,
               "<tr><th scope=\"row\"><a href=\"/fleet/units/%s\">%s</a></th>"
               "<td>%s</td><td>%s</td><td>",
               unit->id, unit->serial, unit->model, unit->batch);
    page_state(out, unit->state);
    html_print(out, "</td><td>%s</td><td>", unit->attested ? "yes" : "no");
    page_time(out, unit->enrolled_ms);
    html_print(out, "</td><td>");
    page_time(out, unit->changed_ms);
    html_print(out, "</td></tr>\n");
    return true;
}

static void put_parameter(FILE *out, const char *name, const char *value)
{
    if (!*value)
        return;
    html_print(out, "%s=", name);
    html_query(out, value);
    html_print(out, "&amp;");
}

static void put_turns(FILE *out, const struct wish *wish,
                      const struct list *list)
{
    if (!list->more && !*wish->page.after)
        return;
    html_print(out, "<nav class=\"turn\" aria-label=\"Pages of the list\">"
                    "<ul>\n");
    for (int next = 0; next < 2; next++) {
        if (next ? !list->more : !*wish->page.after)
            continue;
        html_print(out, "<li><a href=\"/fleet/units?");
        put_parameter(out, "serial", wish->page.prefix);
        put_parameter(out, "batch", wish->page.batch);
        put_parameter(out, "state",
                      wish->page.state ? unit_state_name(wish->state) : "");
        if (next)
            put_parameter(out, "after", list->last);
        if (next && wish->page.state && !*wish->page.batch)
            put_parameter(out, "after_batch", list->last_batch);
        html_print(out, "\" rel=\"%s\">%s</a></li>\n", next ? "next" : "first",
                   next ? "Next page" : "First page");
    }
    html_print(out, "</ul></nav>\n");
}

/* ---- what never became a unit ------------------------------------------ */

struct refusals {
    FILE *out;
    unsigned count;
};

static bool put_refusal(void *arg, const struct ledger_entry *entry)
{
    struct refusals *refusals = arg;
    FILE *out = refusals->out;

    if (refusals->count++ == 0)
        html_print(out, "<h2>What was refused of it</h2>\n<table>\n<thead><tr>"
                        "<th scope=\"col\">Time (UTC)</th>"
                        "<th scope=\"col\">From</th><th scope=\"col\">Why</th>"
                        "</tr></thead>\n<tbody>\n");
    html_print(out, "<tr><td>");
    page_time(out, entry->time_ms);
    html_print(out, "</td><td>%s</td><td>%s</td></tr>\n", entry->peer,
               entry->detail);
    return refusals->count < REFUSALS_SHOWN;
}

/* A device that was refused has no row; who looks for it finds why. */
static enum devid_err put_nothing(struct exchange *x, FILE *out,
                                  const struct wish *wish,
                                  struct devid_error *err)
{
    struct refusals refusals = {out, 0};
    enum devid_err code;

    html_print(out, "<p>There is no such unit%s.</p>\n",
               *wish->page.after ? " any more" : "");
    if (!*wish->page.prefix || *wish->page.after)
        return DEVID_OK;
    code = ledger_entries(x->context->ledger, wish->page.prefix, put_refusal,
                          &refusals, err);
    if (refusals.count > 0)
        html_print(out, "</tbody></table>\n");
    return code;
}

/* ---- the page ---------------------------------------------------------- */

static enum devid_err put_list(struct exchange *x, FILE *out,
                               const struct wish *wish, struct devid_error *err)
{
    struct list list = {.out = out};
    enum devid_err code;

    put_filter(out, wish);
    html_print(out,
               "<div class=\"wide\" id=\"units\" data-live role=\"region\" "
               "tabindex=\"0\" aria-label=\"Units\"><table>\n"
               "<thead><tr><th scope=\"col\">Serial number</th>"
               "<th scope=\"col\">Model</th><th scope=\"col\">Batch</th>"
               "<th scope=\"col\">State</th><th scope=\"col\">Attested</th>"
               "<th scope=\"col\">Enrolled (UTC)</th>"
               "<th scope=\"col\">Changed (UTC)</th></tr></thead>\n<tbody>\n");
    code =
        ledger_unit_page(x->context->ledger, &wish->page, put_unit, &list, err);
    html_print(out, "</tbody></table></div>\n");
    if (code == DEVID_OK && list.count == 0)
        code = put_nothing(x, out, wish, err);
    put_turns(out, wish, &list);
    return code;
}

static enum step show(struct exchange *x, const struct wish *wish)
{
    FILE *out = page_begin(x, PAGE_UNITS, "Units");
    struct devid_error err = {0};
    enum devid_err code = DEVID_OK;
    enum step step;

    if (out)
        code = put_list(x, out, wish, &err);
    step = page_end(x, out, 200);
    return code == DEVID_OK ? step : page_drop(x, &err);
}

enum step fleet_units(struct exchange *x)
{
    struct form form = {0};
    struct wish wish;
    const char *why;
    enum step step;

    if (!fleet_enter(x, &step))
        return step;
    why = form_parse(x->query, strlen(x->query), &form);
    if (!why)
        why = read_wish(&form, &wish);
    step =
        why ? exchange_refuse(x, 400, "malformed", "%s", why) : show(x, &wish);
    form_clear(&form);
    return step;
}
