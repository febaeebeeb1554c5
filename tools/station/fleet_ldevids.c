/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of LDevIDs: those that are to be renewed, those that wait. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet_page.h"
#include "html.h"

enum {
    PAGE_ROWS = 50,
    DAY_MS = 86400000
};

/* A list on its way out; a page of it. */
struct list {
    FILE *out;
    const struct exchange *x;
    int64_t now_ms;
    unsigned count;
    bool more;
    int64_t last_ms; /* what the list goes by, of the last row */
    char last_id[LEDGER_ID_SIZE];
    char token[FLEET_TOKEN_SIZE];
};

/* A kind of list; what one row of it is. */
struct kind {
    enum page_place place;
    const char *title;
    const char *path;
    const char *intro;
    const char *heads; /* HTML of ours */
    enum ldevid_list list;
    /* Brought up to date in place: not where a button would move away under
     * somebody's finger. */
    bool live;
    void (*row)(const struct list *list, const struct ledger_ldevid *ldevid);
    int64_t (*key)(const struct ledger_ldevid *ldevid);
};

/* ---- rows -------------------------------------------------------------- */

static void put_unit(FILE *out, const struct ledger_ldevid *ldevid)
{
    html_print(out,
               "<tr><th scope=\"row\"><a href=\"/fleet/units/%s\">%s</a></th>"
               "<td>%s</td>",
               ldevid->unit, ldevid->serial,
               *ldevid->label ? ldevid->label : "-");
}

static int64_t key_of_renewal(const struct ledger_ldevid *ldevid)
{
    return ldevid->not_after_ms;
}

static void put_renewal(const struct list *list,
                        const struct ledger_ldevid *ldevid)
{
    int64_t due = ldevid->not_before_ms +
                  (ldevid->not_after_ms - ldevid->not_before_ms) / 3 * 2;
    const char *word = "due";
    const char *class = "tested";

    if (ldevid->not_after_ms < list->now_ms) {
        word = "expired";
        class = "retired";
    } else if (due < list->now_ms) {
        word = "overdue";
        class = "certified";
    }
    put_unit(list->out, ldevid);
    html_print(list->out, "<td><span class=\"state %s\">%s</span></td><td>",
               class, word);
    page_time(list->out, due);
    html_print(list->out, "</td><td>");
    page_time(list->out, ldevid->not_after_ms);
    html_print(list->out, "</td><td class=\"number\">%u</td></tr>\n",
               ldevid->renewal);
}

static int64_t key_of_request(const struct ledger_ldevid *ldevid)
{
    return ldevid->asked_ms;
}

static void put_button(const struct list *list,
                       const struct ledger_ldevid *ldevid, const char *what,
                       const char *name)
{
    html_print(list->out,
               "<form action=\"/fleet/ldevids/%s/%s\" method=\"post\">"
               "<input type=\"hidden\" name=\"token\" value=\"%s\">"
               "<button aria-label=\"%s %s\">%s</button></form>\n",
               ldevid->id, what, list->token, name, ldevid->serial, name);
}

static void put_request(const struct list *list,
                        const struct ledger_ldevid *ldevid)
{
    put_unit(list->out, ldevid);
    html_print(list->out, "<td>%s</td><td>%s</td><td>", ldevid->subject,
               ldevid->renewal > 0 ? "renewal" : "first");
    page_time(list->out, ldevid->asked_ms);
    html_print(list->out, "</td><td class=\"choice\">");
    put_button(list, ldevid, "approve", "Approve");
    put_button(list, ldevid, "refuse", "Refuse");
    html_print(list->out, "</td></tr>\n");
}

/* ---- lists ------------------------------------------------------------- */

static const struct kind renewals = {
    .place = PAGE_RENEWALS,
    .title = "Renewals",
    .path = "/fleet/renewals",
    .intro = "Certificates that devices got in the field (LDevIDs) and that "
             "end within 30 days, or ended in the last 30, without a newer "
             "one. A device renews when two thirds of the time are over.",
    .heads = "<th scope=\"col\">Serial number</th><th scope=\"col\">Label</th>"
             "<th scope=\"col\">State</th><th scope=\"col\">Due (UTC)</th>"
             "<th scope=\"col\">Ends (UTC)</th>"
             "<th scope=\"col\" class=\"number\">Renewed before</th>",
    .list = LDEVIDS_ENDING,
    .live = true,
    .row = put_renewal,
    .key = key_of_renewal,
};

static const struct kind approvals = {
    .place = PAGE_APPROVALS,
    .title = "Approvals",
    .path = "/fleet/approvals",
    .intro = "Requests for certificates that wait for a person. What is "
             "approved is issued when the device asks again; what is refused "
             "stays so.",
    .heads = "<th scope=\"col\">Serial number</th><th scope=\"col\">Label</th>"
             "<th scope=\"col\">Subject</th><th scope=\"col\">Kind</th>"
             "<th scope=\"col\">Asked (UTC)</th><th scope=\"col\">Choice</th>",
    .list = LDEVIDS_PENDING,
    .row = put_request,
    .key = key_of_request,
};

struct walk {
    struct list list;
    const struct kind *kind;
};

static bool put_row(void *arg, const struct ledger_ldevid *ldevid)
{
    struct walk *walk = arg;
    struct list *list = &walk->list;

    list->more = list->count == PAGE_ROWS;
    if (list->more)
        return false;
    list->count++;
    list->last_ms = walk->kind->key(ldevid);
    snprintf(list->last_id, sizeof(list->last_id), "%s", ldevid->id);
    walk->kind->row(list, ldevid);
    return true;
}

/* "1795340225000.019a..." into the query; false: it is none such. */
static bool read_after(const char *text, struct ldevid_query *query)
{
    char *end = NULL;

    if (!*text)
        return true;
    query->after_ms = strtoll(text, &end, 10);
    query->after_id = end + 1;
    return *end == '.' && strlen(end + 1) < LEDGER_ID_SIZE;
}

static enum devid_err put_list(struct exchange *x, struct walk *walk,
                               const struct ldevid_query *query,
                               struct devid_error *err)
{
    FILE *out = walk->list.out;
    enum devid_err code;

    html_print(out,
               "<p>%s</p>\n<div class=\"wide\" id=\"list\" %s "
               "role=\"region\" tabindex=\"0\" aria-label=\"%s\"><table>\n"
               "<thead><tr>",
               walk->kind->intro, walk->kind->live ? "data-live" : "",
               walk->kind->title);
    (void)fputs(walk->kind->heads, out);
    html_print(out, "</tr></thead>\n<tbody>\n");
    code = ledger_ldevids(x->context->ledger, query, put_row, walk, err);
    html_print(out, "</tbody></table></div>\n");
    if (walk->list.count == 0)
        html_print(out, "<p>There are none%s.</p>\n",
                   query->after_id ? " any more" : "");
    if (walk->list.more)
        html_print(out,
                   "<nav class=\"turn\" aria-label=\"Pages of the list\"><ul>"
                   "<li><a href=\"%s?after=%" PRId64 ".%s\" rel=\"next\">"
                   "Next page</a></li></ul></nav>\n",
                   walk->kind->path, walk->list.last_ms, walk->list.last_id);
    return code;
}

static enum step show(struct exchange *x, const struct kind *kind,
                      const struct form *form)
{
    struct walk walk = {.kind = kind, .list = {.x = x, .now_ms = now_ms()}};
    struct ldevid_query query = {
        .list = kind->list,
        .from_ms = walk.list.now_ms - (int64_t)DUE_EXPIRED_DAYS * DAY_MS,
        .before_ms = walk.list.now_ms + (int64_t)FIGURE_DAYS * DAY_MS,
        .limit = PAGE_ROWS + 1,
    };
    struct devid_error err = {0};
    enum devid_err code = DEVID_OK;
    enum step step;

    if (!read_after(form_get(form, "after"), &query))
        return exchange_refuse(x, 400, "malformed",
                               "no page of the list begins there");
    fleet_token(x, walk.list.token);
    walk.list.out = page_begin(x, kind->place, kind->title);
    if (walk.list.out)
        code = put_list(x, &walk, &query, &err);
    step = page_end(x, walk.list.out, 200);
    return code == DEVID_OK ? step : page_drop(x, &err);
}

static enum step enter_and_show(struct exchange *x, const struct kind *kind)
{
    struct form form = {0};
    const char *why;
    enum step step;

    if (!fleet_enter(x, &step))
        return step;
    why = form_parse(x->query, strlen(x->query), &form);
    step = why ? exchange_refuse(x, 400, "malformed", "%s", why)
               : show(x, kind, &form);
    form_clear(&form);
    return step;
}

enum step fleet_renewals(struct exchange *x)
{
    return enter_and_show(x, &renewals);
}

enum step fleet_approvals(struct exchange *x)
{
    return enter_and_show(x, &approvals);
}
