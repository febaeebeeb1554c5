/* SPDX-License-Identifier: Apache-2.0 */
/* One unit: what it is, all that was done or refused of it, its retirement. */
#include <stdio.h>
#include <string.h>

#include "fleet_page.h"
#include "html.h"
#include "ledger_unit.h"

/* ---- what it is -------------------------------------------------------- */

static void put_time(FILE *out, const char *name, int64_t ms)
{
    html_print(out, "<div><dt>%s</dt><dd>", name);
    page_time(out, ms);
    html_print(out, "</dd></div>\n");
}

static void put_cert(FILE *out, const char *name, const struct ledger_blob *der)
{
    char number[CERT_NUMBER_SIZE];
    char sha256[65];

    cert_number(der, number);
    if (!number[0])
        return;
    sha256_hex(der->data, der->len, sha256);
    html_print(out,
               "<div><dt>%s</dt><dd>number <code>%s</code><br>SHA-256 "
               "<code>%s</code></dd></div>\n",
               name, number, sha256);
}

static void put_code(FILE *out, const char *name, const char *value)
{
    if (*value)
        html_print(out, "<div><dt>%s</dt><dd><code>%s</code></dd></div>\n",
                   name, value);
}

static void put_unit(FILE *out, const struct ledger_unit *unit)
{
    html_print(out, "<section id=\"unit\" data-live "
                    "aria-labelledby=\"unit-head\">\n"
                    "<h2 id=\"unit-head\">Unit</h2>\n<dl class=\"facts\">\n"
                    "<div><dt>State</dt><dd>");
    page_state(out, unit->state);
    if (unit->state == UNIT_RETIRED)
        html_print(out, " %s", revocation_reason_name(unit->reason));
    html_print(out, "</dd></div>\n");
    page_row(out, "Attested",
             unit->attested ? "yes, by its TPM"
                            : "no, the operator of the line speaks for it");
    page_row(out, "Model", unit->model);
    page_row(out, "MAC address", unit->mac);
    page_row(out, "Batch", unit->batch);
    page_row(out, "Enrolled at", unit->station);
    page_row(out, "By", unit->operator_name);
    put_time(out, "Enrolled (UTC)", unit->enrolled_ms);
    put_time(out, "Changed (UTC)", unit->changed_ms);
    html_print(out, "<div><dt>Owner</dt><dd>number %u</dd></div>\n",
               unit->generation);
    page_row(out, "Authorisations",
             unit->escrow.len > 0 ? "kept for who has the escrow key" : "");
    put_cert(out, "IDevID certificate", &unit->idevid_cert);
    put_cert(out, "IAK certificate", &unit->iak_cert);
    put_code(out, "Id", unit->id);
    put_code(out, "EK digest", unit->ek_digest);
    put_code(out, "IAK Name", unit->iak_name);
    put_code(out, "IDevID Name", unit->idevid_name);
    html_print(out, "</dl>\n</section>\n");
}

/* ---- its history ------------------------------------------------------- */

static bool put_entry(void *arg, const struct ledger_entry *entry)
{
    FILE *out = arg;

    html_print(out, "<tr class=\"%s\"><td>", entry->event);
    page_time(out, entry->time_ms);
    html_print(out,
               "</td><td>%s</td><td>%s</td><td>%s</td>"
               "<td class=\"number\">%s %llu</td></tr>\n",
               entry->event, entry->detail, entry->peer, entry->station,
               (unsigned long long)entry->seq);
    return true;
}

static enum devid_err put_history(struct exchange *x, FILE *out,
                                  const char *serial, struct devid_error *err)
{
    enum devid_err code;

    html_print(out,
               "<section id=\"history\" data-live "
               "aria-labelledby=\"history-head\">\n"
               "<h2 id=\"history-head\">History</h2>\n"
               "<div class=\"wide\" role=\"region\" tabindex=\"0\" "
               "aria-labelledby=\"history-head\"><table>\n<thead><tr>"
               "<th scope=\"col\">Time (UTC)</th><th scope=\"col\">What</th>"
               "<th scope=\"col\">Detail</th><th scope=\"col\">Who</th>"
               "<th scope=\"col\" class=\"number\">Entry of the log</th></tr>"
               "</thead>\n<tbody>\n");
    code = ledger_entries(x->context->ledger, serial, put_entry, out, err);
    html_print(out, "</tbody></table></div>\n</section>\n");
    return code;
}

/* ---- retirement -------------------------------------------------------- */

static void put_retire(struct exchange *x, FILE *out,
                       const struct ledger_unit *unit)
{
    char token[FLEET_TOKEN_SIZE];

    if (unit->state == UNIT_RETIRED)
        return;
    fleet_token(x, token);
    html_print(out,
               "<section class=\"danger\" aria-labelledby=\"retire-head\">\n"
               "<h2 id=\"retire-head\">Retire and revoke</h2>\n"
               "<p>All certificates of the unit are revoked. There is no way "
               "back; a new owner may have it enrolled anew.</p>\n"
               "<form action=\"/fleet/units/%s/retire\" method=\"post\">\n"
               "<input type=\"hidden\" name=\"token\" value=\"%s\">\n",
               unit->id, token);
    page_reasons(out, "reason");
    html_print(out,
               "<div class=\"check\"><input type=\"checkbox\" id=\"sure\" "
               "name=\"sure\" value=\"yes\" required>"
               "<label for=\"sure\">I mean the unit %s</label></div>\n"
               "<button>Retire the unit</button>\n</form>\n</section>\n",
               unit->serial);
}

static enum step retired(struct exchange *x)
{
    char location[PAGE_LOCATION_SIZE];

    if (x->job.outcome > LEDGER_AGAIN)
        return exchange_refuse_job(x);
    x->revoked = true;
    fleet_changed(x);
    snprintf(x->serial, sizeof(x->serial), "%s", x->job.unit.serial);
    snprintf(location, sizeof(location), "/fleet/units/%s", x->unit_id);
    return page_leave(x, location);
}

/* The entry of the log has the reason as the form's, in a word that stays. */
static enum step retire(struct exchange *x, const struct form *form)
{
    const char *name = form_get(form, "reason");

    if (!revocation_reason(name, &x->job.reason))
        return exchange_refuse(x, 400, "malformed",
                               "a reason is to be chosen: unspecified, "
                               "compromise, affiliation, superseded or "
                               "cessation");
    if (strcmp(form_get(form, "sure"), "yes") != 0)
        return exchange_refuse(x, 400, "malformed",
                               "the box that says which unit is meant is to be "
                               "ticked");
    x->job.op = LEDGER_RETIRE;
    x->job.detail = revocation_reason_name(x->job.reason);
    snprintf(x->job.unit.id, sizeof(x->job.unit.id), "%s", x->unit_id);
    x->next = retired;
    return STEP_COMMIT;
}

enum step fleet_retire(struct exchange *x)
{
    struct form form = {0};
    enum step step;

    if (!fleet_enter(x, &step))
        return step;
    if (fleet_form(x, &form, &step))
        step = retire(x, &form);
    form_clear(&form);
    return step;
}

/* ---- the page ---------------------------------------------------------- */

enum step fleet_unit(struct exchange *x)
{
    const struct ledger_unit *unit = &x->job.unit;
    struct devid_error err = {0};
    enum devid_err code = DEVID_OK;
    enum step step;
    FILE *out;

    if (!fleet_enter(x, &step) || !exchange_find(x, &step))
        return step;
    out = page_begin(x, PAGE_UNITS, unit->serial);
    if (out) {
        put_unit(out, unit);
        code = page_ldevids(x, out, unit->id, &err);
        if (code == DEVID_OK)
            code = put_history(x, out, unit->serial, &err);
        put_retire(x, out, unit);
    }
    step = page_end(x, out, 200);
    return code == DEVID_OK ? step : page_drop(x, &err);
}
