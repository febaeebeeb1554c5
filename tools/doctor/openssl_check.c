/* SPDX-License-Identifier: Apache-2.0 */
/* What an openssl.cnf makes of the programs that read it. */
#include "openssl_check.h"

#include <string.h>
#include <strings.h>

#include "report.h"

static const json_t *provider_named(const json_t *conf, const char *name)
{
    const json_t *provider;
    size_t i;

    json_array_foreach(json_object_get(conf, "providers"), i, provider)
    {
        if (strcmp(report_get(provider, "name"), name) == 0)
            return provider;
    }
    return NULL;
}

/* OpenSSL before 3.2 activates whatever the value; newer ones read it. */
static bool is_active(const json_t *provider)
{
    static const char *const no[] = {"", "0", "no", "false", "off"};
    const char *value = report_get(provider, "activate");

    for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
        if (strcasecmp(value, no[i]) == 0)
            return false;
    }
    return true;
}

static void judge_default(struct doctor *doctor, const json_t *conf,
                          const char *path)
{
    static const char without_default[] =
        "once a file activates a provider, default is there only where it is "
        "activated too: hashes, TLS and software keys fail in every program "
        "that reads it";
    const json_t *provider = provider_named(conf, "default");
    const json_t *fips = provider_named(conf, "fips");

    if (provider && is_active(provider))
        return;
    if (fips && is_active(fips)) {
        is_note(doctor, "openssl.default",
                words(doctor, "%s has fips instead of default", path),
                "devid works beside it; it is no FIPS module itself", NULL);
        return;
    }
    if (provider)
        is_bad(doctor, "openssl.default",
               words(doctor, "%s lists default but does not activate it", path),
               without_default,
               words(doctor, "add 'activate = 1' to [%s] in %s",
                     report_get(provider, "section"), path));
    else
        is_bad(doctor, "openssl.default",
               words(doctor, "%s does not list default", path), without_default,
               words(doctor,
                     "add it to the providers in %s; devid conf openssl shows "
                     "how",
                     path));
}

/* A word of a property query: "?provider=tpm2". */
static void judge_property(struct doctor *doctor, const char *path,
                           const char *word)
{
    bool optional = *word == '?';
    const char *query = optional ? word + 1 : word;
    const char *whose;

    if (strncasecmp(query, "fips", 4) == 0 && !optional &&
        strcasecmp(query, "fips=no") != 0) {
        is_bad(doctor, "openssl.properties",
               words(doctor, "default_properties of %s ask for FIPS", path),
               "devid is no FIPS module: its keys are not found",
               words(doctor, "take '%s' out of %s", word, path));
        return;
    }
    if (strncasecmp(query, "provider=", 9) != 0)
        return;
    whose = query + 9;
    if (strcmp(whose, "default") == 0 && optional)
        return;
    if (strcmp(whose, "default") == 0)
        is_bad(
            doctor, "openssl.properties",
            words(doctor, "default_properties of %s admit default alone", path),
            "keys of devid are not found",
            words(doctor, "take '%s' out of %s", word, path));
    else
        is_bad(doctor, "openssl.properties",
               words(doctor, "default_properties of %s say '%s'", path, word),
               optional ? "public operations, hashes and random numbers of "
                          "every program go to the chip where that provider "
                          "has them: slow, and some fail"
                        : "whatever that provider does not have fails in every "
                          "program, TLS itself among it",
               words(doctor, "take it out of %s: devid needs no property query",
                     path));
}

static void judge_properties(struct doctor *doctor, const json_t *conf,
                             const char *path)
{
    char text[512];
    char *rest = text;
    char *word;

    (void)snprintf(text, sizeof(text), "%s",
                   report_get(conf, "default_properties"));
    while ((word = strsep(&rest, ", ")) != NULL) {
        if (*word)
            judge_property(doctor, path, word);
    }
}

static bool is_setting(const char *name)
{
    for (const struct devid_setting *row = devid_settings(); row->name; row++) {
        if (strcmp(row->name, name) == 0)
            return true;
    }
    return false;
}

static void judge_settings(struct doctor *doctor, const json_t *devid,
                           const char *path)
{
    const json_t *setting;
    size_t i;

    json_array_foreach(json_object_get(devid, "settings"), i, setting)
    {
        const char *name = json_string_value(setting);

        if (name && !is_setting(name))
            is_bad(doctor, "openssl.setting",
                   words(doctor, "%s, section [%s]: devid has no setting '%s'",
                         path, report_get(devid, "section"), name),
                   "the provider refuses to start, and its keys are not found",
                   "man 7 devid-provider");
    }
}

/* Providers that read the same key files. */
static void judge_rivals(struct doctor *doctor, const json_t *conf,
                         const char *path)
{
    static const char *const rivals[] = {"tpm2", "pkcs11"};

    for (size_t i = 0; i < sizeof(rivals) / sizeof(*rivals); i++) {
        const json_t *rival = provider_named(conf, rivals[i]);

        if (rival && is_active(rival))
            is_note(
                doctor, "openssl.rival",
                words(doctor, "%s also activates provider %s", path, rivals[i]),
                "both read some of the same keys, and the one that stands "
                "first is asked first",
                NULL);
    }
}

static const char *order(struct doctor *doctor, const json_t *conf)
{
    const char *list = "";
    const json_t *provider;
    size_t i;

    json_array_foreach(json_object_get(conf, "providers"), i, provider) list =
        words(doctor, "%s%s%s", list, i > 0 ? ", " : "",
              report_get(provider, "name"));
    return list;
}

static void judge_devid(struct doctor *doctor, const json_t *conf,
                        const json_t *devid)
{
    const char *path = report_get(conf, "path");
    size_t before = json_array_size(doctor->findings);
    const json_t *provider;
    size_t i;

    if (!is_active(devid))
        is_bad(doctor, "openssl.activate",
               words(doctor, "%s lists devid but does not activate it", path),
               "programs that read it do not find devid's keys",
               words(doctor, "add 'activate = 1' to [%s] in %s",
                     report_get(devid, "section"), path));
    judge_default(doctor, conf, path);
    judge_settings(doctor, devid, path);
    json_array_foreach(json_object_get(conf, "providers"), i, provider)
    {
        const json_t *file = json_object_get(provider, "file");

        if (file)
            judge_module(doctor, file, report_get(provider, "name"), path);
    }
    judge_rivals(doctor, conf, path);
    if (json_array_size(doctor->findings) == before)
        is_ok(doctor, "openssl.conf",
              words(doctor, "%s activates %s", path, order(doctor, conf)));
}

static bool judge_conf(struct doctor *doctor, const json_t *conf)
{
    const char *path = report_get(conf, "path");
    const char *named_by = report_get(conf, "named_by");
    const json_t *devid = provider_named(conf, "devid");
    const json_t *file = json_object_get(conf, "file");
    bool asked_for = strcmp(named_by, "OpenSSL's default") != 0 &&
                     strcmp(named_by, "devid") != 0;

    if (fact_flag(conf, "missing")) {
        if (asked_for)
            is_bad(
                doctor, "openssl.missing",
                words(doctor, "there is no %s, which %s names", path, named_by),
                "the program finds no key of devid's",
                words(doctor, "devid conf openssl > %s", path));
        return false;
    }
    if (*report_get(conf, "error")) {
        is_bad(doctor, "openssl.syntax",
               words(doctor, "%s: %s", path, report_get(conf, "error")),
               "OpenSSL reads none of it, or the program does not start",
               words(doctor, "mend %s", path));
        return false;
    }
    if (!fact_flag(file, "link") && (file_mode(file) & 0022u) != 0)
        is_bad(doctor, "openssl.mode",
               words(doctor,
                     "%s may be written by others than its owner "
                     "(mode %s)",
                     path, report_get(file, "mode")),
               "they run code in every program that reads it",
               words(doctor, "chmod go-w %s", path));
    judge_properties(doctor, conf, path);
    if (devid)
        judge_devid(doctor, conf, devid);
    else if (asked_for)
        is_warning(doctor, "openssl.devid",
                   words(doctor, "%s, which %s names, does not list devid",
                         path, named_by),
                   "the program finds no key of devid's", "devid conf openssl");
    return devid != NULL;
}

void judge_openssl(struct doctor *doctor, const json_t *facts)
{
    const json_t *files = json_object_get(facts, "files");
    const json_t *conf;
    bool found = false;
    size_t i;

    if (!files)
        return;
    json_array_foreach(files, i, conf) found =
        judge_conf(doctor, conf) || found;
    if (!found)
        is_note(doctor, "openssl.devid", "no openssl.cnf lists devid",
                "programs find no key of devid's unless OPENSSL_CONF names a "
                "file that does",
                "devid conf openssl > /etc/devid/openssl.cnf");
}
