/* SPDX-License-Identifier: Apache-2.0 */
/* What an identity's key and files are worth. */
#include "identity_check.h"

#include <string.h>

#include "report.h"

static void judge_key(struct doctor *doctor, const json_t *identity)
{
    const char *path = report_get(identity, "path");
    const json_t *key = json_object_get(identity, "key");
    const char *attributes = report_get(key, "attributes");

    if (*report_get(key, "error")) {
        is_bad(doctor, "identity.key",
               words(doctor, "%s/key.pem: %s", path, report_get(key, "error")),
               "programs that load this identity fail",
               words(doctor, "devid show %s/key.pem", path));
        return;
    }
    if (*report_get(key, "not_asked"))
        is_note(
            doctor, "identity.key",
            words(doctor, "the key of %s was not asked for a signature", path),
            report_get(key, "not_asked"), NULL);
    else if (*report_get(key, "silent"))
        is_bad(doctor, "identity.key",
               words(doctor, "the key of %s does not sign: %s", path,
                     report_get(key, "silent")),
               "no program can use this identity",
               words(doctor, "devid test --key %s/key.pem", path));
    else if (fact_flag(key, "answers"))
        is_ok(doctor, "identity.key",
              words(doctor, "the key of %s answers", path));
    if (fact_flag(key, "imported"))
        is_warning(
            doctor, "identity.imported",
            words(doctor, "the key of %s was once outside of the device", path),
            "a copy of it may still be",
            "make one in the device: devid keygen");
    if (strcmp(report_get(key, "backend"), "TPM 2.0") == 0 && *attributes &&
        !strstr(attributes, "noDA"))
        is_warning(doctor, "identity.da",
                   words(doctor, "the key of %s has no noDA", path),
                   "wrong values for any key of the TPM lock it",
                   "make one without --dictionary-attack: devid keygen");
}

/* ---- files --------------------------------------------------------------- */

static const char *who(const json_t *file, unsigned mode, unsigned others)
{
    const char *group = report_get(file, "group");

    if ((mode & others) != 0)
        return "every user";
    return *group ? group : "its group";
}

/* A reference holds no secret, and names a key that whoever opens the device
 * may name himself; a blob is of use to who can read it. */
static void judge_secret(struct doctor *doctor, const json_t *file,
                         bool is_reference)
{
    unsigned mode = file_mode(file);
    const char *path = report_get(file, "path");
    const char *mend = words(doctor, "chmod 0600 %s", path);

    if (!fact_flag(file, "exists"))
        return;
    if ((mode & 0022u) != 0)
        is_bad(doctor, "identity.mode",
               words(doctor, "%s may be written by %s (mode %s)", path,
                     who(file, mode, 0002u), report_get(file, "mode")),
               "they can put another key there",
               words(doctor, "chmod go-w %s", path));
    else if (is_reference)
        is_ok(doctor, "identity.mode",
              words(doctor, "%s names a key and holds no secret (mode %s)",
                    path, report_get(file, "mode")));
    else if ((mode & 0004u) != 0)
        is_bad(doctor, "identity.mode",
               words(doctor, "%s may be read by every user (mode %s)", path,
                     report_get(file, "mode")),
               "who also opens the device can sign as this identity", mend);
    else if ((mode & 0040u) != 0)
        is_warning(doctor, "identity.mode",
                   words(doctor, "%s may be read by group %s (mode %s)", path,
                         who(file, mode, 0004u), report_get(file, "mode")),
                   "its members sign as this identity where they open the "
                   "device: right for a server that reads it as one of them",
                   mend);
    else
        is_ok(doctor, "identity.mode",
              words(doctor, "%s is its owner's alone (mode %s)", path,
                    report_get(file, "mode")));
}

/* Certificates are public; who may write them may replace them. */
static void judge_public_file(struct doctor *doctor, const json_t *file)
{
    unsigned mode = file_mode(file);

    if (fact_flag(file, "exists") && !fact_flag(file, "link") &&
        (mode & 0022u) != 0)
        is_bad(doctor, "identity.mode",
               words(doctor, "%s may be written by %s (mode %s)",
                     report_get(file, "path"), who(file, mode, 0002u),
                     report_get(file, "mode")),
               "they can put other certificates and keys there",
               words(doctor, "chmod go-w %s", report_get(file, "path")));
}

static void judge_files(struct doctor *doctor, const json_t *identity)
{
    const json_t *files = json_object_get(identity, "files");
    bool is_reference =
        strcmp(report_get(json_object_get(identity, "key"), "format"),
               "DEVID KEY REFERENCE") == 0;

    judge_public_file(doctor, json_object_get(identity, "folder"));
    judge_secret(doctor, json_object_get(files, "key.pem"), is_reference);
    judge_secret(doctor, json_object_get(files, "combined.pem"), is_reference);
    judge_public_file(doctor, json_object_get(files, "cert.pem"));
    judge_public_file(doctor, json_object_get(files, "chain.pem"));
    judge_public_file(doctor, json_object_get(files, "ca.pem"));
}

static void judge_absence(struct doctor *doctor, const char *path,
                          const char *why, const char *what)
{
    if (*why)
        is_note(doctor, "identity",
                words(doctor, "%s cannot be looked at: %s", path, why),
                "nothing is known of this identity here", "sudo devid doctor");
    else
        is_bad(doctor, "identity", words(doctor, "there is no %s", what),
               "programs that load this identity fail",
               words(doctor, "devid keygen --out %s/key.pem", path));
}

static void judge_one(struct doctor *doctor, const json_t *identity)
{
    const char *path = report_get(identity, "path");
    const json_t *folder = json_object_get(identity, "folder");
    const json_t *key =
        json_object_get(json_object_get(identity, "files"), "key.pem");

    if (!fact_flag(folder, "exists"))
        judge_absence(doctor, path, report_get(folder, "error"),
                      words(doctor, "identity at %s", path));
    else if (!fact_flag(key, "exists"))
        judge_absence(doctor, path, report_get(key, "error"),
                      words(doctor, "key.pem in %s", path));
    else {
        judge_files(doctor, identity);
        judge_key(doctor, identity);
        judge_identity_certificate(doctor, identity);
    }
}

void judge_identity(struct doctor *doctor, const json_t *facts)
{
    const json_t *list = json_object_get(facts, "list");
    const json_t *identity;
    size_t i;

    if (*report_get(facts, "error"))
        is_note(doctor, "identity",
                words(doctor, "/var/lib/devid cannot be looked at: %s",
                      report_get(facts, "error")),
                "nothing is known of identities here", "sudo devid doctor");
    else if (json_array_size(list) == 0)
        is_note(doctor, "identity", "there is no identity in /var/lib/devid",
                "programs have no key of devid's there; one elsewhere is named "
                "by --identity",
                "devid keygen --out /var/lib/devid/unit/key.pem");
    json_array_foreach(list, i, identity) judge_one(doctor, identity);
}
