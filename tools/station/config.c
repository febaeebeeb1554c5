/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attest.h"
#include "config_est.h"
#include "devid.h"
#include "message.h"
#include "nearest.h"

enum kind {
    TEXT,
    PATH,   /* of a file */
    KEY,    /* a file, or a device's URI */
    LEDGER, /* a file, or a database's URL */
    NUMBER,
    FLAG,
};

struct setting {
    const char *section;
    const char *name;
    enum kind kind;
    size_t offset;
    unsigned preset;  /* NUMBER, FLAG: where it is not given */
    unsigned most;    /* NUMBER */
    const char *text; /* the others: likewise; NULL: none */
};

#define AT(member) offsetof(struct config, member)

static const struct setting settings[] = {
    {"station", "name", TEXT, AT(name), 0, 0, NULL},
    {"station", "ledger", LEDGER, AT(ledger), 0, 0, "ledger.db"},
    {"station", "chain_key", KEY, AT(chain_key), 0, 0, "chain.key"},
    {"station", "vendors", PATH, AT(vendors), 0, 0, "vendors"},
    {"station", "ek_list", PATH, AT(ek_list), 0, 0, NULL},
    {"station", "operators", PATH, AT(operators), 0, 0, "operators.pem"},
    {"ca", "key", KEY, AT(ca_key), 0, 0, "ca.key"},
    {"ca", "certificate", PATH, AT(ca_cert), 0, 0, "ca.pem"},
    {"ca", "chain", PATH, AT(ca_chain), 0, 0, NULL},
    {"ca", "subject", TEXT, AT(subject), 0, 0, NULL},
    {"ca", "san", TEXT, AT(san), 0, 0, NULL},
    {"ca", "ocsp_url", TEXT, AT(ocsp_url), 0, 0, NULL},
    {"ca", "ocsp_key", KEY, AT(ocsp_key), 0, 0, "ocsp.key"},
    {"ca", "ocsp_certificate", PATH, AT(ocsp_cert), 0, 0, "ocsp.pem"},
    {"ca", "ocsp_minutes", NUMBER, AT(ocsp_minutes), 60, 525600, NULL},
    {"ca", "crl_url", TEXT, AT(crl_url), 0, 0, NULL},
    {"ca", "crl_shards", NUMBER, AT(crl_shards), 1, DEVID_SHARDS_MAX, NULL},
    {"ca", "crl_hours", NUMBER, AT(crl_hours), 24, 8760, NULL},
    {"ca", "escrow", PATH, AT(escrow_cert), 0, 0, NULL},
    {"server", "address", TEXT, AT(address), 0, 0, "::"},
    {"server", "port", NUMBER, AT(port), 8443, 65535, NULL},
    {"server", "http_port", NUMBER, AT(http_port), 0, 65535, NULL},
    {"server", "key", KEY, AT(server_key), 0, 0, "server.key"},
    {"server", "certificate", PATH, AT(server_cert), 0, 0, "server.pem"},
    {"server", "loops", NUMBER, AT(loops), 0, 64, NULL},
    {"server", "workers", NUMBER, AT(workers), 0, 256, NULL},
    {"server", "connections", NUMBER, AT(connections), 1000, 60000, NULL},
    {"server", "address_connections", NUMBER, AT(address_connections), 100,
     60000, NULL},
    {"server", "queue", NUMBER, AT(queue), 256, 65536, NULL},
    {"est", "users", PATH, AT(est_users), 0, 0, NULL},
    {"policy", "allow_sha1", FLAG, AT(allow_sha1), 0, 0, NULL},
    {"policy", "allow_expired", FLAG, AT(allow_expired), 0, 0, NULL},
    {"policy", "allow_no_eku", FLAG, AT(allow_no_eku), 0, 0, NULL},
    {"policy", "allow_no_iak_proof", FLAG, AT(allow_no_iak_proof), 0, 0, NULL},
    {"policy", "allow_other_templates", FLAG, AT(allow_other_templates), 0, 0,
     NULL},
    {"policy", "allow_pkcs10", FLAG, AT(allow_pkcs10), 0, 0, NULL},
    {"policy", "challenge_seconds", NUMBER, AT(challenge_seconds), 300, 86400,
     NULL},
};

enum {
    SETTINGS = sizeof(settings) / sizeof(settings[0])
};

/* Sections whose names are not in the table above. */
#define DEVICE "device"
#define STATIONS "stations"

/* ---- names ------------------------------------------------------------- */

/* What is read, and the name of its file for sentences. */
struct reader {
    CONF *conf;
    const char *file;
    struct config *config;
};

static bool section_is_known(const char *name)
{
    for (int i = 0; i < SETTINGS; i++) {
        if (strcmp(settings[i].section, name) == 0)
            return true;
    }
    return strcmp(name, DEVICE) == 0 || strcmp(name, STATIONS) == 0 ||
           est_section(name);
}

static enum exit_code unknown_section(const struct reader *reader,
                                      const char *name)
{
    struct nearest nearest = {.mistyped = name};

    for (int i = 0; i < SETTINGS; i++)
        nearest_offer(&nearest, settings[i].section, NULL);
    nearest_offer(&nearest, DEVICE, NULL);
    nearest_offer(&nearest, STATIONS, NULL);
    if (nearest.word)
        return fail("%s: there is no section [%s]; did you mean [%s]?",
                    reader->file, name, nearest.word);
    return fail("%s: there is no section [%s]: there are [station], [ca], "
                "[server], [" EST "], [" EST ".LABEL], [policy], [" DEVICE
                "] and [" STATIONS "]",
                reader->file, name);
}

static enum exit_code unknown_setting(const struct reader *reader,
                                      const char *section, const char *name)
{
    struct nearest nearest = {.mistyped = name};

    for (int i = 0; i < SETTINGS; i++) {
        if (strcmp(settings[i].section, section) == 0)
            nearest_offer(&nearest, settings[i].name, NULL);
    }
    for (const struct devid_setting *s = devid_settings();
         strcmp(section, DEVICE) == 0 && s->name; s++)
        nearest_offer(&nearest, s->name, NULL);
    if (est_section(section))
        est_offer_settings(&nearest);
    if (nearest.word)
        return fail("%s: there is no setting %s in [%s]; did you mean %s?",
                    reader->file, name, section, nearest.word);
    return fail("%s: there is no setting %s in [%s]; devid-station(8) has "
                "those that there are",
                reader->file, name, section);
}

static bool setting_is_known(const char *section, const char *name)
{
    if (strcmp(section, STATIONS) == 0 || est_setting(section, name))
        return true;
    for (const struct devid_setting *s = devid_settings();
         strcmp(section, DEVICE) == 0 && s->name; s++) {
        if (strcmp(s->name, name) == 0)
            return true;
    }
    for (int i = 0; i < SETTINGS; i++) {
        if (strcmp(settings[i].section, section) == 0 &&
            strcmp(settings[i].name, name) == 0)
            return true;
    }
    return false;
}

/* "default" is OpenSSL's name for what stands before the first section. */
static enum exit_code check_section(const struct reader *reader,
                                    const char *section)
{
    STACK_OF(CONF_VALUE) *rows = NCONF_get_section(reader->conf, section);
    bool is_default = strcmp(section, "default") == 0;

    if (is_default && sk_CONF_VALUE_num(rows) > 0)
        return fail("%s: the setting %s stands in no section; the first line "
                    "is to be [station]",
                    reader->file, sk_CONF_VALUE_value(rows, 0)->name);
    if (!is_default && !section_is_known(section))
        return unknown_section(reader, section);
    for (int i = 0; i < sk_CONF_VALUE_num(rows); i++) {
        const char *name = sk_CONF_VALUE_value(rows, i)->name;
        if (!setting_is_known(section, name))
            return unknown_setting(reader, section, name);
    }
    return EXIT_DONE;
}

static enum exit_code check_names(const struct reader *reader)
{
    STACK_OF(OPENSSL_CSTRING) *names = NCONF_get_section_names(reader->conf);
    enum exit_code code = EXIT_DONE;

    if (!names)
        die_no_memory();
    for (int i = 0; code == EXIT_DONE && i < sk_OPENSSL_CSTRING_num(names); i++)
        code = check_section(reader, sk_OPENSSL_CSTRING_value(names, i));
    sk_OPENSSL_CSTRING_free(names);
    return code;
}

/* ---- values ------------------------------------------------------------ */

static enum exit_code take_number(const struct reader *reader,
                                  const struct setting *setting,
                                  const char *value)
{
    unsigned *out =
        (unsigned *)(void *)((char *)reader->config + setting->offset);
    char *end = NULL;
    unsigned long number = setting->preset;

    if (value) {
        number = *value >= '0' && *value <= '9' ? strtoul(value, &end, 10) : 0;
        if (!end || *end != '\0' || number < 1 || number > setting->most)
            return fail("%s: %s in [%s] is a number from 1 to %u, not '%s'",
                        reader->file, setting->name, setting->section,
                        setting->most, value);
    }
    *out = (unsigned)number;
    return EXIT_DONE;
}

static enum exit_code take_flag(const struct reader *reader,
                                const struct setting *setting,
                                const char *value)
{
    bool *out = (bool *)((char *)reader->config + setting->offset);

    *out = value && strcmp(value, "yes") == 0;
    if (!value || *out || strcmp(value, "no") == 0)
        return EXIT_DONE;
    return fail("%s: %s in [%s] is yes or no, not '%s'", reader->file,
                setting->name, setting->section, value);
}

static enum exit_code take_text(const struct reader *reader,
                                const struct setting *setting,
                                const char *value)
{
    char **out = (char **)(void *)((char *)reader->config + setting->offset);

    if (!value)
        value = setting->text;
    if (value && *value == '\0')
        return fail("%s: %s in [%s] is empty", reader->file, setting->name,
                    setting->section);
    if (!value)
        return EXIT_DONE;
    if (setting->kind == TEXT ||
        (setting->kind == KEY && devid_is_uri(value)) ||
        (setting->kind == LEDGER && strstr(value, "://")))
        *out = OPENSSL_strdup(value);
    else
        *out = config_path(reader->config->dir, value);
    if (!*out)
        die_no_memory();
    return EXIT_DONE;
}

static enum exit_code take(const struct reader *reader,
                           const struct setting *setting)
{
    /* Not by NCONF_get_string, which falls back on section "default". */
    STACK_OF(CONF_VALUE) *rows =
        NCONF_get_section(reader->conf, setting->section);
    const char *value = NULL;

    for (int i = 0; i < sk_CONF_VALUE_num(rows); i++) {
        const CONF_VALUE *row = sk_CONF_VALUE_value(rows, i);
        if (strcmp(row->name, setting->name) == 0)
            value = row->value;
    }
    switch (setting->kind) {
    case NUMBER:
        return take_number(reader, setting, value);
    case FLAG:
        return take_flag(reader, setting, value);
    case TEXT:
    case PATH:
    case KEY:
    case LEDGER:
        break;
    }
    return take_text(reader, setting, value);
}

static struct config_pair *take_pairs(const struct reader *reader,
                                      const char *section)
{
    STACK_OF(CONF_VALUE) *rows = NCONF_get_section(reader->conf, section);
    int count = rows ? sk_CONF_VALUE_num(rows) : 0;
    struct config_pair *pairs =
        OPENSSL_zalloc(((size_t)count + 1) * sizeof(*pairs));

    if (!pairs)
        die_no_memory();
    for (int i = 0; i < count; i++) {
        const CONF_VALUE *row = sk_CONF_VALUE_value(rows, i);
        pairs[i] = (struct config_pair){row->name, row->value};
    }
    return pairs;
}

/* It becomes part of names and of sentences: no white space in it. */
static enum exit_code check_name(const struct reader *reader)
{
    const char *name = reader->config->name;

    if (!name)
        return fail("%s: name is missing in [station]", reader->file);
    if (name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                          "0123456789.-_")] == '\0' &&
        strlen(name) <= 64)
        return EXIT_DONE;
    return fail("%s: a station's name has 1 to 64 of A to Z, a to z, 0 to 9 "
                "and . - _, unlike '%s'",
                reader->file, name);
}

/* ---- the file ---------------------------------------------------------- */

static enum exit_code read_file(struct reader *reader)
{
    enum exit_code code = EXIT_DONE;
    const char *data = NULL;
    long line = 0;

    if (access(reader->file, R_OK))
        return fail("%s cannot be read; devid-station init --dir %s --name "
                    "NAME makes a station",
                    reader->file, reader->config->dir);
    if (NCONF_load(reader->conf, reader->file, &line) != 1) {
        (void)ERR_peek_last_error_all(NULL, NULL, NULL, &data, NULL);
        code = fail("%s: line %ld is neither [section], nor name = value, nor "
                    "# a comment%s%s",
                    reader->file, line, data && *data ? ": " : "",
                    data ? data : "");
        ERR_clear_error();
        return code;
    }
    code = check_names(reader);
    if (code == EXIT_DONE)
        code = config_check_twice(reader->file);
    for (int i = 0; code == EXIT_DONE && i < SETTINGS; i++)
        code = take(reader, &settings[i]);
    if (code == EXIT_DONE)
        code = check_name(reader);
    if (code == EXIT_DONE)
        code = est_labels(reader->conf, reader->file, reader->config);
    reader->config->device = take_pairs(reader, DEVICE);
    reader->config->stations = take_pairs(reader, STATIONS);
    return code;
}

enum exit_code config_load(const struct args *args, struct config *config)
{
    struct reader reader = {.config = config};
    const char *dir = config_dir(args);
    char here[4096] = "";
    enum exit_code code;
    char *file;

    *config = (struct config){0};
    if (*dir != '/' && !getcwd(here, sizeof(here)))
        return fail("the working directory has no name");
    config->dir = config_path(here, dir);
    file = config_path(config->dir, STATION_CONF);
    reader.file = file;
    reader.conf = NCONF_new(NULL);
    if (!reader.conf)
        die_no_memory();
    config->file = reader.conf;
    code = read_file(&reader);
    OPENSSL_free(file);
    if (code != EXIT_DONE)
        config_clear(config);
    return code;
}

void config_clear(struct config *config)
{
    for (int i = 0; i < SETTINGS; i++) {
        if (settings[i].kind != NUMBER && settings[i].kind != FLAG)
            OPENSSL_free(
                *(char **)(void *)((char *)config + settings[i].offset));
    }
    est_labels_free(config);
    OPENSSL_free(config->dir);
    OPENSSL_free(config->device);
    OPENSSL_free(config->stations);
    NCONF_free(config->file);
    *config = (struct config){0};
}
