/* SPDX-License-Identifier: Apache-2.0 */
/* The list as a file. */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base64.h"
#include "message.h"
#include "names.h"
#include "output.h"
#include "report.h"
#include "rights.h"

enum {
    TRUST_VERSION = 1
};

const char *trust_path(const struct args *args, int row)
{
    const char *given = args_text(args, row);

    return given ? given : TRUST_FILE;
}

/* ---- the lock ------------------------------------------------------------ */

/* The directory's: the file itself is replaced. */
static enum exit_code lock(struct trust *trust)
{
    const char *slash = strrchr(trust->path, '/');
    char *above = slash
                      ? strndup(trust->path, (size_t)(slash - trust->path) + 1)
                      : strdup(".");
    enum exit_code code = EXIT_DONE;

    if (!above)
        die_no_memory();
    (void)rights_mkdir_open(above); /* open() will tell */
    trust->lock = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (trust->lock < 0 || flock(trust->lock, LOCK_EX) != 0)
        code = fail("the folder of %s cannot be locked: %s", trust->path,
                    strerror(errno));
    free(above);
    return code;
}

/* ---- what stands in it --------------------------------------------------- */

json_t *trust_ca_entry(X509 *cert)
{
    json_t *entry = report_new();
    struct names names;
    uint8_t *der = NULL;
    int len = i2d_X509(cert, &der);

    if (len <= 0)
        die_no_memory();
    names_of_cert(cert, &names);
    report_text(entry, "subject", names.subject);
    report_text(entry, "sha256", names.sha256);
    report_value(entry, "certificate", base64_json(der, (size_t)len));
    names_clear(&names);
    OPENSSL_free(der);
    return entry;
}

static X509 *cert_of_entry(const json_t *entry)
{
    uint8_t *der = NULL;
    const unsigned char *at;
    size_t len = 0;
    X509 *cert = NULL;

    if (base64_decode(report_get(entry, "certificate"), &der, &len)) {
        at = der;
        cert = d2i_X509(NULL, &at, (long)len);
    }
    OPENSSL_free(der);
    ERR_clear_error();
    return cert;
}

static enum exit_code read_cas(struct trust *trust)
{
    const json_t *entry;
    size_t i;

    trust->ca = sk_X509_new_null();
    if (!trust->ca)
        die_no_memory();
    json_array_foreach(trust->cas, i, entry)
    {
        X509 *cert = cert_of_entry(entry);

        if (!cert)
            return fail("%s: CA %zu has no \"certificate\" in base64: take it "
                        "out, and add it by 'devid trust add --ca'",
                        trust->path, i + 1);
        if (sk_X509_push(trust->ca, cert) == 0)
            die_no_memory();
    }
    return EXIT_DONE;
}

static enum exit_code check_devices(const struct trust *trust)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(trust->devices, i, entry)
    {
        const char *wrong = device_wrong(entry);

        if (wrong)
            return fail("%s: device %zu %s", trust->path, i + 1, wrong);
    }
    return EXIT_DONE;
}

static enum exit_code check_crls(const struct trust *trust)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(trust->crls, i, entry)
    {
        if (!json_is_string(entry))
            return fail("%s: list %zu of \"crls\" is no URL", trust->path,
                        i + 1);
    }
    return EXIT_DONE;
}

/* A member that must be an array; one that is missing is empty. */
static json_t *array_of(const struct trust *trust, const char *name)
{
    if (!json_object_get(trust->root, name) &&
        json_object_set_new(trust->root, name, report_array()) != 0)
        die_no_memory();
    return json_object_get(trust->root, name);
}

static enum exit_code check_members(const struct trust *trust)
{
    static const char *const known[] = {"version", "cas", "crls", "devices"};
    const char *name;
    json_t *value;

    json_object_foreach(trust->root, name, value)
    {
        bool found = false;

        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
            found = found || strcmp(known[i], name) == 0;
        if (!found)
            return fail("%s: there is no member \"%s\": it has version, cas, "
                        "crls and devices",
                        trust->path, name);
    }
    if (json_integer_value(json_object_get(trust->root, "version")) !=
        TRUST_VERSION)
        return fail("%s is not of version %d, which is what this devid reads",
                    trust->path, (int)TRUST_VERSION);
    return EXIT_DONE;
}

static enum exit_code take_root(struct trust *trust)
{
    enum exit_code code = check_members(trust);

    if (code != EXIT_DONE)
        return code;
    trust->cas = array_of(trust, "cas");
    trust->crls = array_of(trust, "crls");
    trust->devices = array_of(trust, "devices");
    if (!json_is_array(trust->cas) || !json_is_array(trust->crls) ||
        !json_is_array(trust->devices))
        return fail("%s: cas, crls and devices are arrays", trust->path);
    code = read_cas(trust);
    if (code == EXIT_DONE)
        code = check_crls(trust);
    return code == EXIT_DONE ? check_devices(trust) : code;
}

/* ---- open, save ---------------------------------------------------------- */

static enum exit_code read_root(struct trust *trust, bool to_change)
{
    bool missing = access(trust->path, F_OK) != 0 && errno == ENOENT;
    json_error_t error;

    trust->root = json_load_file(trust->path, JSON_REJECT_DUPLICATES, &error);
    if (trust->root && json_is_object(trust->root))
        return EXIT_DONE;
    if (trust->root)
        return fail("%s is no list of trust: it is no JSON object",
                    trust->path);
    if (missing && to_change) {
        trust->root = report_new();
        report_number(trust->root, "version", TRUST_VERSION);
        return EXIT_DONE;
    }
    if (missing)
        return fail("there is no %s: 'devid trust add --ca FILE' begins one",
                    trust->path);
    return fail("%s cannot be read: line %d: %s", trust->path, error.line,
                error.text);
}

enum exit_code trust_open(const char *path, bool to_change, struct trust *trust)
{
    enum exit_code code = EXIT_DONE;

    *trust = (struct trust){.path = path, .lock = -1};
    if (to_change)
        code = lock(trust);
    if (code == EXIT_DONE)
        code = read_root(trust, to_change);
    return code == EXIT_DONE ? take_root(trust) : code;
}

enum exit_code trust_save(const struct trust *trust)
{
    struct output out = {.directory = -1};
    char *text = json_dumps(trust->root, JSON_INDENT(2));
    size_t len;
    enum exit_code code;

    if (!text)
        die_no_memory();
    len = strlen(text);
    text[len] = '\n'; /* in place of the NUL */
    code = output_open(&out, trust->path, true);
    if (code == EXIT_DONE)
        code = output_write(&out, text, len + 1);
    output_close(&out);
    free(text);
    return code;
}

void trust_close(struct trust *trust)
{
    if (trust->lock >= 0)
        (void)close(trust->lock); /* read only */
    sk_X509_pop_free(trust->ca, X509_free);
    json_decref(trust->root);
    *trust = (struct trust){.lock = -1};
}

X509 *trust_issuer_of(const struct trust *trust, X509_CRL *crl)
{
    for (int i = 0; i < sk_X509_num(trust->ca); i++) {
        X509 *ca = sk_X509_value(trust->ca, i);
        EVP_PKEY *key = X509_get0_pubkey(ca);
        bool signs = (X509_get_key_usage(ca) & KU_CRL_SIGN) != 0;

        if (X509_NAME_cmp(X509_get_subject_name(ca),
                          X509_CRL_get_issuer(crl)) == 0 &&
            signs && key && X509_CRL_verify(crl, key) == 1)
            return ca;
    }
    ERR_clear_error();
    return NULL;
}
