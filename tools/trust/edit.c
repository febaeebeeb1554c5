/* SPDX-License-Identifier: Apache-2.0 */
/* devid trust add, devid trust remove: what the list has. */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cert_file.h"
#include "fetch.h"
#include "message.h"
#include "names.h"
#include "report.h"
#include "trust.h"

/* Both actions have these, in one order; then `add` its own. */
enum {
    CERT,
    BY,
    SUBJECT,
    SERIAL,
    ISSUER,
    FINGERPRINT,
    CA,
    CRL,
    FILE_ROW,
    NOTE,
};

#define SUBJECT_ROW                                                            \
    {                                                                          \
        "subject", "NAME",                                                     \
            "that of a device's certificates, the last part first, such as "   \
            "CN=unit-0001,O=Acme",                                             \
            false, false                                                       \
    }
#define SERIAL_ROW                                                             \
    {                                                                          \
        "serial", "NUMBER", "that of a certificate, in hexadecimal", false,    \
            false                                                              \
    }
#define FINGERPRINT_ROW                                                        \
    {                                                                          \
        "fingerprint", "HASH",                                                 \
            "that of a certificate: its SHA-256, or its SHA-1, which is what " \
            "nginx has",                                                       \
            false, false                                                       \
    }
#define CRL_ROW(text)                                                          \
    {                                                                          \
        "crl", "URL", text, false, true                                        \
    }

static const struct option_row add_options[] = {
    [CERT] = {"cert", "FILE", "a device's certificate, in PEM or DER", false,
              false},
    [BY] = {"by", "WORD",
            "what that goes by: fingerprint, the default, serial, or subject, "
            "which the next certificate of the device has too",
            false, false},
    [SUBJECT] = SUBJECT_ROW,
    [SERIAL] = SERIAL_ROW,
    [ISSUER] = {"issuer", "NAME",
                "whose certificate has that serial number; not needed where "
                "the list has one CA alone",
                false, false},
    [FINGERPRINT] = FINGERPRINT_ROW,
    [CA] = {"ca", "FILE",
            "certificates in PEM of CAs that vouch for devices, roots and "
            "those below them",
            false, false},
    [CRL] = CRL_ROW("where a CA's list of revoked certificates is: http, https "
                    "or file:///PATH"),
    [FILE_ROW] = TRUST_FILE_ROW,
    [NOTE] = {"note", "TEXT", "for people, kept with the entry", false, false},
    {0},
};

static const struct option_row remove_options[] = {
    [CERT] = {"cert", "FILE",
              "a device's certificate: all that names it is removed", false,
              false},
    [BY] = {"by", "WORD",
            "of that: only what goes by its fingerprint, serial or subject",
            false, false},
    [SUBJECT] = SUBJECT_ROW,
    [SERIAL] = SERIAL_ROW,
    [ISSUER] = {"issuer", "NAME",
                "whose certificate has that serial number; the default is any",
                false, false},
    [FINGERPRINT] = FINGERPRINT_ROW,
    [CA] = {"ca", "FILE", "certificates of CAs that are no longer trusted",
            false, false},
    [CRL] = CRL_ROW("where a list was that is no longer read"),
    [FILE_ROW] = TRUST_FILE_ROW,
    {0},
};

/* What the command line names: one kind of thing. */
struct edit {
    const struct args *args;
    const char *command; /* "trust add" */
    bool add;
    struct names names;
    enum by by;
    struct trust trust;
    size_t count; /* of entries that were added or removed */
};

/* ---- the command line ---------------------------------------------------- */

static enum exit_code read_cert(struct edit *edit, const char *path)
{
    const char *word = args_text(edit->args, BY);
    STACK_OF(X509) *certs = NULL;
    enum exit_code code;

    edit->by = edit->add ? BY_FINGERPRINT : BY_ANY;
    if (word && (edit->by = by_of_word(word)) == BY_ANY)
        return wrong_use(edit->command,
                         "--by is fingerprint, serial or subject, not %s",
                         word);
    code = certs_read(path, &certs);
    /* The first: a chain's own certificate stands before its issuers'. */
    if (code == EXIT_DONE)
        names_of_cert(sk_X509_value(certs, 0), &edit->names);
    sk_X509_pop_free(certs, X509_free);
    if (code == EXIT_DONE && edit->by == BY_SUBJECT &&
        *edit->names.subject == '\0')
        return fail("the certificate %s has no subject: it goes by its serial "
                    "number or its fingerprint",
                    path);
    return code;
}

/* What is given must be one thing. */
static enum exit_code check_use(const struct edit *edit)
{
    static const int kinds[] = {CERT, SUBJECT, SERIAL, FINGERPRINT, CA, CRL};
    int count = 0;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        count += args_text(edit->args, kinds[i]) != NULL;
    if (count != 1)
        return wrong_use(edit->command,
                         "one of --cert, --subject, --serial, --fingerprint, "
                         "--ca and --crl is needed, and no other");
    if (args_text(edit->args, BY) && !args_text(edit->args, CERT))
        return wrong_use(edit->command, "--by says what of a certificate "
                                        "counts: --cert is missing");
    if (args_text(edit->args, ISSUER) && !args_text(edit->args, SERIAL))
        return wrong_use(edit->command, "--issuer says whose serial number is "
                                        "meant: --serial is missing");
    return EXIT_DONE;
}

static enum exit_code read_names(struct edit *edit)
{
    const char *cert = args_text(edit->args, CERT);
    const char *subject = args_text(edit->args, SUBJECT);
    const char *serial = args_text(edit->args, SERIAL);
    const char *issuer = args_text(edit->args, ISSUER);
    const char *hash = args_text(edit->args, FINGERPRINT);
    enum exit_code code = EXIT_DONE;

    if (cert)
        return read_cert(edit, cert);
    edit->by = subject ? BY_SUBJECT : serial ? BY_SERIAL : BY_FINGERPRINT;
    if (subject)
        return name_read(edit->command, subject, &edit->names.subject);
    if (hash)
        return fingerprint_read(edit->command, hash, &edit->names);
    if (serial)
        code = serial_read(edit->command, serial, &edit->names.serial);
    if (code == EXIT_DONE && issuer)
        code = name_read(edit->command, issuer, &edit->names.issuer);
    return code;
}

/* ---- devices ------------------------------------------------------------- */

static enum exit_code find_issuer(struct edit *edit)
{
    if (edit->by != BY_SERIAL || edit->names.issuer)
        return EXIT_DONE;
    if (sk_X509_num(edit->trust.ca) != 1)
        return fail("whose serial number that is must be said by --issuer: %s "
                    "has %d CAs",
                    edit->trust.path, sk_X509_num(edit->trust.ca));
    edit->names.issuer =
        name_text(X509_get_subject_name(sk_X509_value(edit->trust.ca, 0)));
    return EXIT_DONE;
}

static enum exit_code add_device(struct edit *edit)
{
    const char *note_text = args_text(edit->args, NOTE);
    enum exit_code code = find_issuer(edit);
    json_t *entry;
    size_t at = 0;

    if (code != EXIT_DONE)
        return code;
    entry = device_new(&edit->names, edit->by, note_text);
    while (at < json_array_size(edit->trust.devices) &&
           !device_names(json_array_get(edit->trust.devices, at), &edit->names,
                         edit->by))
        at++;
    edit->count = 1;
    if (at == json_array_size(edit->trust.devices))
        report_append(edit->trust.devices, entry);
    else if (json_array_set_new(edit->trust.devices, at, entry) != 0)
        die_no_memory();
    return EXIT_DONE;
}

static enum exit_code remove_device(struct edit *edit)
{
    for (size_t i = json_array_size(edit->trust.devices); i-- > 0;) {
        if (device_names(json_array_get(edit->trust.devices, i), &edit->names,
                         edit->by)) {
            (void)json_array_remove(edit->trust.devices, i);
            edit->count++;
        }
    }
    return EXIT_DONE;
}

/* ---- CAs ----------------------------------------------------------------- */

static size_t find_ca(const struct edit *edit, X509 *cert)
{
    size_t at = 0;

    while ((int)at < sk_X509_num(edit->trust.ca) &&
           X509_cmp(sk_X509_value(edit->trust.ca, (int)at), cert) != 0)
        at++;
    return at;
}

static enum exit_code add_ca(struct edit *edit, X509 *cert)
{
    char *name;

    edit->count++;
    if (X509_check_ca(cert) == 0) {
        name = name_text(X509_get_subject_name(cert));
        (void)fail("%s is no CA: its certificate is a device's, which --cert "
                   "takes",
                   name);
        free(name);
        return EXIT_FAILED;
    }
    if (find_ca(edit, cert) < json_array_size(edit->trust.cas))
        return EXIT_DONE;
    report_append(edit->trust.cas, trust_ca_entry(cert));
    if (X509_up_ref(cert) != 1 || sk_X509_push(edit->trust.ca, cert) == 0)
        die_no_memory();
    return EXIT_DONE;
}

static void remove_ca(struct edit *edit, X509 *cert)
{
    size_t at = find_ca(edit, cert);

    if (at == json_array_size(edit->trust.cas))
        return;
    (void)json_array_remove(edit->trust.cas, at);
    X509_free(sk_X509_delete(edit->trust.ca, (int)at));
    edit->count++;
}

static enum exit_code edit_cas(struct edit *edit, const char *path)
{
    STACK_OF(X509) *certs = NULL;
    enum exit_code code = certs_read(path, &certs);

    for (int i = 0; code == EXIT_DONE && i < sk_X509_num(certs); i++) {
        if (edit->add)
            code = add_ca(edit, sk_X509_value(certs, i));
        else
            remove_ca(edit, sk_X509_value(certs, i));
    }
    sk_X509_pop_free(certs, X509_free);
    return code;
}

/* ---- lists of revoked certificates --------------------------------------- */

static enum exit_code edit_crl(struct edit *edit, const char *url)
{
    json_t *crls = edit->trust.crls;
    size_t at = 0;

    while (at < json_array_size(crls) &&
           strcmp(json_string_value(json_array_get(crls, at)), url) != 0)
        at++;
    if (!edit->add && at < json_array_size(crls)) {
        (void)json_array_remove(crls, at);
        edit->count++;
    }
    if (!edit->add)
        return EXIT_DONE;
    if (!fetch_takes(url))
        return fail("'%.200s' is no URL of a list: http://, https:// or "
                    "file:///PATH",
                    url);
    edit->count++;
    if (at == json_array_size(crls))
        report_append_text(crls, url);
    return EXIT_DONE;
}

static enum exit_code edit_crls(struct edit *edit)
{
    const char **urls = args_list(edit->args, CRL);
    enum exit_code code = EXIT_DONE;

    for (size_t i = 0; code == EXIT_DONE && urls[i]; i++)
        code = edit_crl(edit, urls[i]);
    free(urls);
    return code;
}

/* ---- run ----------------------------------------------------------------- */

static enum exit_code change(struct edit *edit)
{
    if (args_text(edit->args, CA))
        return edit_cas(edit, args_text(edit->args, CA));
    if (args_text(edit->args, CRL))
        return edit_crls(edit);
    return edit->add ? add_device(edit) : remove_device(edit);
}

static enum exit_code edit_list(struct edit *edit)
{
    const char *path = trust_path(edit->args, FILE_ROW);
    enum exit_code code = trust_open(path, true, &edit->trust);

    if (code == EXIT_DONE)
        code = change(edit);
    if (code == EXIT_DONE && edit->count == 0)
        code = fail("%s has no such entry, and stays as it is: 'devid trust "
                    "list' shows what it has",
                    path);
    if (code == EXIT_DONE)
        code = trust_save(&edit->trust);
    if (code == EXIT_DONE)
        (void)printf("%s: %zu %s\n", path, edit->count,
                     edit->add ? "added" : "removed");
    trust_close(&edit->trust);
    return code;
}

static enum exit_code run(struct edit *edit)
{
    enum exit_code code = check_use(edit);

    if (code == EXIT_DONE && !args_text(edit->args, CA) &&
        !args_text(edit->args, CRL))
        code = read_names(edit);
    if (code == EXIT_DONE)
        code = edit_list(edit);
    names_clear(&edit->names);
    return code;
}

static enum exit_code run_add(const struct args *args)
{
    struct edit edit = {.args = args, .command = "trust add", .add = true};

    return run(&edit);
}

static enum exit_code run_remove(const struct args *args)
{
    struct edit edit = {.args = args, .command = "trust remove"};

    return run(&edit);
}

const struct command trust_add_action = {
    .name = "trust add",
    .operands = "",
    .help = "accept a device, a CA, or a CA's list of revoked certificates",
    .example = "  devid trust add --ca line.pem\n"
               "  devid trust add --cert unit.pem --note \"gate 7\"\n",
    .options = add_options,
    .run = run_add,
};

const struct command trust_remove_action = {
    .name = "trust remove",
    .operands = "",
    .help = "accept it no longer",
    .example = "  devid trust remove --cert unit.pem\n",
    .options = remove_options,
    .run = run_remove,
};
