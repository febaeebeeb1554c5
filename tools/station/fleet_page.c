/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet_page.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "devid.h"
#include "html.h"

static const char html_type[] = "text/html; charset=utf-8";

/* Bytes as an answer. */
static enum step give(struct exchange *x, const unsigned char *data, size_t len,
                      const char *type)
{
    x->bytes = OPENSSL_memdup(data, len);
    x->bytes_len = len;
    x->type = type;
    x->status = x->bytes ? 200 : 500;
    return STEP_ANSWERED;
}

/* ---- the frame of a page ----------------------------------------------- */

static void put_entry(FILE *out, const char *path, const char *name, bool here)
{
    html_print(out, "<li><a href=\"%s\"", path);
    if (here)
        html_print(out, " aria-current=\"page\"");
    html_print(out, ">%s</a></li>\n", name);
}

static void put_header(FILE *out, const struct exchange *x,
                       enum page_place place)
{
    html_print(out,
               "<header>\n<a class=\"station\" href=\"/fleet\">%s</a>\n"
               "<nav aria-label=\"Pages\"><ul>\n",
               x->context->config.name);
    put_entry(out, "/fleet", "Overview", place == PAGE_OVERVIEW);
    put_entry(out, "/fleet/units", "Units", place == PAGE_UNITS);
    put_entry(out, "/fleet/renewals", "Renewals", place == PAGE_RENEWALS);
    put_entry(out, "/fleet/approvals", "Approvals", place == PAGE_APPROVALS);
    html_print(
        out,
        "</ul></nav>\n"
        "<form role=\"search\" action=\"/fleet/units\" method=\"get\">\n"
        "<label for=\"find\">Serial number</label>\n"
        "<input id=\"find\" name=\"serial\" type=\"search\" maxlength=\"127\" "
        "autocomplete=\"off\" spellcheck=\"false\">\n"
        "<button>Find</button>\n</form>\n</header>\n");
}

FILE *page_begin(struct exchange *x, enum page_place place, const char *title)
{
    FILE *out = open_memstream(&x->page.text, &x->page.len);

    if (!out)
        return NULL;
    html_print(out,
               "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
               "<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, "
               "initial-scale=1\">\n"
               "<meta name=\"color-scheme\" content=\"light dark\">\n"
               "<title>%s - %s</title>\n"
               "<link rel=\"icon\" href=\"/fleet/icon.svg\">\n"
               "<link rel=\"stylesheet\" href=\"/fleet/style.css\">\n"
               "<script src=\"/fleet/live.js\" defer></script>\n"
               "</head>\n<body>\n"
               "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n",
               title, x->context->config.name);
    if (x->who[0])
        put_header(out, x, place);
    html_print(out, "<main id=\"main\" tabindex=\"-1\">\n<h1>%s</h1>\n", title);
    return out;
}

enum step page_end(struct exchange *x, FILE *out, int status)
{
    const struct devid_error err = {.text = "out of memory"};

    if (out) {
        html_print(out, "</main>\n<footer>\n<p>Station %s, devid %s",
                   x->context->config.name, DEVID_VERSION);
        if (x->who[0])
            html_print(out, ". You are %s", x->who);
        html_print(out, ". <span data-live id=\"as-of\">Made at ");
        page_time(out, now_ms());
        html_print(out, " UTC, as are all times here.</span> <span id=\"live\" "
                        "role=\"status\"></span>"
                        "</p>\n</footer>\n</body>\n</html>\n");
    }
    if (!out || ferror(out) || fclose(out))
        return page_drop(x, &err);
    (void)give(x, (const unsigned char *)x->page.text, x->page.len, html_type);
    free(x->page.text);
    x->page.text = NULL;
    x->status = x->bytes ? status : 500;
    return STEP_ANSWERED;
}

enum step page_drop(struct exchange *x, const struct devid_error *err)
{
    free(x->page.text);
    OPENSSL_free(x->bytes);
    x->page = (struct page){.wanted = true};
    x->bytes = NULL;
    return exchange_fail(x, err);
}

enum step page_leave(struct exchange *x, const char *location)
{
    FILE *out = page_begin(x, PAGE_ELSEWHERE, "Done");

    if (out)
        html_print(out, "<p><a href=\"%s\">On to the result</a></p>\n",
                   location);
    snprintf(x->page.location, sizeof(x->page.location), "%s", location);
    return page_end(x, out, 303);
}

/* An answer that refuses has its sentence already; no page stands behind it. */
void fleet_refusal(struct exchange *x)
{
    const int status = x->status;
    const char *title = status == 403   ? "Not for you"
                        : status == 404 ? "Not here"
                        : status < 500  ? "Refused"
                                        : "Failed";
    const char *why = status == 500 || !x->message[0]
                          ? "the station failed; its log says why"
                          : x->message;
    FILE *out = page_begin(x, PAGE_ELSEWHERE, title);

    if (out)
        html_print(out, "<p class=\"refusal\">%c%s.</p>\n",
                   toupper((unsigned char)why[0]), why + 1);
    if (out && status == 403 && strcmp(x->code, "operator") == 0)
        html_print(out, "<p>These pages are for operators. "
                        "<code>devid-station operator --name NAME --out "
                        "NAME.p12</code> at the station makes a certificate; "
                        "a browser asks which one to use when it connects "
                        "anew.</p>\n");
    (void)page_end(x, out, status);
}

/* ---- parts ------------------------------------------------------------- */

void page_time(FILE *out, int64_t ms)
{
    char text[TIME_TEXT_SIZE];

    if (ms == 0) {
        html_print(out, "never");
        return;
    }
    time_text(ms, text);
    html_print(out, "<time datetime=\"%s\">", text);
    text[10] = ' ';
    text[19] = '\0'; /* the Z: pages say once that all is UTC */
    html_print(out, "%s</time>", text);
}

void page_state(FILE *out, enum unit_state state)
{
    html_print(out, "<span class=\"state %s\">%s</span>",
               unit_state_name(state), unit_state_name(state));
}

void page_row(FILE *out, const char *name, const char *value)
{
    if (*value)
        html_print(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, value);
}

/* ---- what pages are made of -------------------------------------------- */

extern const unsigned char web_style[], web_live[], web_icon[];
extern const size_t web_style_len, web_live_len, web_icon_len;

enum step fleet_style(struct exchange *x)
{
    x->page.keeps = true;
    return give(x, web_style, web_style_len, "text/css; charset=utf-8");
}

enum step fleet_script(struct exchange *x)
{
    x->page.keeps = true;
    return give(x, web_live, web_live_len, "text/javascript; charset=utf-8");
}

enum step fleet_icon(struct exchange *x)
{
    x->page.keeps = true;
    return give(x, web_icon, web_icon_len, "image/svg+xml");
}
