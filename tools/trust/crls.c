/* SPDX-License-Identifier: Apache-2.0 */
#include "crls.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "names.h"
#include "output.h"
#include "report.h"

#define BEGIN "-----BEGIN X509 CRL-----"

/* ---- the file ------------------------------------------------------------ */

static char *path_beside(const char *list)
{
    size_t len = strlen(list);
    char *path = calloc(len + sizeof(".crl"), 1);

    if (!path)
        die_no_memory();
    if (len > 5 && strcmp(list + len - 5, ".json") == 0)
        len -= 5;
    (void)sprintf(path, "%.*s.crl", (int)len, list);
    return path;
}

void crls_put(struct crls *crls, const char *url, X509_CRL *crl)
{
    struct crls_one *more;

    for (size_t i = 0; i < crls->count; i++) {
        if (strcmp(crls->all[i].url, url) == 0) {
            X509_CRL_free(crls->all[i].crl);
            crls->all[i].crl = crl;
            return;
        }
    }
    more = realloc(crls->all, (crls->count + 1) * sizeof(*more));
    if (!more)
        die_no_memory();
    crls->all = more;
    more[crls->count].url = strdup(url);
    more[crls->count].crl = crl;
    if (!more[crls->count].url)
        die_no_memory();
    crls->count++;
}

/* What stands between "# " and the line's end before a list. */
static char *url_of_line(const char *line)
{
    return strndup(line + 2, strcspn(line + 2, "\r\n"));
}

static enum exit_code read_text(struct crls *crls, BIO *in)
{
    char line[4096];
    char *url = NULL;

    while (BIO_gets(in, line, sizeof(line)) > 0) {
        X509_CRL *crl = NULL;
        long begin = BIO_tell(in) - (long)strlen(line);

        if (strncmp(line, "# ", 2) == 0) {
            free(url);
            url = url_of_line(line);
        }
        if (strncmp(line, BEGIN, sizeof(BEGIN) - 1) != 0)
            continue;
        if (url && BIO_seek(in, (int)begin) >= 0)
            crl = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL);
        ERR_clear_error();
        if (!crl) {
            free(url);
            return fail("%s is damaged: remove it, and run 'devid trust "
                        "refresh'",
                        crls->path);
        }
        crls_put(crls, url, crl);
    }
    free(url);
    return EXIT_DONE;
}

enum exit_code crls_open(const struct trust *trust, struct crls *crls)
{
    enum exit_code code;
    BIO *in;

    *crls = (struct crls){.path = path_beside(trust->path)};
    errno = 0;
    in = BIO_new_file(crls->path, "r");
    ERR_clear_error();
    if (!in && errno == ENOENT)
        return EXIT_DONE;
    if (!in)
        return fail("%s cannot be read: %s", crls->path, strerror(errno));
    code = read_text(crls, in);
    BIO_free(in);
    return code;
}

enum exit_code crls_save(const struct crls *crls)
{
    struct output out = {.directory = -1};
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    enum exit_code code;
    long len;

    if (!bio)
        die_no_memory();
    for (size_t i = 0; i < crls->count; i++) {
        if (BIO_printf(bio, "# %s\n", crls->all[i].url) < 0 ||
            PEM_write_bio_X509_CRL(bio, crls->all[i].crl) != 1)
            die_no_memory();
    }
    len = BIO_get_mem_data(bio, &data);
    code = output_open(&out, crls->path, true);
    if (code == EXIT_DONE)
        code = output_write(&out, data, (size_t)len);
    output_close(&out);
    BIO_free(bio);
    return code;
}

void crls_close(struct crls *crls)
{
    for (size_t i = 0; i < crls->count; i++) {
        free(crls->all[i].url);
        X509_CRL_free(crls->all[i].crl);
    }
    free(crls->all);
    free(crls->path);
    *crls = (struct crls){0};
}

X509_CRL *crls_get(const struct crls *crls, const char *url)
{
    for (size_t i = 0; i < crls->count; i++) {
        if (strcmp(crls->all[i].url, url) == 0)
            return crls->all[i].crl;
    }
    return NULL;
}

void crls_forget(struct crls *crls, const struct trust *trust)
{
    size_t kept = 0;

    for (size_t i = 0; i < crls->count; i++) {
        const json_t *url;
        size_t j;
        bool wanted = false;

        json_array_foreach(trust->crls, j, url)
        {
            wanted =
                wanted || strcmp(json_string_value(url), crls->all[i].url) == 0;
        }
        if (wanted) {
            crls->all[kept++] = crls->all[i];
            continue;
        }
        free(crls->all[i].url);
        X509_CRL_free(crls->all[i].crl);
    }
    crls->count = kept;
}

/* ---- one list ------------------------------------------------------------ */

X509_CRL *crl_parse(const uint8_t *data, size_t len)
{
    const unsigned char *at = data;
    X509_CRL *crl = NULL;
    BIO *in;

    if (len > 0 && *data == 0x30)
        crl = d2i_X509_CRL(NULL, &at, (long)len);
    if (crl && at != data + len) {
        X509_CRL_free(crl);
        crl = NULL;
    }
    if (!crl) {
        in = BIO_new_mem_buf(data, (int)len);
        crl = in ? PEM_read_bio_X509_CRL(in, NULL, NULL, NULL) : NULL;
        BIO_free(in);
    }
    ERR_clear_error();
    return crl;
}

const char *time_text(const ASN1_TIME *when, char room[32])
{
    struct tm utc;

    if (!when || ASN1_TIME_to_tm(when, &utc) != 1 ||
        strftime(room, 32, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        (void)snprintf(room, 32, "never");
    return room;
}

bool crl_is_over(const X509_CRL *crl, time_t now)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);

    return next && ASN1_TIME_cmp_time_t(next, now) <= 0;
}

bool crl_is_due(const X509_CRL *crl, time_t now)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
    struct tm begin;
    struct tm end;
    time_t from;

    if (!next || ASN1_TIME_to_tm(X509_CRL_get0_lastUpdate(crl), &begin) != 1 ||
        ASN1_TIME_to_tm(next, &end) != 1)
        return true;
    from = timegm(&begin);
    return now >= from + (timegm(&end) - from) / 2;
}

/* A list of changes to another, or of other CAs' certificates: RFC 5280, 5.2.
 */
static bool is_whole(X509_CRL *crl)
{
    ISSUING_DIST_POINT *point =
        X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, NULL, NULL);
    bool indirect = point && point->indirectCRL > 0;
    bool whole = X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) < 0;

    ISSUING_DIST_POINT_free(point);
    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
        X509_EXTENSION *ext = X509_CRL_get_ext(crl, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext));

        if (X509_EXTENSION_get_critical(ext) && nid != NID_crl_number &&
            nid != NID_issuing_distribution_point &&
            nid != NID_authority_key_identifier)
            whole = false;
    }
    return whole && !indirect;
}

static enum exit_code check_age(const char *url, const X509_CRL *crl,
                                const X509_CRL *old)
{
    char at[32];
    char other[32];
    const ASN1_TIME *made = X509_CRL_get0_lastUpdate(crl);

    if (ASN1_TIME_cmp_time_t(made, time(NULL) + 300) > 0)
        return fail("the list at %s is of %s, which is yet to come: is this "
                    "machine's clock right?",
                    url, time_text(made, at));
    if (crl_is_over(crl, time(NULL)))
        return fail("the list at %s ran out at %s: its CA must make a new one",
                    url, time_text(X509_CRL_get0_nextUpdate(crl), at));
    if (old && ASN1_TIME_compare(made, X509_CRL_get0_lastUpdate(old)) < 0)
        return fail("the list at %s is of %s, older than the one at hand, "
                    "which is of %s",
                    url, time_text(made, at),
                    time_text(X509_CRL_get0_lastUpdate(old), other));
    return EXIT_DONE;
}

enum exit_code crl_check(const struct trust *trust, const char *url,
                         X509_CRL *crl, const X509_CRL *old)
{
    char *issuer;

    if (!trust_issuer_of(trust, crl)) {
        issuer = name_text(X509_CRL_get_issuer(crl));
        (void)fail("the list at %s, of %s, is signed by none of the CAs in %s",
                   url, issuer, trust->path);
        free(issuer);
        return EXIT_FAILED;
    }
    if (!is_whole(crl))
        return fail("the list at %s is one of changes, of other CAs' "
                    "certificates, or has a critical extension that devid does "
                    "not know: a whole list of its issuer is needed",
                    url);
    return check_age(url, crl, old);
}
