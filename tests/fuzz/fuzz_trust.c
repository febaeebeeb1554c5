/* SPDX-License-Identifier: Apache-2.0 */
/* A list of trust, up to a NUL, and behind it the lists of revoked certificates
 * beside it, which others sign. */
#include "fuzz.h"

#include "as_file.h"
#include "trust/patterns.h"

#include <openssl/crypto.h>
#include <string.h>
#include <time.h>

/* What nginx reads: a key is one, a literal one, and ends where it should. */
static void check_key(const char *line, const char *end)
{
    static const char tail[] = "\" 1;";
    const size_t len = sizeof(tail) - 1;

    must((size_t)(end - line) > len && memcmp(end - len, tail, len) == 0);
    must(*line != '~');
    for (end -= len; line < end; line++) {
        must(*line != '"' && *line != '\n');
        if (*line == '\\')
            line++;
    }
    must(line == end);
}

static void check_page(const struct pages_one *page)
{
    static const char head[] = "    \"";
    char *text = NULL;
    size_t len = (size_t)BIO_get_mem_data(page->text, &text);
    const char *end;

    for (const char *line = text; line != NULL && line < text + len;
         line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + len - line));
        must(end != NULL);
        if ((size_t)(end - line) >= sizeof(head) &&
            memcmp(line, head, sizeof(head) - 1) == 0)
            check_key(line + sizeof(head) - 1, end);
        else
            must(line[0] != '"');
    }
}

static void write_pages(const struct trust *trust, const struct crls *crls,
                        enum exit_code (*make)(const struct patterns *patterns,
                                               struct pages *pages))
{
    struct patterns patterns;
    char folder[256];
    struct pages pages = {.folder = folder};
    bool changed;

    (void)snprintf(folder, sizeof(folder), "%s/pages", fuzz_own_folder());
    if (patterns_make(trust, crls, &patterns) == EXIT_DONE &&
        make(&patterns, &pages) == EXIT_DONE) {
        if (make == nginx_pages) {
            for (size_t i = 0; i < pages.count; i++)
                check_page(&pages.all[i]);
        }
        pages_certificates(&pages, trust, crls);
        must(pages_write(&pages, &changed) == EXIT_DONE);
    }
    pages_clear(&pages);
    patterns_clear(&patterns);
}

static void look_at(const struct trust *trust, struct crls *crls)
{
    for (size_t i = 0; i < crls->count; i++) {
        X509_CRL *crl = crls->all[i].crl;
        const X509_CRL *old = i > 0 ? crls->all[i - 1].crl : NULL;

        if (crl_check(trust, crls->all[i].url, crl, old) == EXIT_DONE)
            must(trust_issuer_of(trust, crl) != NULL);
        (void)(crl_is_due(crl, time(NULL)) || crl_is_over(crl, time(NULL)));
    }
    crls_forget(crls, trust);
    write_pages(trust, crls, nginx_pages);
    write_pages(trust, crls, haproxy_pages);
}

/* In another folder, as who changes it does; it is the same list again. */
static void write_anew(struct trust *trust, struct crls *crls)
{
    const char *path = trust->path;
    char *crls_path = crls->path;
    char other[256];
    char other_crls[256];
    struct trust again;
    struct crls crls_again;

    (void)snprintf(other, sizeof(other), "%s/trust.json", fuzz_own_folder());
    (void)snprintf(other_crls, sizeof(other_crls), "%s/trust.crl",
                   fuzz_own_folder());
    trust->path = other;
    crls->path = other_crls;
    must(trust_save(trust) == EXIT_DONE && crls_save(crls) == EXIT_DONE);
    must(trust_open(other, true, &again) == EXIT_DONE);
    must(json_equal(trust->root, again.root));
    must(crls_open(&again, &crls_again) == EXIT_DONE);
    must(crls_again.count == crls->count);
    crls_close(&crls_again);
    trust_close(&again);
    trust->path = path;
    crls->path = crls_path;
}

static void look_at_cas(const struct trust *trust)
{
    for (int i = 0; i < sk_X509_num(trust->ca); i++) {
        json_t *entry = trust_ca_entry(sk_X509_value(trust->ca, i));

        must(json_object_get(entry, "certificate") != NULL);
        json_decref(entry);
    }
    nginx_lines("/folder", json_array_size(trust->crls) > 0);
    haproxy_lines("/folder", json_array_size(trust->crls) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t list_len = nul != NULL ? (size_t)(nul - data) : size;
    size_t crls_len = size - list_len - (nul != NULL);
    const uint8_t *text = nul != NULL ? nul + 1 : data + size;
    const char *folder = fuzz_as_folder(0, "trust.json", data, list_len);
    char path[256];
    struct trust trust;
    struct crls crls;

    fuzz_silence_output();
    (void)fuzz_as_folder(1, "trust.crl", text, crls_len);
    (void)snprintf(path, sizeof(path), "%s/trust.json", folder);
    if (trust_open(path, false, &trust) == EXIT_DONE) {
        look_at_cas(&trust);
        if (crls_open(&trust, &crls) == EXIT_DONE) {
            look_at(&trust, &crls);
            write_anew(&trust, &crls);
        }
        crls_close(&crls);
    }
    trust_close(&trust);
    X509_CRL_free(crl_parse(text, crls_len));
    must_leave_no_error();
    return 0;
}
