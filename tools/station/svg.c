/* SPDX-License-Identifier: Apache-2.0 */
#include "svg.h"

#include "html.h"

/* In units of the viewBox; the page scales it. */
enum {
    WIDTH = 640,
    HEIGHT = 200,
    LEFT = 44,
    RIGHT = 8,
    TOP = 12,
    BOTTOM = 28,
    TICKS_MAX = 4
};

static const double inner_width = WIDTH - LEFT - RIGHT;
static const double inner_height = HEIGHT - TOP - BOTTOM;

/* 1, 2 or 5 times a power of ten, so that few lines reach to the top. */
static unsigned tick_of(unsigned most)
{
    static const unsigned steps[] = {1, 2, 5};
    unsigned power = 1;

    for (;;) {
        for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
            if ((unsigned long)steps[i] * power * TICKS_MAX >= most)
                return steps[i] * power;
        }
        if (power >= 1000000000)
            return power;
        power *= 10;
    }
}

static double height_of(unsigned value, unsigned top)
{
    return inner_height * value / top;
}

static void put_axis(FILE *out, unsigned tick, unsigned top)
{
    for (unsigned long value = 0; value <= top; value += tick) {
        double y = TOP + inner_height - height_of((unsigned)value, top);
        html_print(out,
                   "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
                   "y2=\"%.1f\"/><text class=\"tick\" x=\"%d\" y=\"%.1f\" "
                   "text-anchor=\"end\">%lu</text>\n",
                   LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, value);
    }
}

static void put_bar(FILE *out, const struct svg_bars *bars, size_t at,
                    unsigned top)
{
    double step = inner_width / (double)bars->count;
    double gap = step > 6 ? 2 : 0.5;
    double height = height_of(bars->values[at], top);
    double x = LEFT + step * (double)at;
    char text[SVG_LABEL_SIZE];

    if (bars->values[at] > 0) {
        bars->name(at, bars->arg, text);
        html_print(out,
                   "<rect class=\"bar%s\" x=\"%.2f\" y=\"%.2f\" "
                   "width=\"%.2f\" height=\"%.2f\"><title>%s: %u %s</title>"
                   "</rect>\n",
                   at < bars->marked ? " late" : "", x + gap / 2,
                   TOP + inner_height - height, step - gap, height, text,
                   bars->values[at],
                   bars->values[at] == 1 ? bars->what : bars->many);
    }
    if (at % bars->label_each != 0)
        return;
    bars->label(at, bars->arg, text);
    html_print(out,
               "<text class=\"tick\" x=\"%.1f\" y=\"%d\" "
               "text-anchor=\"middle\">%s</text>\n",
               x + step / 2, HEIGHT - 8, text);
}

static void put_table(FILE *out, const struct svg_bars *bars)
{
    char text[SVG_LABEL_SIZE];

    html_print(out,
               "<details id=\"%s-table\"><summary>As a table</summary>\n"
               "<table><thead><tr><th scope=\"col\">%s</th>"
               "<th scope=\"col\" class=\"number\">%s</th></tr></thead>"
               "<tbody>\n",
               bars->id, bars->head, bars->many);
    for (size_t i = 0; i < bars->count; i++) {
        bars->name(i, bars->arg, text);
        html_print(out,
                   "<tr><th scope=\"row\">%s</th>"
                   "<td class=\"number\">%u</td></tr>\n",
                   text, bars->values[i]);
    }
    html_print(out, "</tbody></table></details>\n");
}

void svg_bars(FILE *out, const struct svg_bars *bars)
{
    unsigned most = 1;
    unsigned tick;
    unsigned top;

    for (size_t i = 0; i < bars->count; i++) {
        if (bars->values[i] > most)
            most = bars->values[i];
    }
    tick = tick_of(most);
    top = (most + tick - 1) / tick * tick;
    html_print(out,
               "<figure>\n<figcaption id=\"%s\">%s</figcaption>\n"
               "<svg viewBox=\"0 0 %d %d\" role=\"img\" "
               "aria-labelledby=\"%s\">\n",
               bars->id, bars->title, WIDTH, HEIGHT, bars->id);
    put_axis(out, tick, top);
    for (size_t i = 0; i < bars->count; i++)
        put_bar(out, bars, i, top);
    html_print(out, "</svg>\n");
    put_table(out, bars);
    html_print(out, "</figure>\n");
}
