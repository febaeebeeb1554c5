/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "enrolment.h"
#include "exits.h"
#include "keep.h"
#include "message.h"
#include "paths.h"
#include "renewal.h"
#include "rights.h"

enum {
    CMP,
    EST,
    IDENTITY,
    ROOT,
    LABEL,
    CA,
    FINGERPRINT,
    IDEVID,
    USER,
    SECRET,
    SUBJECT,
    SAN,
    ALGORITHM,
    PARENT,
    AFTER,
    SAME_KEY,
    TIMEOUT,
    ANEW
};

static const struct option_row options[] = {
    [CMP] = {"cmp", "URL",
             "the CA's CMP server, http://HOST:PORT/PATH or https; the default "
             "of PATH is .well-known/cmp",
             false, false},
    [EST] = {"est", "URL",
             "the CA's EST server, https://HOST:PORT/.well-known/est", false,
             false},
    [IDENTITY] = {"identity", "NAME", "the name of the new identity", true,
                  false},
    [ROOT] = {"root", "DIRECTORY",
              "where identities are; the default is " IDENTITIES_ROOT, false,
              false},
    [LABEL] = {"label", "LABEL", "which CA or profile of that server", false,
               false},
    [CA] = {"ca", "FILE",
            "certificates in PEM that vouch for the server; the default is the "
            "CA of the IDevID, else what OpenSSL trusts",
            false, false},
    [FINGERPRINT] = {"fingerprint", "HASH",
                     "the SHA-256 of the CA's certificate, in hex, in place of "
                     "--ca",
                     false, false},
    [IDEVID] = {"idevid", "DIRECTORY",
                "the folder of the identity that says who this device is; the "
                "default is " KEEP_FOLDER ", where that is",
                false, false},
    [USER] = {"user", "NAME", "a name that the CA knows this device by", false,
              false},
    [SECRET] = {"secret-source", "SOURCE",
                "where the secret of that name is: file:PATH, env:NAME or "
                "prompt",
                false, false},
    [SUBJECT] = {"subject", "NAME",
                 "the subject to ask for, such as /CN=unit-0001; the default "
                 "is that of the IDevID",
                 false, false},
    [SAN] = {"san", "NAMES",
             "alternative names to ask for, such as 'DNS:unit.local, "
             "IP:10.0.0.7'",
             false, false},
    [ALGORITHM] = {"algorithm", "NAME",
                   "of the key, as in devid-keygen(1); the default is what "
                   "the CA wants, else ec-p256",
                   false, false},
    [PARENT] = {"parent", "PARENT",
                "what the key is made under, as in devid-keygen(1)", false,
                false},
    [AFTER] = {"after", "COMMAND",
               "what to run after this and after each renewal, such as "
               "'systemctl reload nginx'",
               false, false},
    [SAME_KEY] = {"same-key", NULL, "renew the certificate, never the key",
                  false, false},
    [TIMEOUT] = {"timeout", "SECONDS",
                 "how long one request to the CA is tried; the default is 60",
                 false, false},
    [ANEW] = {"force", NULL,
              "enrol anew, although the identity has a certificate", false,
              false},
    {0},
};

static const struct {
    size_t offset;
    int row;
    enum kind {
        AS_IS,
        PATH,
        SOURCE
    } kind;
} rows[] = {
    {offsetof(struct identity_conf, url), CMP, AS_IS},
    {offsetof(struct identity_conf, url), EST, AS_IS},
    {offsetof(struct identity_conf, label), LABEL, AS_IS},
    {offsetof(struct identity_conf, ca), CA, PATH},
    {offsetof(struct identity_conf, fingerprint), FINGERPRINT, AS_IS},
    {offsetof(struct identity_conf, idevid), IDEVID, PATH},
    {offsetof(struct identity_conf, user), USER, AS_IS},
    {offsetof(struct identity_conf, secret_source), SECRET, SOURCE},
    {offsetof(struct identity_conf, subject), SUBJECT, AS_IS},
    {offsetof(struct identity_conf, san), SAN, AS_IS},
    {offsetof(struct identity_conf, algorithm), ALGORITHM, AS_IS},
    {offsetof(struct identity_conf, parent), PARENT, AS_IS},
    {offsetof(struct identity_conf, after), AFTER, AS_IS},
    {offsetof(struct identity_conf, device), ROW_DEVICE, AS_IS},
};

/* A timer that renews works in another directory. */
static enum exit_code take(const char *value, enum kind kind, char **member)
{
    static const char scheme[] = "file:";
    bool is_path =
        kind == PATH || (kind == SOURCE && strncmp(value, scheme, 5) == 0);
    char path[PATH_MAX];
    char text[PATH_MAX + sizeof(scheme)];
    enum exit_code code;

    if (!is_path) {
        identity_set(member, value);
        return EXIT_DONE;
    }
    code = path_for_configuration(value + (kind == SOURCE ? 5 : 0), path);
    if (code != EXIT_DONE)
        return code;
    (void)snprintf(text, sizeof(text), "%s%s", kind == SOURCE ? scheme : "",
                   path);
    identity_set(member, text);
    return EXIT_DONE;
}

static enum exit_code read_conf(const struct args *args,
                                struct identity_conf *conf)
{
    enum exit_code code = EXIT_DONE;

    if ((args_text(args, CMP) != NULL) == (args_text(args, EST) != NULL))
        return wrong_use("enroll", "where the CA is is missing: --est URL, or "
                                   "--cmp URL, and not both");
    identity_set(&conf->protocol, args_text(args, CMP) != NULL ? "cmp" : "est");
    for (size_t i = 0; code == EXIT_DONE && i < sizeof(rows) / sizeof(*rows);
         i++) {
        const char *value = args_text(args, rows[i].row);

        if (value != NULL)
            code = take(value, rows[i].kind,
                        (char **)(void *)((char *)conf + rows[i].offset));
    }
    conf->same_key = args_flag(args, SAME_KEY);
    if (code == EXIT_DONE && conf->idevid == NULL &&
        access(KEEP_FOLDER "/cert.pem", R_OK) == 0)
        identity_set(&conf->idevid, KEEP_FOLDER);
    return code;
}

/* What another request was for is not carried on with. */
static enum exit_code forget_other(struct enrolment *e,
                                   const struct identity_conf *before)
{
    const struct identity_conf *now = &e->identity->conf;
    const char *const pairs[][2] = {
        {before->protocol, now->protocol},
        {before->url, now->url},
        {before->label, now->label},
        {before->device, now->device},
        {before->algorithm, now->algorithm},
        {before->subject, now->subject},
        {before->san, now->san},
        {before->parent, now->parent},
    };
    bool same = true;

    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        const char *a = pairs[i][0] != NULL ? pairs[i][0] : "";
        const char *b = pairs[i][1] != NULL ? pairs[i][1] : "";

        same = same && strcmp(a, b) == 0;
    }
    return same ? EXIT_DONE : enrolment_discard(e);
}

/* The configuration of before, if there is one, gives way to the new one. */
static enum exit_code replace_conf(struct enrolment *e)
{
    struct identity_conf wanted = e->identity->conf;
    struct identity_conf before = {0};
    enum exit_code code;
    bool there = false;

    e->identity->conf = (struct identity_conf){0};
    code = identity_conf_read(e->identity, &there);
    before = e->identity->conf;
    if (code != EXIT_DONE)
        note("that configuration is replaced");
    identity_state_read(e->identity);
    /* By the old one, which says where its key is. */
    e->identity->conf = wanted;
    code = there ? forget_other(e, &before) : EXIT_DONE;
    identity_conf_clear(&before);
    return code == EXIT_DONE ? identity_conf_write(e->identity) : code;
}

static enum exit_code make_root(const char *root)
{
    if (rights_mkdir_open(root) == 0 || access(root, W_OK) == 0)
        return EXIT_DONE;
    return fail("the directory of identities, %s, cannot be written to", root);
}

/* The IDevID has a folder of the same kind, and stays what it is. */
static enum exit_code check_folder(const struct identity *identity)
{
    json_t *unit = keep_read_unit(identity->folder);
    bool ours = unit == NULL;

    json_decref(unit);
    if (ours)
        return EXIT_DONE;
    return fail_with(EXIT_WRONG_USE,
                     "%s is the identity that a station gave this device: "
                     "another name is needed for this one",
                     identity->folder);
}

static enum exit_code enroll(struct enrolment *e)
{
    enum exit_code code = check_folder(e->identity);

    if (code == EXIT_DONE)
        code = identity_lock(e->identity);
    if (code == EXIT_DONE)
        code = replace_conf(e);
    e->old = identity_certificate(e->identity);
    if (code == EXIT_DONE)
        code = enrolment_tidy(e);
    if (code != EXIT_DONE)
        return code;
    /* One that the CA thinks about is carried on with. */
    e->anew = args_flag(e->args, ANEW) || e->old == NULL ||
              e->identity->state.pending_request != NULL;
    if (e->anew || !enrolment_by_itself(e))
        return renewal_attempt(e);
    note("the identity '%s' has a certificate already; --force enrols anew",
         e->identity->name);
    return e->identity->state.hook_pending ? enrolment_hook(e) : EXIT_DONE;
}

static enum exit_code run(const struct args *args)
{
    const char *root = args_text(args, ROOT);
    const char *name = args_text(args, IDENTITY);
    struct progress progress;
    struct identity identity;
    struct enrolment e = {
        .args = args, .identity = &identity, .progress = &progress};
    enum exit_code code = identity_check_name(name);

    if (code != EXIT_DONE)
        return code;
    root = root != NULL ? root : IDENTITIES_ROOT;
    identity_init(&identity, root, name);
    progress_start(&progress, args_flag(args, ROW_JSON));
    code = renewal_patience(args, "enroll", TIMEOUT, &e.patience_s);
    if (code == EXIT_DONE)
        code = read_conf(args, &identity.conf);
    if (code == EXIT_DONE)
        code = identity_conf_check(&identity);
    if (code == EXIT_DONE)
        code = make_root(root);
    if (code == EXIT_DONE)
        code = enroll(&e);
    code = progress_end(&progress, code, "", renewal_report(&identity));
    enrolment_clear(&e);
    identity_clear(&identity);
    return code;
}

const struct command enroll_command = {
    .name = "enroll",
    .operands = "",
    .help = "get an identity from a CA of the network, and keep it renewed",
    .example = "  devid enroll --est https://ca.example/.well-known/est \\\n"
               "      --identity nginx --after 'systemctl reload nginx'\n",
    .options = options,
    .common = TAKES(ROW_DEVICE) | TAKES(ROW_TCTI) | TAKES(ROW_MODULE) |
              TAKES(ROW_AUTH_SOURCE) | TAKES(ROW_PARENT_AUTH_SOURCE) |
              TAKES(ROW_JSON),
    .exits = enrolment_exits,
    .run = run,
};
