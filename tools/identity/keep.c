/* SPDX-License-Identifier: Apache-2.0 */
#include "keep.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "folder.h"
#include "message.h"
#include "steps.h"

/* ---- NV ------------------------------------------------------------------ */

struct nv_place {
    const char *name; /* "IDevID" */
    const char *uri;
    X509 *cert;
    const struct devid_public *pub;
};

/*
 * Something else lies there. One of another key is of no use to anybody; one of
 * this key is an identity that somebody has given this device; half a
 * certificate is left by who was killed between two pieces of it.
 */
static enum exit_code may_replace(struct devid *engine,
                                  const struct keep_spec *spec,
                                  const struct nv_place *place,
                                  const struct devid_error *exists)
{
    const unsigned char *at;
    struct devid_error err;
    uint8_t *der = NULL;
    size_t len = 0;
    const char *was = "not whole";
    bool ours;
    bool same; /* but for the signature, its end */
    X509 *cert;

    if (devid_cert_read(engine, place->uri, &der, &len, &err))
        return step_fail(DEVID_ERR_EXISTS, exists); /* no certificate at all */
    at = der;
    cert = d2i_X509(NULL, &at, (long)len);
    OPENSSL_free(der);
    ERR_clear_error();
    ours = cert != NULL && certificate_has_key(cert, place->pub);
    same = ours && X509_issuer_and_serial_cmp(cert, place->cert) == 0;
    if (cert != NULL && !same)
        was = ours ? "of another station" : "another key's";
    X509_free(cert);
    if (ours && !same && !spec->replace_ours)
        return fail("%s holds another certificate of this device's %s: it has "
                    "an identity of another station, which stays; --new-owner "
                    "replaces it",
                    place->uri, place->name);
    note("the certificate at %s was %s and is replaced", place->uri, was);
    return EXIT_DONE;
}

static enum exit_code write_place(struct devid *engine,
                                  const struct keep_spec *spec,
                                  const struct nv_place *place)
{
    struct devid_cert_spec cert = {.uri = place->uri};
    struct devid_error err;
    enum exit_code code = EXIT_DONE;
    uint8_t *der = NULL;
    int len = i2d_X509(place->cert, &der);
    enum devid_err e;

    if (len <= 0)
        die_no_memory();
    cert.der = der;
    cert.len = (size_t)len;
    e = devid_cert_write(engine, &cert, &err);
    if (e == DEVID_ERR_EXISTS) {
        code = may_replace(engine, spec, place, &err);
        cert.replace = true;
        e = code == EXIT_DONE ? devid_cert_write(engine, &cert, &err)
                              : DEVID_OK;
    }
    OPENSSL_free(der);
    /* _INPUT: larger than an index may be; _BUSY: than what is free. */
    if ((e == DEVID_ERR_INPUT || e == DEVID_ERR_BUSY) && spec->nv_optional) {
        note("%s; it stays on disk alone", err.text);
        return EXIT_NO_ROOM;
    }
    if (e == DEVID_ERR_INPUT || e == DEVID_ERR_BUSY)
        return fail_with(EXIT_NO_ROOM,
                         "%s; --nv=optional keeps the certificates on disk "
                         "alone",
                         err.text);
    return e == DEVID_OK ? code : step_fail(e, &err);
}

enum exit_code keep_in_nv(struct devid *engine, const struct keep_spec *spec,
                          const struct certificates *certificates,
                          const struct certificates_owner *owner, bool *in_nv)
{
    const struct nv_place places[] = {
        {"IAK", DEVID_IAK_CERT_URI, certificates->iak, owner->iak},
        {"IDevID", DEVID_IDEVID_CERT_URI, certificates->idevid, owner->idevid},
    };
    enum exit_code code = EXIT_DONE;

    for (int i = 0; code == EXIT_DONE && i < 2; i++)
        code = write_place(engine, spec, &places[i]);
    *in_nv = code == EXIT_DONE;
    return code == EXIT_NO_ROOM && spec->nv_optional ? EXIT_DONE : code;
}

enum exit_code keep_on_token(struct devid *engine, const struct devid_key *key,
                             const struct keep_spec *spec, X509 *cert)
{
    struct devid_key_info info;
    struct nv_place place = {
        .name = "key",
        .uri = info.uri,
        .cert = cert,
        .pub = devid_key_public(key),
    };

    devid_key_info(key, &info);
    return write_place(engine, spec, &place);
}

/* ---- disk ---------------------------------------------------------------- */

static BIO *new_text(void)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio == NULL)
        die_no_memory();
    return bio;
}

static void put_cert(BIO *bio, X509 *cert)
{
    if (PEM_write_bio_X509(bio, cert) != 1)
        die_no_memory();
}

/* The certificate and those between it and the last of `ca`. */
static void put_chain(BIO *bio, const struct certificates *certificates)
{
    put_cert(bio, certificates->idevid);
    for (int i = 0; i + 1 < sk_X509_num(certificates->ca); i++)
        put_cert(bio, sk_X509_value(certificates->ca, i));
}

static void add_file(struct folder_file *files, size_t *count, const char *name,
                     BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    files[*count] =
        (struct folder_file){.name = name, .data = data, .len = (size_t)len};
    (*count)++;
}

static void put_unit(BIO *bio, const json_t *unit)
{
    char *text = json_dumps(unit, JSON_INDENT(2) | JSON_ENSURE_ASCII);

    if (text == NULL || BIO_printf(bio, "%s\n", text) < 0)
        die_no_memory();
    free(text);
}

enum {
    KEY,
    CERT,
    CHAIN,
    CA,
    COMBINED,
    UNIT,
    IAK,
    FILES
};

static void put_files(BIO *const texts[FILES], const char *key,
                      const struct certificates *certificates,
                      const json_t *unit)
{
    STACK_OF(X509) *ca = certificates->ca;

    if (BIO_puts(texts[KEY], key) <= 0 || BIO_puts(texts[COMBINED], key) <= 0)
        die_no_memory();
    put_cert(texts[CERT], certificates->idevid);
    put_chain(texts[CHAIN], certificates);
    put_cert(texts[CA], sk_X509_value(ca, sk_X509_num(ca) - 1));
    for (int i = 0; i < sk_X509_num(certificates->anchors); i++)
        put_cert(texts[CA], sk_X509_value(certificates->anchors, i));
    put_chain(texts[COMBINED], certificates);
    if (unit != NULL)
        put_unit(texts[UNIT], unit);
    if (certificates->iak != NULL)
        put_cert(texts[IAK], certificates->iak);
}

enum exit_code keep_on_disk(const struct devid_key *key,
                            const struct keep_spec *spec,
                            const struct certificates *certificates,
                            const json_t *unit, bool *changed)
{
    static const char *const names[FILES] = {
        "key.pem",      "cert.pem",  "chain.pem", "ca.pem",
        "combined.pem", "unit.json", "iak.pem"};
    BIO *texts[FILES];
    struct folder_file files[FILES];
    struct devid_error err;
    enum exit_code code;
    char *pem = NULL;
    size_t count = 0;
    size_t len = 0;

    *changed = false;
    if (devid_key_to_pem(key, &pem, &len, &err))
        return fail_engine(&err);
    for (int i = 0; i < FILES; i++)
        texts[i] = new_text();
    put_files(texts, pem, certificates, unit);
    for (int i = 0; i < FILES; i++) {
        if ((i != UNIT || unit != NULL) &&
            (i != IAK || certificates->iak != NULL))
            add_file(files, &count, names[i], texts[i]);
    }
    code = folder_replace(spec->folder, files, count, changed);
    for (int i = 0; i < FILES; i++)
        BIO_free(texts[i]);
    OPENSSL_free(pem);
    return code;
}

json_t *keep_read_unit(const char *folder)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/unit.json", folder) >= PATH_MAX)
        return NULL;
    return json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
}
