/* SPDX-License-Identifier: Apache-2.0 */
/* The storage key: is it the one that was recorded? */
#include <string.h>

#include "report.h"
#include "tpm_check.h"

static const char *name_at(const json_t *tpm, const char *handle)
{
    const json_t *key;
    size_t i;

    json_array_foreach(json_object_get(tpm, "keys"), i, key)
    {
        if (strcmp(report_get(key, "handle"), handle) == 0)
            return report_get(key, "name");
    }
    return "";
}

static void judge_name(struct doctor *doctor, const char *name,
                       const char *recorded, const char *where)
{
    if (strcasestr(recorded, name) != NULL)
        is_ok(doctor, "tpm.parent_name",
              words(doctor,
                    "the storage key at 0x81000001 has the Name that was "
                    "recorded in %s",
                    where));
    else
        is_bad(
            doctor, "tpm.parent_name",
            words(doctor,
                  "the storage key at 0x81000001 has the Name %s, not that "
                  "of %s",
                  name, where),
            "somebody between here and the TPM shows a key of his own, or "
            "this is another TPM, or it was cleared; nothing is done with it",
            NULL);
}

/* In each openssl.cnf that gives one to devid; false: none does. */
static bool judge_name_in_files(struct doctor *doctor, const char *name)
{
    const json_t *files = json_object_get(facts_of(doctor, "openssl"), "files");
    const json_t *provider;
    const json_t *file;
    bool found = false;
    size_t i;
    size_t j;

    json_array_foreach(files, i, file)
    {
        json_array_foreach(json_object_get(file, "providers"), j, provider)
        {
            const char *recorded = report_get(provider, "parent_name");

            if (*recorded == '\0' ||
                strcmp(report_get(provider, "name"), "devid") != 0)
                continue;
            judge_name(doctor, name, recorded, report_get(file, "path"));
            found = true;
        }
    }
    return found;
}

/* Where nobody has said which one it is, what it shows now is a beginning. */
void judge_storage_key(struct doctor *doctor, const json_t *tpm)
{
    const char *recorded = report_get(tpm, "parent_name");
    const char *name = name_at(tpm, "0x81000001");

    if (*name == '\0')
        return;
    if (*recorded != '\0')
        judge_name(doctor, name, recorded, "DEVID_TPM2_PARENT_NAME");
    else if (!judge_name_in_files(doctor, name))
        is_note(doctor, "tpm.parent_name",
                words(doctor,
                      "the storage key at 0x81000001 has the Name %s, and "
                      "nothing says that it should",
                      name),
                "who sits between here and the TPM may show a key of his own, "
                "and learn the auth values of keys",
                words(doctor,
                      "where you know that nobody does now: tpm2-parent-name = "
                      "%s in openssl.cnf, and DEVID_TPM2_PARENT_NAME for devid",
                      name));
}
