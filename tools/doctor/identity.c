/* SPDX-License-Identifier: Apache-2.0 */
/* Identities as they lie in their folders, and whether their keys answer. */
#include "identity_check.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "certificate.h"
#include "open.h"
#include "report.h"

#define IDENTITIES "/var/lib/devid"

static const char *const files[] = {"key.pem", "cert.pem",     "chain.pem",
                                    "ca.pem",  "combined.pem", NULL};

/* ---- the key ------------------------------------------------------------- */

/* Any signature will do: what TLS may ask for is the affair of devid test. */
static enum devid_err try_key(struct devid_key *key, struct devid_error *err)
{
    static const char text[] = "devid doctor asks whether this key answers";
    const struct devid_public *pub = devid_key_public(key);
    const struct devid_hash *hash =
        pub->hash ? pub->hash : devid_hash_by_name("SHA256");
    struct devid_tbs tbs = {
        .scheme = devid_key_kind(pub->type)->scheme,
        .hash = hash,
        .salt_len = hash->len,
        .digest_len = hash->len,
    };
    struct devid_sig sig = {0};
    uint8_t digest[EVP_MAX_MD_SIZE];
    enum devid_err e;

    if (EVP_Q_digest(NULL, hash->name, NULL, text, sizeof(text), digest,
                     NULL) != 1)
        return DEVID_ERR_SYSTEM;
    tbs.digest = digest;
    if (tbs.scheme == DEVID_EDDSA) {
        tbs.hash = NULL;
        tbs.salt_len = 0;
        tbs.digest = (const uint8_t *)text;
        tbs.digest_len = sizeof(text);
    }
    e = devid_key_sign(key, &tbs, &sig, err);
    return e == DEVID_OK ? devid_verify(pub, NULL, &tbs, &sig, err) : e;
}

/* Why the key is not asked for a signature; NULL: it is. */
static const char *why_not(const struct doctor *doctor,
                           const struct devid_key *key,
                           const struct devid_key_info *info)
{
    if (*doctor->root)
        return "it belongs to another system";
    if (info->restricted)
        return "it is restricted, and signs what the TPM made alone";
    if (!info->may_sign && !info->learnt_later)
        return "it may not sign";
    if (devid_key_wants_auth(key))
        return "it needs its authorisation value: give --auth-source";
    return NULL;
}

static void describe_key(const struct doctor *doctor, json_t *report,
                         struct devid_key *key)
{
    struct devid_key_info info;
    struct devid_error err = {0};
    enum devid_err e = DEVID_OK;
    const char *why;

    devid_key_info(key, &info);
    why = why_not(doctor, key, &info);
    if (!why)
        e = try_key(key, &err);
    /* A token that was not logged in to, for want of its PIN, said nothing. */
    if (e == DEVID_ERR_AUTH && err.device_rc == 0)
        why = err.text;
    report_text(report, "format", info.format);
    report_text(report, "backend", info.backend);
    report_text(report, "uri", info.uri);
    report_text(report, "attributes", info.attributes);
    report_text(report, "policy", info.policy);
    report_flag(report, "imported", info.imported);
    report_value(report, "public", look_at_public(devid_key_public(key)));
    if (why)
        report_text(report, "not_asked", why);
    else if (e != DEVID_OK)
        report_text(report, "silent", err.text);
    else
        report_flag(report, "answers", true);
}

static json_t *look_at_key(const struct doctor *doctor, const char *path)
{
    json_t *report = report_new();
    struct devid_error err = {0};
    struct devid_key *key = NULL;
    struct devid *engine = NULL;
    char full[PATH_MAX];

    path_below(doctor, path, full);
    if (args_text(doctor->args, ROW_AUTH_SOURCE)) {
        if (engine_open_key(doctor->args, full, &engine, &key))
            (void)snprintf(err.text, sizeof(err.text),
                           "it does not open; the reason stands above");
    } else if (!doctor->engine ||
               devid_key_open(doctor->engine, full, &key, &err)) {
        key = NULL;
    }
    if (key)
        describe_key(doctor, report, key);
    else
        report_text(report, "error",
                    *err.text ? err.text : doctor->engine_error);
    devid_key_free(&key);
    devid_free(&engine);
    return report;
}

/* ---- the folder ---------------------------------------------------------- */

static char *file_in(const struct doctor *doctor, const char *folder,
                     const char *name, char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return read_text(doctor, path);
}

static void put_files(const struct doctor *doctor, json_t *identity,
                      const char *folder)
{
    json_t *list = report_new();
    char path[PATH_MAX];

    for (size_t i = 0; files[i]; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        report_value(list, files[i], look_at_file(doctor, path));
    }
    /* What a link leads to counts: devid install makes one. */
    (void)snprintf(path, sizeof(path), "%s/.", folder);
    report_value(identity, "folder", look_at_file(doctor, path));
    report_text(json_object_get(identity, "folder"), "path", folder);
    report_value(identity, "files", list);
}

static void put_certificates(const struct doctor *doctor, json_t *identity,
                             const char *folder, const char *member)
{
    char path[PATH_MAX];
    char name[32];
    char *text;

    (void)snprintf(name, sizeof(name), "%s.pem", member);
    text = file_in(doctor, folder, name, path);
    if (text)
        report_value(identity, member, look_at_certificates(text));
    free(text);
}

/* Is the key's text, from its first line to its last, in combined.pem? */
static void put_combined(const struct doctor *doctor, json_t *identity,
                         const char *folder)
{
    char path[PATH_MAX];
    char *key = file_in(doctor, folder, "key.pem", path);
    char *all = file_in(doctor, folder, "combined.pem", path);
    char *begin = key ? strstr(key, "-----BEGIN ") : NULL;

    if (all && begin) {
        char *end = begin + strlen(begin);

        while (end > begin && (end[-1] == '\n' || end[-1] == '\r'))
            *--end = '\0';
        report_flag(identity, "combined_has_key", strstr(all, begin) != NULL);
    }
    free(key);
    free(all);
}

static void look_at_identity(const struct doctor *doctor, json_t *list,
                             const char *folder)
{
    json_t *identity = report_new();
    char path[PATH_MAX];

    report_text(identity, "path", folder);
    put_files(doctor, identity, folder);
    (void)snprintf(path, sizeof(path), "%s/key.pem", folder);
    report_value(identity, "key", look_at_key(doctor, path));
    put_certificates(doctor, identity, folder, "cert");
    put_certificates(doctor, identity, folder, "chain");
    put_certificates(doctor, identity, folder, "ca");
    put_certificates(doctor, identity, folder, "combined");
    put_combined(doctor, identity, folder);
    report_append(list, identity);
}

/* devid install keeps "unit" as a link to "unit.1", its version. */
static bool is_version(const char *folder)
{
    const char *dot = strrchr(folder, '.');
    char link[PATH_MAX];
    struct stat st;

    if (!dot || dot[1] == '\0' ||
        strspn(dot + 1, "0123456789") != strlen(dot + 1))
        return false;
    (void)snprintf(link, sizeof(link), "%.*s", (int)(dot - folder), folder);
    return lstat(link, &st) == 0 && S_ISLNK(st.st_mode);
}

static bool is_identity(const char *above, const struct dirent *entry)
{
    char folder[PATH_MAX];

    (void)snprintf(folder, sizeof(folder), "%.3800s/%.255s", above,
                   entry->d_name);
    return entry->d_name[0] != '.' &&
           (entry->d_type == DT_DIR || entry->d_type == DT_LNK) &&
           !is_version(folder);
}

static void look_at_all(const struct doctor *doctor, json_t *facts,
                        json_t *list)
{
    char full[PATH_MAX];
    char folder[PATH_MAX];
    struct dirent **entries = NULL;
    int count;

    path_below(doctor, IDENTITIES, full);
    count = scandir(full, &entries, NULL, alphasort);
    if (count < 0 && errno != ENOENT)
        report_text(facts, "error", strerror(errno));
    for (int i = 0; i < count; i++) {
        (void)snprintf(folder, sizeof(folder), IDENTITIES "/%.255s",
                       entries[i]->d_name);
        if (is_identity(full, entries[i]))
            look_at_identity(doctor, list, folder);
        free(entries[i]);
    }
    free(entries);
}

static void look_identity(struct doctor *doctor, json_t *facts)
{
    json_t *list = report_array();
    struct doctor here = *doctor;

    here.root = ""; /* a folder that is named is named as it is */
    for (const char **at = doctor->identities; *at; at++)
        look_at_identity(&here, list, *at);
    if (!*doctor->identities)
        look_at_all(doctor, facts, list);
    report_value(facts, "list", list);
}

const struct theme identity_theme = {
    .name = "identity",
    .look = look_identity,
    .judge = judge_identity,
};
