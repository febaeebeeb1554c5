/* SPDX-License-Identifier: Apache-2.0 */
#include "patterns.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "names.h"
#include "report.h"

/* ---- keys ---------------------------------------------------------------- */

static void add_key(json_t *set, const char *key)
{
    if (*key != '\0' && json_object_set_new(set, key, json_true()) != 0)
        die_no_memory();
}

static void add_serial(json_t *set, const char *serial, const char *issuer)
{
    char *key = NULL;

    if (asprintf(&key, "%s/%s", serial, issuer) < 0)
        die_no_memory();
    add_key(set, key);
    free(key);
}

static void add_device(struct patterns *p, const json_t *device)
{
    const char *sha256 = report_get(device, "sha256");
    const char *sha1 = report_get(device, "sha1");

    switch (device_by(device)) {
    case BY_SUBJECT:
        add_key(p->subjects, report_get(device, "subject"));
        break;
    case BY_SERIAL:
        add_serial(p->serials, report_get(device, "serial"),
                   report_get(device, "issuer"));
        break;
    case BY_FINGERPRINT:
        add_key(p->sha256, sha256);
        add_key(p->sha1, sha1);
        if (*sha256 == '\0')
            add_key(p->sha1_alone, sha1);
        if (*sha1 == '\0')
            p->without_sha1++;
        break;
    case BY_ANY: /* trust_open refuses such an entry */
        break;
    }
}

static void add_revoked(struct patterns *p, X509_CRL *crl)
{
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
    char *issuer = name_text(X509_CRL_get_issuer(crl));

    for (int i = 0; i < sk_X509_REVOKED_num(list); i++) {
        char *serial = serial_text(
            X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(list, i)));

        add_serial(p->revoked, serial, issuer);
        free(serial);
    }
    free(issuer);
}

/* ---- what would not work ------------------------------------------------- */

static bool has_issuer(const struct trust *trust, X509 *cert)
{
    for (int i = 0; i < sk_X509_num(trust->ca); i++) {
        X509 *ca = sk_X509_value(trust->ca, i);

        if (X509_check_issued(ca, cert) == X509_V_OK)
            return true;
    }
    return false;
}

static enum exit_code check_ca(const struct trust *trust,
                               const struct patterns *p, X509 *ca)
{
    enum exit_code code = EXIT_DONE;
    struct names names;
    char *key = NULL;

    names_of_cert(ca, &names);
    if (asprintf(&key, "%s/%s", names.serial, names.issuer) < 0)
        die_no_memory();
    if (!has_issuer(trust, ca))
        code = fail("%s: the CA %s needs the certificate of its issuer %s, or "
                    "no program trusts it: 'devid trust add --ca FILE' adds it",
                    trust->path, names.subject, names.issuer);
    else if (json_object_get(p->revoked, key))
        code = fail("%s: the certificate of the CA %s is revoked: 'devid trust "
                    "remove --ca FILE' removes it",
                    trust->path, names.subject);
    free(key);
    names_clear(&names);
    return code;
}

static enum exit_code check_all(const struct trust *trust,
                                const struct crls *crls,
                                const struct patterns *p)
{
    enum exit_code code = EXIT_DONE;
    const json_t *url;
    size_t i;

    if (sk_X509_num(trust->ca) == 0)
        return fail("%s has no CA, so nobody vouches for any device: 'devid "
                    "trust add --ca FILE' adds one",
                    trust->path);
    json_array_foreach(trust->crls, i, url)
    {
        if (!crls_get(crls, json_string_value(url)))
            return fail("the list of revoked certificates at %s was never "
                        "fetched: run 'devid trust refresh'",
                        json_string_value(url));
    }
    for (int j = 0; code == EXIT_DONE && j < sk_X509_num(trust->ca); j++)
        code = check_ca(trust, p, sk_X509_value(trust->ca, j));
    return code;
}

enum exit_code patterns_make(const struct trust *trust, const struct crls *crls,
                             struct patterns *patterns)
{
    const json_t *entry;
    X509_CRL *crl;
    char room[32];
    size_t i;

    *patterns = (struct patterns){report_new(),
                                  report_new(),
                                  report_new(),
                                  report_new(),
                                  report_new(),
                                  report_new(),
                                  0};
    json_array_foreach(trust->devices, i, entry)
    {
        add_device(patterns, entry);
    }
    json_array_foreach(trust->crls, i, entry)
    {
        crl = crls_get(crls, json_string_value(entry));
        if (!crl)
            continue;
        add_revoked(patterns, crl);
        if (crl_is_over(crl, time(NULL)))
            note("the list of revoked certificates at %s ran out at %s: what "
                 "was revoked since is not known",
                 json_string_value(entry),
                 time_text(X509_CRL_get0_nextUpdate(crl), room));
    }
    return check_all(trust, crls, patterns);
}

void patterns_clear(struct patterns *patterns)
{
    json_decref(patterns->sha256);
    json_decref(patterns->sha1);
    json_decref(patterns->sha1_alone);
    json_decref(patterns->subjects);
    json_decref(patterns->serials);
    json_decref(patterns->revoked);
    *patterns = (struct patterns){0};
}

/* ---- files --------------------------------------------------------------- */

BIO *pages_add(struct pages *pages, const char *name)
{
    BIO *text = BIO_new(BIO_s_mem());

    if (!text || pages->count == sizeof(pages->all) / sizeof(*pages->all))
        die_no_memory();
    pages->all[pages->count++] = (struct pages_one){name, text};
    return text;
}

enum exit_code pages_write(const struct pages *pages, bool *changed)
{
    struct folder_file files[sizeof(pages->all) / sizeof(*pages->all)];

    for (size_t i = 0; i < pages->count; i++) {
        char *data = NULL;
        long len = BIO_get_mem_data(pages->all[i].text, &data);

        files[i] = (struct folder_file){pages->all[i].name, data, (size_t)len};
    }
    return folder_replace(pages->folder, files, pages->count, changed);
}

void pages_clear(struct pages *pages)
{
    for (size_t i = 0; i < pages->count; i++)
        BIO_free(pages->all[i].text);
    pages->count = 0;
}

void pages_certificates(struct pages *pages, const struct trust *trust,
                        const struct crls *crls)
{
    BIO *text = pages_add(pages, "ca.pem");
    const json_t *url;
    size_t i;

    for (int j = 0; j < sk_X509_num(trust->ca); j++) {
        if (PEM_write_bio_X509(text, sk_X509_value(trust->ca, j)) != 1)
            die_no_memory();
    }
    if (json_array_size(trust->crls) == 0)
        return;
    text = pages_add(pages, "crl.pem");
    json_array_foreach(trust->crls, i, url)
    {
        if (PEM_write_bio_X509_CRL(text,
                                   crls_get(crls, json_string_value(url))) != 1)
            die_no_memory();
    }
}
