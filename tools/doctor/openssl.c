/* SPDX-License-Identifier: Apache-2.0 */
/* Which openssl.cnf there are, and what they say of providers. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "openssl_check.h"
#include "report.h"

/* "1.activate" is how OpenSSL lets a name stand twice in a section. */
static const char *after_dot(const char *name)
{
    const char *dot = strchr(name, '.');

    return dot ? dot + 1 : name;
}

/* Where OpenSSL finds a provider that names no module, or no path. */
static void module_path(const char *name, const char *module, char *path)
{
    const char *folder = getenv("OPENSSL_MODULES");

    if (module && *module == '/')
        (void)snprintf(path, PATH_MAX, "%s", module);
    else
        (void)snprintf(path, PATH_MAX, "%s/%s%s",
                       folder ? folder : DEVID_MODULES_DIR,
                       module ? module : name, module ? "" : ".so");
}

static bool is_built_in(const char *name)
{
    return strcmp(name, "default") == 0 || strcmp(name, "base") == 0 ||
           strcmp(name, "null") == 0;
}

/* Only names of settings: a secret may stand in the wrong place. */
static void put_settings(json_t *report, const CONF *conf, const char *section)
{
    static const char *const known[] = {"activate", "module", "identity",
                                        "soft_load"};
    const STACK_OF(CONF_VALUE) *rows = NCONF_get_section(conf, section);
    json_t *settings = report_array();

    for (int i = 0; rows && i < sk_CONF_VALUE_num(rows); i++) {
        const CONF_VALUE *row = sk_CONF_VALUE_value(rows, i);
        const char *name = after_dot(row->name);
        bool own = true;

        for (size_t j = 0; j < sizeof(known) / sizeof(*known); j++)
            own = own && strcmp(name, known[j]) != 0;
        /* A Name is the hash of a public key. */
        if (strcmp(name, "tpm2-parent-name") == 0)
            report_text(report, "parent_name", row->value);
        if (own)
            report_append_text(settings, row->name);
        else if (strcmp(name, "soft_load") != 0)
            report_text(report, name, row->value);
    }
    report_value(report, "settings", settings);
}

static json_t *look_at_provider(const struct doctor *doctor, const CONF *conf,
                                const CONF_VALUE *row)
{
    json_t *report = report_new();
    char path[PATH_MAX];
    const char *name;
    const char *module;

    report_text(report, "section", row->value);
    put_settings(report, conf, row->value);
    name = report_get(report, "identity");
    name = *name ? name : after_dot(row->name);
    report_text(report, "name", name);
    module = report_get(report, "module");
    if (!is_built_in(name)) {
        module_path(name, *module ? module : NULL, path);
        report_value(report, "file", look_at_module(doctor, path));
    }
    return report;
}

static void put_conf(const struct doctor *doctor, json_t *report,
                     const CONF *conf)
{
    const char *init = NCONF_get_string(conf, NULL, "openssl_conf");
    const char *list = init ? NCONF_get_string(conf, init, "providers") : NULL;
    const char *algs =
        init ? NCONF_get_string(conf, init, "alg_section") : NULL;
    STACK_OF(CONF_VALUE) *rows = list ? NCONF_get_section(conf, list) : NULL;
    json_t *providers = report_array();

    report_text(report, "init", init);
    if (algs)
        report_text(report, "default_properties",
                    NCONF_get_string(conf, algs, "default_properties"));
    for (int i = 0; rows && i < sk_CONF_VALUE_num(rows); i++)
        report_append(
            providers,
            look_at_provider(doctor, conf, sk_CONF_VALUE_value(rows, i)));
    report_value(report, "providers", providers);
}

static void put_error(json_t *report, long line)
{
    char text[300];
    const char *data = NULL;
    int flags = 0;
    unsigned long code =
        ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags);
    const char *reason = ERR_reason_error_string(code);

    (void)snprintf(text, sizeof(text), "line %ld: %s%s%s", line,
                   reason ? reason : "it cannot be read",
                   data && *data ? ": " : "", data ? data : "");
    report_text(report, "error", text);
}

/*
 * What another system's file includes would be looked for in this one:
 * directives, which begin with a dot, are passed over.
 */
static int load_of_root(const struct doctor *doctor, CONF *conf,
                        const char *path, long *line)
{
    char *text = read_text(doctor, path);
    BIO *in = text ? BIO_new_mem_buf(text, -1) : NULL;
    int ok;

    for (char *at = text; at && *at; at += strcspn(at, "\n")) {
        at += strspn(at, " \t\r\n\v\f");
        if (*at == '.')
            *at = '#';
    }
    ok = in ? NCONF_load_bio(conf, in, line) : 0;
    BIO_free(in);
    free(text);
    return ok;
}

static void look_at_conf(const struct doctor *doctor, json_t *list,
                         const char *path, const char *named_by)
{
    json_t *report = report_new();
    CONF *conf = NCONF_new(NULL);
    char full[PATH_MAX];
    long line = -1;

    path_below(doctor, path, full);
    report_text(report, "path", path);
    report_text(report, "named_by", named_by);
    report_value(report, "file", look_at_file(doctor, path));
    if (!fact_flag(json_object_get(report, "file"), "exists"))
        report_flag(report, "missing", true);
    else if (conf && (*doctor->root ? load_of_root(doctor, conf, path, &line)
                                    : NCONF_load(conf, full, &line)) == 1)
        put_conf(doctor, report, conf);
    else
        put_error(report, line);
    NCONF_free(conf);
    ERR_clear_error();
    report_append(list, report);
}

/* By what it is, not by its name: OpenSSL's default is often a link. */
static bool is_listed(const struct doctor *doctor, const json_t *list,
                      const char *path)
{
    char full[PATH_MAX];
    char other[PATH_MAX];
    char *real;
    bool found = false;
    const json_t *conf;
    size_t i;

    path_below(doctor, path, full);
    real = realpath(full, NULL);
    json_array_foreach(list, i, conf)
    {
        char *its;

        path_below(doctor, report_get(conf, "path"), other);
        its = realpath(other, NULL);
        found = found || strcmp(its ? its : other, real ? real : full) == 0;
        free(its);
    }
    free(real);
    return found;
}

static void add_conf(const struct doctor *doctor, json_t *list,
                     const char *path, const char *named_by)
{
    if (path && *path == '/' && !is_listed(doctor, list, path))
        look_at_conf(doctor, list, path, named_by);
}

static void look_openssl(struct doctor *doctor, json_t *facts)
{
    json_t *list = report_array();
    char own[PATH_MAX];
    const json_t *unit;
    size_t i;

    report_text(facts, "version", OpenSSL_version(OPENSSL_FULL_VERSION_STRING));
    (void)snprintf(own, sizeof(own), "%s/openssl.cnf",
                   X509_get_default_cert_area());
    if (!*doctor->root)
        add_conf(doctor, list, getenv("OPENSSL_CONF"), "OPENSSL_CONF");
    json_array_foreach(json_object_get(facts_of(doctor, "service"), "units"), i,
                       unit)
        add_conf(doctor, list, report_get(unit, "openssl_conf"),
                 report_get(unit, "name"));
    add_conf(doctor, list, *doctor->root ? "/etc/ssl/openssl.cnf" : own,
             "OpenSSL's default");
    add_conf(doctor, list, "/etc/devid/openssl.cnf", "devid");
    report_value(facts, "files", list);
}

const struct theme openssl_theme = {
    .name = "openssl",
    .look = look_openssl,
    .judge = judge_openssl,
};
