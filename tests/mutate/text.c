/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a key file as a text: its labels, lines and headers. */
#include "mutate.h"

#include <string.h>

#define TEXT_MAX 200000

struct line {
    size_t at;
    size_t len; /* without its newline */
};

static const char dashes[] = "-----";

/* One line of the text, of those that start with `start`; false: none. */
static bool pick_line(const struct bytes *text, struct rng *rng,
                      const char *start, struct line *line)
{
    size_t start_len = strlen(start);
    size_t count = 0;
    size_t at = 0;

    while (at < text->len) {
        const uint8_t *from = text->data + at;
        const uint8_t *newline = memchr(from, '\n', text->len - at);
        size_t len =
            newline == NULL ? text->len - at : (size_t)(newline - from);

        /* The n-th takes the place of those before it once in n times. */
        if (len >= start_len && memcmp(from, start, start_len) == 0 &&
            (count++ == 0 || rng_below(rng, count) == 0))
            *line = (struct line){at, len};
        at += len + 1;
    }
    return count > 0;
}

static void insert(struct bytes *text, size_t at, const char *what)
{
    bytes_splice(text, at, 0, what, strlen(what));
}

/* `len` times the character c, then an end of line. */
static void insert_long(struct bytes *text, size_t at, char c, size_t len)
{
    struct bytes line = bytes_new(NULL, len + 1);

    memset(line.data, c, len);
    line.data[len] = '\n';
    bytes_splice(text, at, 0, line.data, line.len);
    bytes_free(&line);
}

/* ---- labels ---------------------------------------------------------- */

static void change_label(struct bytes *text, struct rng *rng)
{
    static const char *const labels[] = {
        "TSS2 PRIVATE KEY",
        "DEVID KEY REFERENCE",
        "TSS2 KEY BLOB",
        "PRIVATE KEY",
        "EC PRIVATE KEY",
        "RSA PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "PUBLIC KEY",
        "EC PARAMETERS",
        "CERTIFICATE",
        "tss2 private key",
        "TSS2 PRIVATE KEY ",
        " TSS2 PRIVATE KEY",
        "TSS2  PRIVATE KEY",
        "TSS2 PRIVATE KE",
        "%s%n",
        "",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    const char *label =
        labels[rng_below(rng, sizeof(labels) / sizeof(*labels))];
    struct line line;
    size_t from;
    size_t to;

    if (!pick_line(text, rng, dashes, &line))
        return;
    from = line.at + strlen(dashes);
    while (from < line.at + line.len && text->data[from] != ' ')
        from++;
    if (from < line.at + line.len)
        from++; /* past "BEGIN " or "END " */
    to = from;
    while (to < line.at + line.len && text->data[to] != '-')
        to++;
    bytes_splice(text, from, to - from, label, strlen(label));
}

/* More dashes, or fewer, before or behind a label. */
static void change_dashes(struct bytes *text, struct rng *rng)
{
    struct line line;
    size_t at;

    if (!pick_line(text, rng, dashes, &line))
        return;
    at = line.at;
    if (rng_below(rng, 2) == 0 && line.len >= 2 * strlen(dashes))
        at += line.len - strlen(dashes);
    if (rng_below(rng, 2) == 0)
        bytes_splice(text, at, rng_below(rng, strlen(dashes) + 1), NULL, 0);
    else
        insert(text, at, &dashes[rng_below(rng, strlen(dashes))]);
}

/* ---- lines ----------------------------------------------------------- */

/* Every newline from `from` to `to` becomes `end`. */
static void replace_ends(struct bytes *text, size_t from, size_t to,
                         const char *end)
{
    size_t len = strlen(end);
    struct bytes lines = bytes_new(NULL, (to - from) * (len + 1));

    lines.len = 0;
    for (size_t i = from; i < to; i++) {
        if (text->data[i] == '\n') {
            memcpy(lines.data + lines.len, end, len);
            lines.len += len;
        } else {
            lines.data[lines.len++] = text->data[i];
        }
    }
    bytes_splice(text, from, to - from, lines.data, lines.len);
    bytes_free(&lines);
}

/* Another end for each line, or for one. */
static void change_ends(struct bytes *text, struct rng *rng)
{
    static const char *const ends[] = {"\r\n", "\r",   "\n\n", "",
                                       " \n",  "\t\n", "\f",   "\r\r\n"};
    const char *end = ends[rng_below(rng, sizeof(ends) / sizeof(*ends))];
    struct line line;

    if (rng_below(rng, 2) == 0)
        replace_ends(text, 0, text->len, end);
    else if (pick_line(text, rng, "", &line) && line.at + line.len < text->len)
        replace_ends(text, line.at, line.at + line.len + 1, end);
}

static void add_space(struct bytes *text, struct rng *rng)
{
    static const char *const spaces[] = {" ",  "\t", "    ",         "\xC2\xA0",
                                         "\v", "\n", "\xEF\xBB\xBF", "#"};
    const char *space =
        spaces[rng_below(rng, sizeof(spaces) / sizeof(*spaces))];
    struct line line;

    if (!pick_line(text, rng, "", &line))
        return;
    insert(text, line.at + (rng_below(rng, 2) == 0 ? 0 : line.len), space);
}

static void drop_line(struct bytes *text, struct rng *rng)
{
    struct line line;

    if (pick_line(text, rng, "", &line) && line.at + line.len < text->len)
        bytes_splice(text, line.at, line.len + 1, NULL, 0);
}

/* A line again, elsewhere. */
static void repeat_line(struct bytes *text, struct rng *rng)
{
    struct line line;
    struct line to;
    struct bytes copy;

    if (!pick_line(text, rng, "", &line) || !pick_line(text, rng, "", &to) ||
        line.at + line.len == text->len)
        return;
    copy = bytes_new(text->data + line.at, line.len + 1);
    bytes_splice(text, to.at, 0, copy.data, copy.len);
    bytes_free(&copy);
}

/* Lines of another width: OpenSSL's own reader has a limit of 256 bytes. */
static void rewrap(struct bytes *text, struct rng *rng)
{
    static const size_t widths[] = {1, 3, 63, 65, 76, 253, 254, 255, 256, 1000};
    size_t width = widths[rng_below(rng, sizeof(widths) / sizeof(*widths))];
    struct block block;
    struct bytes body;

    if (!pem_find(text, &block))
        return;
    body = bytes_new(NULL, 2 * (block.end - block.body) + 1);
    body.len = 0;
    for (size_t i = block.body, column = 0; i < block.end; i++) {
        if (text->data[i] == '\n')
            continue;
        body.data[body.len++] = text->data[i];
        if (++column % width == 0)
            body.data[body.len++] = '\n';
    }
    body.data[body.len++] = '\n';
    bytes_splice(text, block.body, block.end - block.body, body.data, body.len);
    bytes_free(&body);
}

static void add_long_line(struct bytes *text, struct rng *rng)
{
    static const size_t lens[] = {253,  254,  255,   256,   257,
                                  1000, 5000, 65536, 70000, 140000};
    static const char chars[] = "A=- x";
    size_t len = lens[rng_below(rng, sizeof(lens) / sizeof(*lens))];
    struct line line;

    if (pick_line(text, rng, "", &line))
        insert_long(text, line.at, chars[rng_below(rng, strlen(chars))], len);
}

/* ---- the whole ------------------------------------------------------- */

/* What RFC 1421 puts between a BEGIN line and base64. */
static void add_headers(struct bytes *text, struct rng *rng)
{
    static const char *const headers[] = {
        "Proc-Type: 4,ENCRYPTED\n\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,0011223344556677\n\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: NONE-SUCH\n\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info:\n\n",
        "Proc-Type: 4,MIC-CLEAR\n\n",
        "Proc-Type: 5\n",
        "Comment: made by hand\n\n",
        "Comment: a line\n that goes on\n\n",
        "\n",
        ":\n\n",
    };
    struct line line;

    if (pick_line(text, rng, dashes, &line) && line.at + line.len < text->len)
        insert(text, line.at + line.len + 1,
               headers[rng_below(rng, sizeof(headers) / sizeof(*headers))]);
}

/* The file again, behind itself: twice, or until no key file is as large. */
static void repeat_text(struct bytes *text, struct rng *rng)
{
    struct bytes once = bytes_new(text->data, text->len);
    size_t copies = 1;

    if (rng_below(rng, 4) == 0)
        copies += rng_below(rng, 400);
    for (size_t i = 0; i < copies && text->len + once.len < TEXT_MAX; i++)
        bytes_splice(text, text->len, 0, once.data, once.len);
    bytes_free(&once);
}

const struct mutation text_mutations[] = {
    {"label", change_label},
    {"dashes", change_dashes},
    {"line-ends", change_ends},
    {"space", add_space},
    {"drop-line", drop_line},
    {"repeat-line", repeat_line},
    {"rewrap", rewrap},
    {"long-line", add_long_line},
    {"headers", add_headers},
    {"repeat-text", repeat_text},
    {NULL, NULL},
};
