/* SPDX-License-Identifier: Apache-2.0 */
#include "label.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "output.h"
#include "png.h"
#include "report.h"

enum {
    QUIET = 4,    /* modules around a code (ISO/IEC 18004) */
    MODULE_PX = 4 /* of a PNG */
};

static json_t *label_of(const json_t *unit)
{
    json_t *label = report_new();

    report_text(label, "serial", report_get(unit, "serial"));
    report_text(label, "model", report_get(unit, "model"));
    report_text(label, "id", report_get(unit, "id"));
    return label;
}

static char *compact(const json_t *label)
{
    char *text = json_dumps(label, JSON_COMPACT | JSON_ENSURE_ASCII);

    if (text == NULL)
        die_no_memory();
    return text;
}

static void put_json(BIO *out, const json_t *label)
{
    char *text = compact(label);

    (void)BIO_printf(out, "%s\n", text);
    free(text);
}

static void put_text(BIO *out, const json_t *label)
{
    (void)BIO_printf(out, "serial: %s\nmodel: %s\nid: %s\n",
                     report_get(label, "serial"), report_get(label, "model"),
                     report_get(label, "id"));
}

/* ---- QR codes --------------------------------------------------------------
 */

static bool has_ink(const QRcode *code, int x, int y)
{
    return x >= 0 && y >= 0 && x < code->width && y < code->width &&
           (code->data[y * code->width + x] & 1) != 0;
}

static bool png_pixel(const void *code, unsigned x, unsigned y)
{
    return has_ink(code, (int)(x / MODULE_PX) - QUIET,
                   (int)(y / MODULE_PX) - QUIET);
}

static QRcode *code_of(const json_t *label)
{
    char *text = compact(label);
    QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);

    free(text);
    if (code == NULL)
        die_no_memory(); /* the texts are far shorter than a code takes */
    return code;
}

static void put_png(BIO *out, const json_t *label)
{
    QRcode *code = code_of(label);
    unsigned width = (unsigned)(code->width + 2 * QUIET) * MODULE_PX;
    size_t len = 0;
    uint8_t *png = png_encode(width, png_pixel, code, &len);

    (void)BIO_write(out, png, (int)len);
    OPENSSL_free(png);
    QRcode_free(code);
}

static void put_svg(BIO *out, const json_t *label)
{
    QRcode *code = code_of(label);
    int width = code->width + 2 * QUIET;

    (void)BIO_printf(out,
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" "
                     "viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">\n"
                     "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n"
                     "<path d=\"",
                     width, width, width, width);
    for (int y = 0; y < code->width; y++) {
        for (int x = 0; x < code->width; x++) {
            if (has_ink(code, x, y))
                (void)BIO_printf(out, "M%d %dh1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    (void)BIO_printf(out, "\"/>\n</svg>\n");
    QRcode_free(code);
}

/* ---- by their names --------------------------------------------------------
 */

static const struct kind {
    const char *suffix;
    void (*put)(BIO *out, const json_t *label);
} kinds[] = {
    {".txt", put_text},
    {".json", put_json},
    {".png", put_png},
    {".svg", put_svg},
};

static const struct kind *kind_of(const char *path)
{
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot != NULL && i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (strcmp(dot, kinds[i].suffix) == 0)
            return &kinds[i];
    }
    return NULL;
}

bool label_kind_is_known(const char *path)
{
    return kind_of(path) != NULL;
}

enum exit_code label_write(const char *path, const json_t *unit)
{
    const struct kind *kind = kind_of(path);
    json_t *label = label_of(unit);
    BIO *text = BIO_new(BIO_s_mem());
    struct output out;
    char *data = NULL;
    enum exit_code code;
    long len;

    if (text == NULL)
        die_no_memory();
    if (kind != NULL) /* the command line was looked at before */
        kind->put(text, label);
    len = BIO_get_mem_data(text, &data);
    code = output_open(&out, path, true);
    if (code == EXIT_DONE)
        code = output_write(&out, data, (size_t)len);
    output_close(&out);
    BIO_free(text);
    json_decref(label);
    return code;
}
