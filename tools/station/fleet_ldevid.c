/* SPDX-License-Identifier: Apache-2.0 */
/* A unit's LDevIDs on its page; what a person decides about one. */
#include <stdio.h>
#include <string.h>

#include "fleet_page.h"
#include "html.h"

enum {
    SHOWN = 50
};

void page_reasons(FILE *out, const char *id)
{
    static const char *const reasons[] = {
        "unspecified", "compromise", "affiliation", "superseded", "cessation"};

    html_print(out,
               "<div><label for=\"%s\">Reason</label>"
               "<select id=\"%s\" name=\"reason\" required>"
               "<option value=\"\">choose one</option>",
               id, id);
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        html_print(out, "<option>%s</option>", reasons[i]);
    html_print(out, "</select></div>\n");
}

/* ---- the list of a unit's ---------------------------------------------- */

struct list {
    struct exchange *x;
    FILE *out;
    unsigned count;
    int64_t now_ms;
    char token[FLEET_TOKEN_SIZE];
};

static const char *word_of(const struct list *list,
                           const struct ledger_ldevid *ldevid)
{
    if (ldevid->revoked_ms > 0)
        return "revoked";
    if (ldevid->state == LDEVID_ISSUED && ldevid->not_after_ms < list->now_ms)
        return "expired";
    return ldevid_state_name(ldevid->state);
}

static void put_revoke(struct list *list, const struct ledger_ldevid *ldevid)
{
    char id[LEDGER_ID_SIZE + 8];

    if (ldevid->state != LDEVID_ISSUED || ldevid->revoked_ms > 0 ||
        ldevid->not_after_ms < list->now_ms)
        return;
    snprintf(id, sizeof(id), "why-%s", ldevid->id);
    html_print(list->out,
               "<details id=\"revoke-%s\"><summary>Revoke</summary>"
               "<form action=\"/fleet/ldevids/%s/revoke\" method=\"post\">"
               "<input type=\"hidden\" name=\"token\" value=\"%s\">",
               ldevid->id, ldevid->id, list->token);
    page_reasons(list->out, id);
    html_print(list->out,
               "<button aria-label=\"Revoke certificate %s\">Revoke</button>"
               "</form></details>",
               ldevid->number);
}

static bool put_ldevid(void *arg, const struct ledger_ldevid *ldevid)
{
    struct list *list = arg;
    FILE *out = list->out;

    if (list->count++ == 0)
        html_print(
            out,
            "<section aria-labelledby=\"ldevids-head\">\n"
            "<h2 id=\"ldevids-head\">LDevIDs</h2>\n"
            "<div class=\"wide\" role=\"region\" tabindex=\"0\" "
            "aria-labelledby=\"ldevids-head\"><table>\n<thead><tr>"
            "<th scope=\"col\">Number</th><th scope=\"col\">Label</th>"
            "<th scope=\"col\">State</th><th scope=\"col\">Issued (UTC)</th>"
            "<th scope=\"col\">Ends (UTC)</th><th scope=\"col\">Revocation"
            "</th></tr></thead>\n<tbody>\n");
    html_print(out,
               "<tr><th scope=\"row\"><code>%s</code></th><td>%s</td><td>%s"
               "</td><td>",
               *ldevid->number ? ldevid->number : "-",
               *ldevid->label ? ldevid->label : "-", word_of(list, ldevid));
    page_time(out, ldevid->issued_ms);
    html_print(out, "</td><td>");
    page_time(out, ldevid->not_after_ms);
    html_print(out, "</td><td>");
    put_revoke(list, ldevid);
    html_print(out, "</td></tr>\n");
    return true;
}

enum devid_err page_ldevids(struct exchange *x, FILE *out, const char *unit,
                            struct devid_error *err)
{
    const struct ldevid_query query = {
        .list = LDEVIDS_OF_UNIT, .unit = unit, .limit = SHOWN};
    struct list list = {.x = x, .out = out, .now_ms = now_ms()};
    enum devid_err code;

    fleet_token(x, list.token);
    code = ledger_ldevids(x->context->ledger, &query, put_ldevid, &list, err);
    if (list.count > 0)
        html_print(out, "</tbody></table></div>\n</section>\n");
    return code;
}

/* ---- decisions --------------------------------------------------------- */

/* Back to where the form was. */
static enum step decided(struct exchange *x)
{
    char location[PAGE_LOCATION_SIZE] = "/fleet/approvals";

    if (x->job.outcome > LEDGER_AGAIN)
        return exchange_refuse_job(x);
    x->revoked = x->job.op == LEDGER_REVOKE_LDEVID;
    fleet_changed(x);
    snprintf(x->serial, sizeof(x->serial), "%s", x->job.ldevid.serial);
    if (x->revoked)
        snprintf(location, sizeof(location), "/fleet/units/%s",
                 x->job.ldevid.unit);
    return page_leave(x, location);
}

static enum step decide(struct exchange *x, enum ledger_op op)
{
    struct form form = {0};
    enum step step;

    if (!fleet_enter(x, &step))
        return step;
    if (fleet_form(x, &form, &step)) {
        x->job.op = op;
        snprintf(x->job.ldevid.id, sizeof(x->job.ldevid.id), "%s", x->unit_id);
        x->next = decided;
        step = STEP_COMMIT;
    }
    form_clear(&form);
    return step;
}

enum step fleet_approve(struct exchange *x)
{
    return decide(x, LEDGER_APPROVE_LDEVID);
}

enum step fleet_refuse(struct exchange *x)
{
    return decide(x, LEDGER_REFUSE_LDEVID);
}

/* The ledger revokes by a certificate's number. */
static enum step revoke(struct exchange *x, const struct form *form)
{
    struct devid_error err = {0};
    enum devid_err code;

    if (!revocation_reason(form_get(form, "reason"), &x->job.reason))
        return exchange_refuse(x, 400, "malformed",
                               "a reason is to be chosen: unspecified, "
                               "compromise, affiliation, superseded or "
                               "cessation");
    code = ledger_find_ldevid(x->context->ledger, LDEVID_BY_ID, x->unit_id,
                              &x->job.ldevid, &err);
    if (code == DEVID_ERR_NOT_FOUND)
        return exchange_refuse(x, 404, "ldevid", "%s", err.text);
    if (code != DEVID_OK)
        return exchange_fail(x, &err);
    x->job.op = LEDGER_REVOKE_LDEVID;
    x->job.detail = revocation_reason_name(x->job.reason);
    x->next = decided;
    return STEP_COMMIT;
}

enum step fleet_revoke(struct exchange *x)
{
    struct form form = {0};
    enum step step;

    if (!fleet_enter(x, &step))
        return step;
    if (fleet_form(x, &form, &step))
        step = revoke(x, &form);
    form_clear(&form);
    return step;
}
