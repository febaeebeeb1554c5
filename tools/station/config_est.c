/* SPDX-License-Identifier: Apache-2.0 */
#include "config_est.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

#define LABEL EST "."

enum {
    LIFETIME_S = 7 * 86400,
    LIFETIME_MAX_S = 3650 * 86400,
    RETRY_S = 300,
    RETRY_MAX_S = 86400,
    LABEL_MAX = 64
};

/* A value of a section, and where it stands, for sentences. */
struct value {
    const char *file;
    const char *section;
    const char *name;
    const char *text;
};

static enum exit_code take_approval(const struct value *value,
                                    struct est_label *label);
static enum exit_code take_lifetime(const struct value *value,
                                    struct est_label *label);
static enum exit_code take_retry(const struct value *value,
                                 struct est_label *label);
static enum exit_code take_csrattrs(const struct value *value,
                                    struct est_label *label);

static const struct {
    const char *name;
    enum exit_code (*take)(const struct value *value, struct est_label *label);
} settings[] = {
    {"approval", take_approval},
    {"lifetime", take_lifetime},
    {"retry_after", take_retry},
    {"csrattrs", take_csrattrs},
};

enum {
    SETTINGS = sizeof(settings) / sizeof(settings[0])
};

/* ---- names ------------------------------------------------------------- */

bool est_section(const char *section)
{
    return strcmp(section, EST) == 0 ||
           strncmp(section, LABEL, sizeof(LABEL) - 1) == 0;
}

bool est_setting(const char *section, const char *name)
{
    for (int i = 0; est_section(section) && i < SETTINGS; i++) {
        if (strcmp(settings[i].name, name) == 0)
            return true;
    }
    return false;
}

void est_offer_settings(struct nearest *nearest)
{
    for (int i = 0; i < SETTINGS; i++)
        nearest_offer(nearest, settings[i].name, NULL);
}

/* A part of a path, which no operation is called. */
static bool is_label(const char *name)
{
    static const char *const operations[] = {
        "cacerts", "csrattrs",     "simpleenroll", "simplereenroll",
        "fullcmc", "serverkeygen", ".well-known",  "v1",
        ".",       "..",
    };

    for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
        if (strcmp(name, operations[i]) == 0)
            return false;
    }
    return *name && strlen(name) <= LABEL_MAX &&
           name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789.-_~")] ==
               '\0';
}

/* ---- values ------------------------------------------------------------ */

static enum exit_code take_approval(const struct value *value,
                                    struct est_label *label)
{
    label->manual = strcmp(value->text, "manual") == 0;
    if (label->manual || strcmp(value->text, "auto") == 0)
        return EXIT_DONE;
    return fail("%s: %s in [%s] is auto or manual, not '%s'", value->file,
                value->name, value->section, value->text);
}

/* "7d"; 0: it is none, or too long. */
static unsigned seconds_of(const char *text, unsigned most)
{
    static const struct {
        char unit;
        unsigned long seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end = NULL;
    unsigned long count =
        *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;

    for (size_t i = 0; count > 0 && i < sizeof(units) / sizeof(*units); i++) {
        if (end[0] == units[i].unit && end[1] == '\0' &&
            count <= most / units[i].seconds)
            return (unsigned)(count * units[i].seconds);
    }
    return 0;
}

static enum exit_code take_lifetime(const struct value *value,
                                    struct est_label *label)
{
    label->lifetime_s = seconds_of(value->text, LIFETIME_MAX_S);
    if (label->lifetime_s > 0)
        return EXIT_DONE;
    return fail("%s: %s in [%s] is a number of days, hours, minutes or "
                "seconds, such as 7d or 12h, up to 3650d, not '%s'",
                value->file, value->name, value->section, value->text);
}

static enum exit_code take_retry(const struct value *value,
                                 struct est_label *label)
{
    label->retry_s = seconds_of(value->text, RETRY_MAX_S);
    if (label->retry_s > 0)
        return EXIT_DONE;
    return fail("%s: %s in [%s] is a number of hours, minutes or seconds, such "
                "as 5m, up to 24h, not '%s'",
                value->file, value->name, value->section, value->text);
}

static enum exit_code take_csrattrs(const struct value *value,
                                    struct est_label *label)
{
    char *list = OPENSSL_strdup(value->text);
    char *rest = list;
    char *name;
    enum exit_code code = EXIT_DONE;

    OPENSSL_free(label->csrattrs);
    label->csrattrs = OPENSSL_strdup(value->text);
    if (!list || !label->csrattrs)
        die_no_memory();
    while (code == EXIT_DONE && (name = strsep(&rest, ", ")) != NULL) {
        ASN1_OBJECT *object = *name ? OBJ_txt2obj(name, 0) : NULL;
        if (*name && !object)
            code = fail("%s: %s in [%s] is a list of object identifiers, by "
                        "number or by OpenSSL's names, and '%s' is none",
                        value->file, value->name, value->section, name);
        ASN1_OBJECT_free(object);
    }
    ERR_clear_error(); /* of a name that there is not: it has been said */
    OPENSSL_free(list);
    return code;
}

/* ---- sections ---------------------------------------------------------- */

static enum exit_code take_section(CONF *conf, const char *file,
                                   const char *section, struct est_label *label)
{
    STACK_OF(CONF_VALUE) *rows = NCONF_get_section(conf, section);
    enum exit_code code = EXIT_DONE;

    for (int i = 0; code == EXIT_DONE && i < sk_CONF_VALUE_num(rows); i++) {
        const CONF_VALUE *row = sk_CONF_VALUE_value(rows, i);
        const struct value value = {file, section, row->name, row->value};
        for (int j = 0; code == EXIT_DONE && j < SETTINGS; j++) {
            if (strcmp(settings[j].name, row->name) == 0)
                code = settings[j].take(&value, label);
        }
    }
    return code;
}

static struct est_label *new_label(struct config *config, const char *name)
{
    struct est_label *label = &config->labels[config->label_count++];

    *label = (struct est_label){
        .name = OPENSSL_strdup(name),
        .lifetime_s = LIFETIME_S,
        .retry_s = RETRY_S,
    };
    if (!label->name)
        die_no_memory();
    return label;
}

static enum exit_code take_label(CONF *conf, const char *file,
                                 const char *section, struct config *config)
{
    const char *name = section + sizeof(LABEL) - 1;
    struct est_label *label;
    enum exit_code code;

    if (!is_label(name))
        return fail("%s: [%s] is for a label of 1 to %d of A to Z, a to z, 0 "
                    "to 9 and . - _ ~, which no operation of EST is called",
                    file, section, LABEL_MAX);
    label = new_label(config, name);
    code = take_section(conf, file, EST, label);
    return code == EXIT_DONE ? take_section(conf, file, section, label) : code;
}

enum exit_code est_labels(CONF *conf, const char *file, struct config *config)
{
    STACK_OF(OPENSSL_CSTRING) *names = NCONF_get_section_names(conf);
    int count = names ? sk_OPENSSL_CSTRING_num(names) : 0;
    enum exit_code code = EXIT_DONE;

    config->labels =
        OPENSSL_zalloc(((size_t)count + 1) * sizeof(*config->labels));
    if (!names || !config->labels)
        die_no_memory();
    for (int i = 0; code == EXIT_DONE && i < count; i++) {
        const char *section = sk_OPENSSL_CSTRING_value(names, i);
        if (strcmp(section, EST) == 0)
            code = take_section(conf, file, EST, new_label(config, ""));
        else if (est_section(section))
            code = take_label(conf, file, section, config);
    }
    sk_OPENSSL_CSTRING_free(names);
    return code;
}

void est_labels_free(struct config *config)
{
    for (unsigned i = 0; i < config->label_count; i++) {
        OPENSSL_free(config->labels[i].name);
        OPENSSL_free(config->labels[i].csrattrs);
    }
    OPENSSL_free(config->labels);
}

const struct est_label *config_label(const struct config *config,
                                     const char *name)
{
    for (unsigned i = 0; i < config->label_count; i++) {
        if (strcmp(config->labels[i].name, name) == 0)
            return &config->labels[i];
    }
    return NULL;
}
