/* SPDX-License-Identifier: Apache-2.0 */
/* devid trust refresh: new lists of revoked certificates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crls.h"
#include "fetch.h"
#include "message.h"
#include "report.h"
#include "trust.h"

enum {
    FILE_ROW,
    ALL,
    HTTPS_CA,
    TIMEOUT
};

enum {
    TIMEOUT_DEFAULT_S = 60,
    TIMEOUT_MAX_S = 3600
};

static const struct option_row options[] = {
    [FILE_ROW] = TRUST_FILE_ROW,
    [ALL] = {"all", NULL, "fetch all, not only those whose time is half over",
             false, false},
    [HTTPS_CA] = {"https-ca", "FILE",
                  "certificates in PEM that vouch for servers of https; the "
                  "default is what OpenSSL trusts",
                  false, false},
    [TIMEOUT] = {"timeout", "SECONDS",
                 "how long one list may take; the default is 60", false, false},
    {0},
};

struct refresh {
    const struct args *args;
    struct fetch_spec spec;
    struct crls fresh; /* what this run has fetched */
    size_t failed;
};

static enum exit_code read_timeout(struct refresh *r)
{
    const char *text = args_text(r->args, TIMEOUT);
    char *end = NULL;
    long seconds = text ? strtol(text, &end, 10) : TIMEOUT_DEFAULT_S;

    if (text && (*text == '\0' || *end != '\0' || seconds < 1 ||
                 seconds > TIMEOUT_MAX_S))
        return wrong_use("trust refresh",
                         "--timeout is a number of seconds from 1 to %d, not "
                         "'%s'",
                         (int)TIMEOUT_MAX_S, text);
    r->spec.timeout_s = (unsigned)seconds;
    r->spec.ca = args_text(r->args, HTTPS_CA);
    return EXIT_DONE;
}

/* The new list, known to be good; NULL: the sentence has been printed. */
static X509_CRL *fetch_list(const struct refresh *r, const struct trust *trust,
                            const X509_CRL *old)
{
    const char *url = r->spec.url;
    X509_CRL *crl = NULL;
    uint8_t *data = NULL;
    size_t len = 0;

    if (fetch(&r->spec, &data, &len) != EXIT_DONE)
        return NULL;
    crl = crl_parse(data, len);
    free(data);
    if (!crl)
        (void)fail("what is at %s is no list of revoked certificates, neither "
                   "in DER nor in PEM",
                   url);
    else if (crl_check(trust, url, crl, old) == EXIT_DONE)
        return crl;
    X509_CRL_free(crl);
    return NULL;
}

/* What becomes of those who must do without a new one. */
static void tell_of_old(const char *url, const X509_CRL *old)
{
    char until[32];

    if (!old)
        note("there is no list of %s at all: until there is one 'devid trust "
             "write' writes nothing",
             url);
    else
        note("the list of %s that is at hand stays: it %s at %s", url,
             crl_is_over(old, time(NULL)) ? "ran out" : "runs out",
             time_text(X509_CRL_get0_nextUpdate(old), until));
}

static void refresh_one(struct refresh *r, const struct trust *trust,
                        const struct crls *old)
{
    const char *url = r->spec.url;
    X509_CRL *now = crls_get(old, url);
    X509_CRL *crl;

    if (now && !crl_is_due(now, time(NULL)) && !args_flag(r->args, ALL)) {
        (void)printf("%s: not due yet\n", url);
        return;
    }
    crl = fetch_list(r, trust, now);
    if (crl) {
        crls_put(&r->fresh, url, crl);
        return;
    }
    tell_of_old(url, now);
    r->failed++;
}

/* Nobody is kept from the list while a network is waited for. */
static enum exit_code fetch_all(struct refresh *r, const char *path)
{
    struct trust trust;
    struct crls old = {0};
    enum exit_code code = trust_open(path, false, &trust);
    const json_t *url;
    size_t i;

    if (code == EXIT_DONE)
        code = crls_open(&trust, &old);
    if (code == EXIT_DONE) {
        json_array_foreach(trust.crls, i, url)
        {
            r->spec.url = json_string_value(url);
            refresh_one(r, &trust, &old);
        }
        if (json_array_size(trust.crls) == 0)
            note("%s names no list of revoked certificates: 'devid trust add "
                 "--crl URL' does",
                 path);
    }
    crls_close(&old);
    trust_close(&trust);
    return code;
}

/* Meanwhile somebody may have taken the URL away, or fetched a later one. */
static enum exit_code keep_all(struct refresh *r, const char *path)
{
    struct trust trust;
    struct crls crls = {0};
    enum exit_code code = trust_open(path, true, &trust);
    char room[32];

    if (code == EXIT_DONE)
        code = crls_open(&trust, &crls);
    for (size_t i = 0; code == EXIT_DONE && i < r->fresh.count; i++) {
        struct crls_one *one = &r->fresh.all[i];
        const X509_CRL *old = crls_get(&crls, one->url);

        if (old && ASN1_TIME_compare(X509_CRL_get0_lastUpdate(one->crl),
                                     X509_CRL_get0_lastUpdate(old)) < 0)
            continue;
        (void)printf("%s: new, valid until %s\n", one->url,
                     time_text(X509_CRL_get0_nextUpdate(one->crl), room));
        crls_put(&crls, one->url, one->crl);
        one->crl = NULL;
    }
    if (code == EXIT_DONE) {
        crls_forget(&crls, &trust);
        code = crls_save(&crls);
    }
    crls_close(&crls);
    trust_close(&trust);
    return code;
}

static enum exit_code run(const struct args *args)
{
    struct refresh r = {.args = args};
    const char *path = trust_path(args, FILE_ROW);
    enum exit_code code = read_timeout(&r);

    if (code == EXIT_DONE)
        code = fetch_all(&r, path);
    if (code == EXIT_DONE && r.fresh.count > 0)
        code = keep_all(&r, path);
    crls_close(&r.fresh);
    return code == EXIT_DONE && r.failed > 0 ? EXIT_FAILED : code;
}

const struct command trust_refresh_action = {
    .name = "trust refresh",
    .operands = "",
    .help = "fetch the lists of revoked certificates anew",
    .example = "  devid trust refresh\n",
    .options = options,
    .run = run,
};
