/* SPDX-License-Identifier: Apache-2.0 */
/* Files that come to a station on a stick: requests, as devid-station import
 * takes them, and lists of EKs. */
#include "fuzz.h"

#include "as_file.h"
#include "context.h"
#include "fake_line.h"
#include "offline.h"

#include <openssl/crypto.h>
#include <string.h>

enum {
    RUNS = 500 /* on one ledger */
};

/* A unit of the line that was not there is said to be missing. */
static void look_for(const struct fake_line *line, const struct exchange *x,
                     const char *serial, bool there)
{
    struct ledger_unit unit = {0};
    uint8_t *cert;
    size_t len;

    if (serial != NULL) {
        must((offline_find(&line->context, serial, &unit) == EXIT_DONE) ||
             !there);
        ledger_unit_clear(&unit);
    }
    cert = offline_bytes(x, "idevid", &len);
    must((cert != NULL) == (len > 0));
    OPENSSL_free(cert);
}

/* It is a unit of the line afterwards, or the ledger says why not. */
static void take_in(const struct file *file)
{
    static struct fake_line *line;
    static unsigned runs;
    const char *serial = offline_is_asserted(file) ? "SN2" : NULL;
    struct exchange x = {.batch = "B1"};

    if (runs++ % RUNS == 0)
        line = fake_line_begin();
    x.context = &line->context;
    if (offline_units(&x, file, serial, serial ? "M1" : NULL) == EXIT_DONE)
        must(x.status / 100 == 2 && offline_text(&x, "state")[0] != '\0');
    look_for(line, &x, serial, x.status / 100 == 2);
    exchange_clear(&x);
}

static void as_request(const char *path)
{
    struct file file;

    if (offline_open(path, &file) != EXIT_DONE) {
        must(file.body == NULL);
        return;
    }
    must(json_is_object(file.body));
    take_in(&file);
    offline_close(&file);
}

static void as_ek_list(const char *path)
{
    static const char zero[] = "0000000000000000000000000000000000000000"
                               "000000000000000000000000";
    struct ek_list *list = NULL;

    if (ek_list_read(path, &list) == EXIT_DONE)
        (void)ek_list_has(list, zero);
    else
        must(list == NULL);
    ek_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_as_file(3, data, size);

    as_request(path);
    as_ek_list(path);
    must_leave_no_error();
    return 0;
}
