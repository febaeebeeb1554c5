/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "describe.h"
#include "input.h"
#include "message.h"
#include "object.h"
#include "open.h"

static const struct option_row options[] = {{0}};

/* One THING on its way to being described. */
struct thing {
    const char *source; /* as the user named it */
    struct devid *engine;
    json_t *items; /* where its descriptions go */
};

static json_t *add_item(const struct thing *thing, const char *type)
{
    json_t *item = report_new();

    report_text(item, "type", type);
    report_text(item, "source", thing->source);
    report_append(thing->items, item);
    return item;
}

static enum exit_code show_key(const struct thing *thing, struct devid_key *key)
{
    describe_key(add_item(thing, "key"), key);
    devid_key_free(&key);
    return EXIT_DONE;
}

/* The device knows more of a key than a reference to it says. */
static enum exit_code show_device_key(const struct thing *thing)
{
    struct devid_key *key = NULL;
    struct devid_error err;
    json_t *objects = NULL;
    const json_t *object;
    json_t *attributes;
    json_t *item;

    if (devid_key_from_uri(thing->engine, thing->source, &key, &err))
        return fail_engine(&err);
    item = add_item(thing, "key");
    describe_key(item, key);
    devid_key_free(&key);
    if (is_token_uri(thing->source))
        return EXIT_DONE; /* and no roles */
    if (objects_list(thing->engine, NULL, &objects) != EXIT_DONE)
        return EXIT_FAILED;
    object = objects_find(objects, thing->source);
    report_text(item, "role", report_get(object, "role"));
    report_text(item, "name", report_get(object, "name"));
    attributes = json_object_get(object, "attributes");
    if (attributes)
        report_value(item, "attributes", json_incref(attributes));
    json_decref(objects);
    return EXIT_DONE;
}

static enum exit_code show_device_cert(const struct thing *thing)
{
    struct devid_error err;
    uint8_t *der = NULL;
    size_t len = 0;
    bool readable;

    if (devid_cert_read(thing->engine, thing->source, &der, &len, &err))
        return fail_engine(&err);
    readable = describe_cert_der(add_item(thing, "certificate"), der, len);
    OPENSSL_free(der);
    if (!readable)
        return fail("%s holds no certificate that OpenSSL can read",
                    thing->source);
    return EXIT_DONE;
}

/* ---- one DER object of a kind that is known ---- */

static bool show_cert_der(const struct thing *thing, const uint8_t *der,
                          size_t len)
{
    X509 *cert = d2i_X509(NULL, &der, (long)len);

    if (cert)
        describe_cert(add_item(thing, "certificate"), cert);
    X509_free(cert);
    return cert != NULL;
}

/* "TRUSTED CERTIFICATE": a certificate and OpenSSL's notes on its use. */
static bool show_aux_der(const struct thing *thing, const uint8_t *der,
                         size_t len)
{
    X509 *cert = d2i_X509_AUX(NULL, &der, (long)len);

    if (cert)
        describe_cert(add_item(thing, "certificate"), cert);
    X509_free(cert);
    return cert != NULL;
}

static bool show_csr_der(const struct thing *thing, const uint8_t *der,
                         size_t len)
{
    X509_REQ *csr = d2i_X509_REQ(NULL, &der, (long)len);

    if (csr)
        describe_csr(add_item(thing, "certificate request"), csr);
    X509_REQ_free(csr);
    return csr != NULL;
}

static bool show_public_der(const struct thing *thing, const uint8_t *der,
                            size_t len)
{
    const uint8_t *at = der;
    X509_PUBKEY *key = d2i_X509_PUBKEY(NULL, &at, (long)len);

    if (key)
        describe_spki(add_item(thing, "public key"), der, (size_t)(at - der));
    X509_PUBKEY_free(key);
    return key != NULL;
}

/* Said, not decoded: nothing here needs the private key of a file. */
static bool show_software_key(const struct thing *thing, const uint8_t *der,
                              size_t len)
{
    json_t *item = add_item(thing, "software key");

    (void)der;
    (void)len;
    report_text(item, "location",
                "the private key itself is in this file; no device guards it");
    return true;
}

static const struct block_kind {
    const char *label;
    bool (*show)(const struct thing *thing, const uint8_t *der, size_t len);
} block_kinds[] = {
    {PEM_STRING_X509, show_cert_der},
    {PEM_STRING_X509_OLD, show_cert_der},
    {PEM_STRING_X509_TRUSTED, show_aux_der},
    {PEM_STRING_X509_REQ, show_csr_der},
    {PEM_STRING_X509_REQ_OLD, show_csr_der},
    {PEM_STRING_PUBLIC, show_public_der},
    {PEM_STRING_PKCS8INF, show_software_key},
    {PEM_STRING_PKCS8, show_software_key},
    {PEM_STRING_ECPRIVATEKEY, show_software_key},
    {PEM_STRING_RSA, show_software_key},
};

/* ---- files ---- */

static enum exit_code show_block(const struct thing *thing, const char *label,
                                 const uint8_t *der, size_t len)
{
    struct devid_key *key = NULL;
    struct devid_error err;

    if (devid_pem_label_is_key(label)) {
        if (devid_key_from_der(thing->engine, der, len, NULL, &key, &err))
            return fail_about(thing->source, &err);
        return show_key(thing, key);
    }
    for (size_t i = 0; i < sizeof(block_kinds) / sizeof(*block_kinds); i++) {
        if (strcmp(label, block_kinds[i].label) != 0)
            continue;
        if (block_kinds[i].show(thing, der, len))
            return EXIT_DONE;
        return fail("%s: the block %s is garbled inside", thing->source, label);
    }
    report_text(add_item(thing, "unknown"), "label", label);
    return EXIT_DONE;
}

/* Say at which line block number `wanted`, from 0, went wrong. */
static enum exit_code fail_at_block(const struct thing *thing, const char *text,
                                    int wanted)
{
    static const char begin[] = "-----BEGIN ";
    int line = 1;

    for (; text; line++) {
        if (strncmp(text, begin, strlen(begin)) == 0 && wanted-- == 0)
            break;
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    if (!text)
        return fail("%s: there is no whole PEM block in it", thing->source);
    text += strlen(begin);
    return fail("%s: the %.*s that begins at line %d is cut short or garbled; "
                "restore it from a backup or make a new one",
                thing->source, (int)strcspn(text, "-\r\n"), text, line);
}

/* Every block in turn; one that is garbled inside does not hide the others. */
static enum exit_code show_pem(const struct thing *thing, const char *text,
                               size_t len)
{
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    enum exit_code code = EXIT_DONE;
    char *label = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    long der_len = 0;
    int count = 0;

    if (!bio)
        die_no_memory();
    for (; PEM_read_bio(bio, &label, &header, &der, &der_len); count++) {
        if (show_block(thing, label, der, (size_t)der_len) != EXIT_DONE)
            code = EXIT_FAILED;
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t)der_len);
    }
    /* The end of the file looks so, unless there was nothing before it. */
    if (count == 0 ||
        ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        code = fail_at_block(thing, text, count);
    BIO_free(bio);
    return code;
}

static enum exit_code show_der(const struct thing *thing, const uint8_t *der,
                               size_t len)
{
    struct devid_key *key = NULL;
    struct devid_error err;
    bool recognised = false;

    if (devid_key_from_der(thing->engine, der, len, &recognised, &key, &err) ==
        DEVID_OK)
        return show_key(thing, key);
    if (recognised)
        return fail_about(thing->source, &err);
    if (show_cert_der(thing, der, len) || show_csr_der(thing, der, len) ||
        show_public_der(thing, der, len))
        return EXIT_DONE;
    return fail("%s is no key, certificate, certificate request or public "
                "key, neither PEM nor DER",
                thing->source);
}

static enum exit_code show_file(const struct thing *thing)
{
    char *data = NULL;
    size_t len = 0;
    enum exit_code code = input_read(thing->source, &data, &len);

    if (code != EXIT_DONE)
        return code;
    if (len == 0)
        code = fail("%s is empty", thing->source);
    else if (strstr(data, "-----BEGIN "))
        code = show_pem(thing, data, len);
    else
        code = show_der(thing, (const uint8_t *)data, len);
    OPENSSL_clear_free(data, len);
    ERR_clear_error();
    return code;
}

/* ---- the whole ---- */

static enum exit_code show_thing(const struct thing *thing)
{
    if (devid_uri_is_cert(thing->source))
        return show_device_cert(thing);
    if (devid_is_uri(thing->source))
        return show_device_key(thing);
    return show_file(thing);
}

/* The key among the things shown that has this public key; NULL: none. */
static const json_t *key_of(const json_t *items, const json_t *item)
{
    const char *wanted = report_get(item, "public_key_sha256");
    const json_t *key;
    size_t i;

    json_array_foreach(items, i, key)
    {
        if (strcmp(report_get(key, "type"), "key") == 0 &&
            strcmp(report_get(key, "public_key_sha256"), wanted) == 0)
            return key;
    }
    return NULL;
}

/* Say of each certificate and request whose it is, if a key was shown. */
static void match_keys(const json_t *items)
{
    bool any_key = false;
    json_t *item;
    size_t i;

    json_array_foreach(items, i, item)
    {
        if (strcmp(report_get(item, "type"), "key") == 0)
            any_key = true;
    }
    json_array_foreach(items, i, item)
    {
        const json_t *key = key_of(items, item);
        if (!any_key || strncmp(report_get(item, "type"), "cert", 4) != 0)
            continue;
        if (key)
            report_text(item, "belongs_to", report_get(key, "source"));
        else
            report_value(item, "belongs_to", json_null());
    }
}

static void print_items(const struct args *args, const json_t *items)
{
    json_t *item;
    size_t i;

    if (args_flag(args, ROW_JSON)) {
        report_print_json(items);
        return;
    }
    json_array_foreach(items, i, item)
    {
        if (i > 0)
            putchar('\n');
        report_print_text(item);
    }
}

/* The first thing that is on a token; NULL: none. */
static const char *first_on_token(const struct args *args)
{
    for (size_t i = 0; i < args->operand_count; i++) {
        if (is_token_uri(args->operands[i]))
            return args->operands[i];
    }
    return NULL;
}

static enum exit_code run(const struct args *args)
{
    struct devid *engine = NULL;
    enum exit_code code = engine_open(args, first_on_token(args), &engine);
    json_t *items;

    if (code != EXIT_DONE)
        return code;
    items = report_array();
    for (size_t i = 0; i < args->operand_count; i++) {
        const struct thing thing = {args->operands[i], engine, items};
        if (show_thing(&thing) != EXIT_DONE)
            code = EXIT_FAILED;
    }
    match_keys(items);
    print_items(args, items);
    json_decref(items);
    devid_free(&engine);
    return code;
}

const struct command show_command = {
    .name = "show",
    .operands = "THING...",
    .help = "say what a key file, URI, certificate or request is",
    .example = "  devid show key.pem cert.pem\n"
               "  devid show tpm2:nv=0x01c00002\n",
    .options = options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_MODULE) | TAKES(ROW_AUTH_SOURCE) |
              TAKES(ROW_JSON),
    .operands_min = 1,
    .operands_max = INT_MAX,
    .run = run,
};
