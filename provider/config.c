/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings in the provider's section of openssl.cnf.
 *
 * The core tells a provider the value of a setting that it asks for by name,
 * but not which others there are. A misspelt `tctii = ...` would be ignored,
 * and the wrong device used, without a word. So the default configuration
 * file is read once more, only for the names in our section.
 */
#include "prov.h"

#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <stdio.h>
#include <string.h>

#define SETTINGS_MAX 32

/* What OpenSSL itself reads in any provider's section. */
static const char *const openssl_settings[] = {"identity", "module", "activate",
                                               "soft_load", NULL};

static enum devid_err take_settings(struct prov_ctx *ctx,
                                    struct devid_error *err)
{
    const struct devid_setting *settings = devid_settings();
    OSSL_PARAM params[SETTINGS_MAX + 1];
    char *values[SETTINGS_MAX] = {NULL};
    enum devid_err e = DEVID_OK;
    size_t n = 0;

    for (; settings[n].name != NULL && n < SETTINGS_MAX; n++)
        params[n] =
            OSSL_PARAM_construct_utf8_ptr(settings[n].name, &values[n], 0);
    params[n] = OSSL_PARAM_construct_end();
    if (ctx->core.get_params(ctx->handle, params) != 1)
        return DEVID_OK; /* the core knows no settings at all */
    for (size_t i = 0; e == DEVID_OK && i < n; i++) {
        if (values[i] != NULL)
            e = devid_set(ctx->engine, settings[i].name, values[i], err);
    }
    return e;
}

/* OpenSSL takes its own names so, "1.activate"; a provider's, in full. */
static const char *after_dot(const char *name)
{
    const char *dot = strchr(name, '.');

    return dot == NULL ? name : dot + 1;
}

static bool is_known(const char *name)
{
    const struct devid_setting *s;

    for (size_t i = 0; openssl_settings[i] != NULL; i++) {
        if (strcmp(after_dot(name), openssl_settings[i]) == 0)
            return true;
    }
    for (s = devid_settings(); s->name != NULL; s++) {
        if (strcmp(name, s->name) == 0)
            return true;
    }
    return false;
}

static enum devid_err unknown_setting(const char *file, const char *section,
                                      const char *name, struct devid_error *err)
{
    const struct devid_setting *s = devid_settings();
    int at = snprintf(err->text, sizeof(err->text),
                      "%.200s, section [%.60s]: unknown setting '%.60s'; devid "
                      "knows",
                      file, section, name);

    for (; s->name != NULL; s++) {
        if (at < 0 || (size_t)at >= sizeof(err->text))
            break;
        at += snprintf(err->text + at, sizeof(err->text) - (size_t)at, " %s%s",
                       s->name, s[1].name != NULL ? "," : "");
    }
    return DEVID_ERR_INPUT;
}

/* The section of the provider that the core calls `identity`; or NULL. */
static const char *find_section(const CONF *conf, const char *identity)
{
    const char *init = NCONF_get_string(conf, NULL, "openssl_conf");
    const char *list =
        init != NULL ? NCONF_get_string(conf, init, "providers") : NULL;
    STACK_OF(CONF_VALUE) *rows =
        list != NULL ? NCONF_get_section(conf, list) : NULL;

    for (int i = 0; rows != NULL && i < sk_CONF_VALUE_num(rows); i++) {
        const CONF_VALUE *row = sk_CONF_VALUE_value(rows, i);
        const char *name = NCONF_get_string(conf, row->value, "identity");

        if (strcmp(name != NULL ? name : after_dot(row->name), identity) == 0)
            return row->value;
    }
    return NULL;
}

static enum devid_err check_names(const CONF *conf, const char *file,
                                  const char *identity, struct devid_error *err)
{
    const char *section = find_section(conf, identity);
    STACK_OF(CONF_VALUE) *rows =
        section != NULL ? NCONF_get_section(conf, section) : NULL;

    for (int i = 0; rows != NULL && i < sk_CONF_VALUE_num(rows); i++) {
        const char *name = sk_CONF_VALUE_value(rows, i)->name;

        if (!is_known(name))
            return unknown_setting(file, section, name, err);
    }
    return DEVID_OK;
}

/* A file that cannot be read is not ours to complain about. */
static enum devid_err check_file(const struct prov_ctx *ctx,
                                 struct devid_error *err)
{
    char *identity = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_CORE_PROV_NAME, &identity, 0),
        OSSL_PARAM_END,
    };
    CONF *conf = NCONF_new_ex(ctx->libctx, NULL);
    char *file = CONF_get1_default_config_file();
    enum devid_err e = DEVID_OK;

    if (conf != NULL && file != NULL &&
        ctx->core.get_params(ctx->handle, params) == 1 && identity != NULL &&
        NCONF_load(conf, file, NULL) == 1)
        e = check_names(conf, file, identity, err);
    OPENSSL_free(file);
    NCONF_free(conf);
    return e;
}

enum devid_err prov_configure(struct prov_ctx *ctx, struct devid_error *err)
{
    enum devid_err e = take_settings(ctx, err);

    if (e != DEVID_OK)
        return e;
    ERR_set_mark();
    e = check_file(ctx, err);
    ERR_pop_to_mark();
    return e;
}
