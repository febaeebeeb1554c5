/* SPDX-License-Identifier: Apache-2.0 */
/* The first page: the running batch, and all units in figures. */
#include <stdio.h>
#include <string.h>

#include "fleet_page.h"
#include "html.h"
#include "svg.h"

enum {
    BATCHES_SHOWN = 25
};

/* ---- figures in large -------------------------------------------------- */

static void put_tile(FILE *out, const char *name, const char *value,
                     const char *note)
{
    html_print(out,
               "<div class=\"tile\"><dt>%s</dt><dd><strong>%s</strong>"
               "<span>%s</span></dd></div>\n",
               name, value, note);
}

/* "0.4 s", "95 s", "12 min" */
static void duration_text(int64_t ms, char text[32])
{
    if (ms < 10000)
        snprintf(text, 32, "%.1f s", (double)ms / 1000);
    else if (ms < 600000)
        snprintf(text, 32, "%lld s", (long long)ms / 1000);
    else
        snprintf(text, 32, "%lld min", (long long)ms / 60000);
}

static void percent_text(uint64_t part, uint64_t whole, char text[32])
{
    double percent = whole ? 100.0 * (double)part / (double)whole : 0;

    /* Not 100 % where one is missing. */
    if (part < whole && percent > 99.9)
        percent = 99.9;
    snprintf(text, 32, whole ? "%.1f %%" : "-", percent);
}

static void put_tiles(FILE *out, const struct figures *figures)
{
    const struct figure_batch *batch = figures->running;
    uint64_t first = batch->passed > figures->stumbled
                         ? batch->passed - figures->stumbled
                         : 0;
    char value[32];
    char other[32];
    char note[96];

    html_print(out, "<dl class=\"tiles\">\n");
    snprintf(value, sizeof(value), "%.1f", figures->per_minute);
    put_tile(out, "Units a minute", value, "over the last ten minutes");
    percent_text(first, batch->units, value);
    snprintf(note, sizeof(note),
             "%llu of %llu have certificates, and nothing was refused",
             (unsigned long long)first, (unsigned long long)batch->units);
    put_tile(out, "First-pass yield", value, note);
    snprintf(value, sizeof(value), "%llu",
             (unsigned long long)batch->batch.used);
    snprintf(note, sizeof(note), "of %llu in the batch",
             (unsigned long long)batch->batch.quota);
    put_tile(out, "Units enrolled", value, note);
    duration_text(figures->median_ms, value);
    duration_text(figures->slow_ms, other);
    snprintf(note, sizeof(note), "median of %u; one in twenty takes over %s",
             figures->timed, other);
    put_tile(out, "Provisioning time", figures->timed ? value : "-",
             figures->timed ? note : "no unit in the last hour");
    html_print(out, "</dl>\n");
}

/* ---- plots ------------------------------------------------------------- */

static void minute_name(size_t at, const void *arg, char text[SVG_LABEL_SIZE])
{
    const struct figures *figures = arg;
    char time[TIME_TEXT_SIZE];

    time_text(figures->made_ms - (int64_t)(FIGURE_MINUTES - 1 - at) * 60000,
              time);
    snprintf(text, SVG_LABEL_SIZE, "%.5s", time + 11);
}

static void time_name(size_t at, const void *arg, char text[SVG_LABEL_SIZE])
{
    (void)arg;
    if (at == 0)
        snprintf(text, SVG_LABEL_SIZE, "up to %u s", figure_seconds[0]);
    else if (at + 1 == FIGURE_TIMES)
        snprintf(text, SVG_LABEL_SIZE, "over %u s", figure_seconds[at - 1]);
    else
        snprintf(text, SVG_LABEL_SIZE, "%u to %u s", figure_seconds[at - 1],
                 figure_seconds[at]);
}

static void time_label(size_t at, const void *arg, char text[SVG_LABEL_SIZE])
{
    (void)arg;
    if (at + 1 == FIGURE_TIMES)
        snprintf(text, SVG_LABEL_SIZE, "more");
    else
        snprintf(text, SVG_LABEL_SIZE, "%u s", figure_seconds[at]);
}

static void put_plots(FILE *out, const struct figures *figures)
{
    const struct svg_bars minutes = {
        .id = "plot-minutes",
        .title = "Units that were done in each minute of the last hour",
        .what = "unit",
        .many = "units",
        .head = "minute (UTC)",
        .values = figures->minutes,
        .count = FIGURE_MINUTES,
        .label_each = 10,
        .name = minute_name,
        .label = minute_name,
        .arg = figures,
    };
    const struct svg_bars times = {
        .id = "plot-times",
        .title = "Provisioning time, from a unit's request to its last step",
        .what = "unit",
        .many = "units",
        .head = "time",
        .values = figures->times,
        .count = FIGURE_TIMES,
        .label_each = 1,
        .name = time_name,
        .label = time_label,
    };

    html_print(out, "<div class=\"plots\">\n");
    svg_bars(out, &minutes);
    svg_bars(out, &times);
    html_print(out, "</div>\n");
}

static void put_running(FILE *out, const struct figures *figures)
{
    const struct figure_batch *batch = figures->running;

    html_print(out, "<section id=\"running\" data-live "
                    "aria-labelledby=\"running-head\">\n");
    if (!batch) {
        html_print(out, "<h2 id=\"running-head\">No batch is open</h2>\n"
                        "<p><code>devid-station batch open</code> opens one."
                        "</p>\n</section>\n");
        return;
    }
    html_print(out,
               "<h2 id=\"running-head\">Running batch: <a href=\"/fleet/units"
               "?batch=");
    html_query(out, batch->batch.name);
    html_print(out, "\">%s</a> <small>%s</small></h2>\n", batch->batch.name,
               batch->batch.product);
    put_tiles(out, figures);
    put_plots(out, figures);
    html_print(out, "</section>\n");
}

/* ---- renewals ---------------------------------------------------------- */

static void day_text(const struct figures *figures, size_t at,
                     char text[TIME_TEXT_SIZE])
{
    time_text(figures->made_ms + (int64_t)at * 86400000, text);
    text[10] = '\0';
}

static void day_name(size_t at, const void *arg, char text[SVG_LABEL_SIZE])
{
    char day[TIME_TEXT_SIZE];

    day_text(arg, at, day);
    snprintf(text, SVG_LABEL_SIZE, "%s", day);
}

static void day_label(size_t at, const void *arg, char text[SVG_LABEL_SIZE])
{
    char day[TIME_TEXT_SIZE];

    day_text(arg, at, day);
    snprintf(text, SVG_LABEL_SIZE, "%.5s", day + 5);
}

static void put_count(FILE *out, const char *name, uint64_t count,
                      const char *note)
{
    char value[32];

    snprintf(value, sizeof(value), "%llu", (unsigned long long)count);
    put_tile(out, name, value, note);
}

static void put_renewals(FILE *out, const struct figures *figures)
{
    const struct svg_bars days = {
        .id = "plot-days",
        .title = "Renewals that come due in each of the next 30 days",
        .what = "certificate",
        .many = "certificates",
        .head = "24 hours from",
        .values = figures->days,
        .count = FIGURE_DAYS,
        .label_each = 7,
        .name = day_name,
        .label = day_label,
        .arg = figures,
    };

    html_print(out, "<section id=\"renewals\" data-live "
                    "aria-labelledby=\"renewals-head\">\n"
                    "<h2 id=\"renewals-head\"><a href=\"/fleet/renewals\">"
                    "Renewals</a> <small>of certificates that devices got in "
                    "the field (LDevIDs)</small></h2>\n"
                    "<div class=\"plots\">\n<dl class=\"tiles\">\n");
    put_count(out, "In force", figures->in_force, "and not expired");
    put_count(out, "Overdue", figures->late,
              "past two thirds of their lifetime");
    put_count(out, "Expired", figures->expired,
              "within 30 days, and not renewed");
    put_count(out, "Waiting for approval", figures->pending,
              "requests that a person is to look at");
    html_print(out, "</dl>\n");
    svg_bars(out, &days);
    html_print(out, "</div>\n</section>\n");
}

/* ---- tables ------------------------------------------------------------ */

static void put_states(FILE *out, const struct figures *figures)
{
    html_print(out, "<section id=\"states\" data-live "
                    "aria-labelledby=\"states-head\">\n"
                    "<h2 id=\"states-head\">Units by state</h2>\n"
                    "<table class=\"states\">\n<thead><tr><th scope=\"col\">"
                    "State</th><th scope=\"col\" class=\"number\">Units</th>"
                    "<th scope=\"col\" class=\"share\">Share</th></tr></thead>"
                    "\n<tbody>\n");
    for (unsigned state = 0; state < FIGURE_STATES; state++) {
        const char *name = unit_state_name((enum unit_state)state);
        double share = figures->units ? 100.0 * (double)figures->states[state] /
                                            (double)figures->units
                                      : 0;
        html_print(out,
                   "<tr><th scope=\"row\"><a href=\"/fleet/units?state=%s\">",
                   name);
        page_state(out, (enum unit_state)state);
        html_print(out,
                   "</a></th><td class=\"number\">%llu</td><td class=\"share\">"
                   "<svg viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" "
                   "aria-hidden=\"true\"><rect class=\"bar\" height=\"8\" "
                   "width=\"%.2f\"/></svg><span>%.1f %%</span></td></tr>\n",
                   (unsigned long long)figures->states[state], share, share);
    }
    html_print(out,
               "</tbody>\n<tfoot><tr><th scope=\"row\">all</th>"
               "<td class=\"number\">%llu</td><td></td></tr></tfoot></table>\n"
               "</section>\n",
               (unsigned long long)figures->units);
}

static void put_batch(FILE *out, const struct figure_batch *batch)
{
    html_print(out, "<tr><th scope=\"row\"><a href=\"/fleet/units?batch=");
    html_query(out, batch->batch.name);
    html_print(out,
               "\">%s</a></th><td>%s</td><td class=\"number\">%llu</td>"
               "<td class=\"number\">%llu</td><td class=\"number\">%llu</td>"
               "<td>%s</td><td>",
               batch->batch.name, batch->batch.product,
               (unsigned long long)batch->batch.quota,
               (unsigned long long)batch->batch.used,
               (unsigned long long)batch->passed,
               batch->batch.closed ? "closed" : "open");
    page_time(out, batch->batch.opened_ms);
    html_print(out, "</td></tr>\n");
}

static void put_batches(FILE *out, const struct figures *figures)
{
    size_t shown = figures->batch_count < BATCHES_SHOWN ? figures->batch_count
                                                        : BATCHES_SHOWN;

    html_print(out, "<section id=\"batches\" data-live "
                    "aria-labelledby=\"batches-head\">\n"
                    "<h2 id=\"batches-head\">Batches</h2>\n");
    if (shown < figures->batch_count)
        html_print(out, "<p>The newest %zu of %zu.</p>\n", shown,
                   figures->batch_count);
    html_print(out,
               "<div class=\"wide\" role=\"region\" tabindex=\"0\" "
               "aria-labelledby=\"batches-head\"><table>\n"
               "<thead><tr><th scope=\"col\">Batch</th><th scope=\"col\">Model"
               "</th><th scope=\"col\" class=\"number\">Size</th>"
               "<th scope=\"col\" class=\"number\">Enrolled</th>"
               "<th scope=\"col\" class=\"number\">Certified</th>"
               "<th scope=\"col\">State</th>"
               "<th scope=\"col\">Opened (UTC)</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < shown; i++)
        put_batch(out, &figures->batches[figures->batch_count - 1 - i]);
    html_print(out, "</tbody></table></div>\n</section>\n");
}

/* ---- the page ---------------------------------------------------------- */

enum step fleet_overview(struct exchange *x)
{
    const struct figures *figures;
    struct devid_error err = {0};
    enum step step;
    FILE *out;

    if (!fleet_enter(x, &step))
        return step;
    figures = fleet_figures(x, &err);
    if (!figures)
        return exchange_fail(x, &err);
    out = page_begin(x, PAGE_OVERVIEW, "Fleet");
    if (out) {
        put_running(out, figures);
        put_renewals(out, figures);
        html_print(out, "<div class=\"columns\">\n");
        put_states(out, figures);
        put_batches(out, figures);
        html_print(out, "</div>\n<p class=\"note\" id=\"counted\" data-live>"
                        "Counted at ");
        page_time(out, figures->made_ms);
        html_print(out, " UTC.</p>\n");
    }
    figures_free(figures);
    return page_end(x, out, 200);
}
