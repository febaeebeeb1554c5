/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules by p11-kit, managed: several users of a process share one module.
 * Never by p11-kit-proxy, through which an operation takes thrice the calls.
 */
#include "keyuri.h"
#include "module.h"

#include "../libcrypto.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

/* What a module does while it is loaded. */
#define LOADING "its constructors"

static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;
static struct p11_module *loaded;
static bool registry_loaded;

void p11_load_lock(void)
{
    pthread_mutex_lock(&load_lock);
}

void p11_load_unlock(void)
{
    pthread_mutex_unlock(&load_lock);
}

struct p11_module *p11_loaded(void)
{
    return loaded;
}

/* A module stays for good: its threads and handlers may be anywhere. */
static enum devid_err add(CK_FUNCTION_LIST *f, const char *path,
                          const char *name, struct devid_error *err)
{
    struct p11_module *m = OPENSSL_zalloc(sizeof(*m));

    if (m == NULL)
        return devid_no_memory(err);
    m->f = f;
    m->path = path == NULL ? NULL : OPENSSL_strdup(path);
    m->name = name == NULL ? NULL : OPENSSL_strdup(name);
    if ((path != NULL && m->path == NULL) ||
        (name != NULL && m->name == NULL) ||
        pthread_mutex_init(&m->lock, NULL) != 0) {
        OPENSSL_free(m->path);
        OPENSSL_free(m->name);
        OPENSSL_free(m);
        return devid_no_memory(err);
    }
    m->restarts = P11_RESTARTS_MAX;
    m->next = loaded;
    loaded = m;
    return DEVID_OK;
}

static enum devid_err load_path(const char *path, struct devid_error *err)
{
    CK_FUNCTION_LIST *f;
    const char *why;

    for (struct p11_module *m = loaded; m != NULL; m = m->next) {
        if (m->path != NULL && strcmp(m->path, path) == 0)
            return DEVID_OK;
    }
    devid_quiet_begin();
    devid_foreign_enter(path, LOADING);
    f = p11_kit_module_load(path, 0);
    devid_foreign_leave();
    devid_quiet_end();
    if (f != NULL)
        return add(f, path, NULL, err);
    why = p11_kit_message();
    return devid_fail(err, DEVID_ERR_NO_DEVICE, 0,
                      "the PKCS#11 module '%.200s' does not load (%.200s): see "
                      "module-path in the key's URI, or the setting "
                      "pkcs11-module",
                      path, why != NULL ? why : "p11-kit does not say why");
}

/* Certificates of authorities that the system trusts are no device's. */
static bool is_trust_module(CK_FUNCTION_LIST *f)
{
    char *option = p11_kit_config_option(f, "trust-policy");
    bool trust = option != NULL && strcmp(option, "yes") == 0;

    free(option); /* p11-kit's, of malloc */
    return trust;
}

static enum devid_err load_registry(struct devid_error *err)
{
    CK_FUNCTION_LIST **list;
    enum devid_err e = DEVID_OK;

    if (registry_loaded)
        return DEVID_OK;
    devid_quiet_begin();
    devid_foreign_enter("of p11-kit's registry", LOADING);
    list = p11_kit_modules_load(NULL, 0);
    devid_foreign_leave();
    devid_quiet_end();
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        char *name = p11_kit_module_get_name(list[i]);

        if (e != DEVID_OK || is_trust_module(list[i]))
            p11_kit_module_release(list[i]);
        else
            e = add(list[i], NULL, name, err);
        free(name); /* p11-kit's, of malloc */
    }
    free(list); /* the array alone: the modules stay */
    registry_loaded = e == DEVID_OK;
    return e;
}

/* ---- modules that key files name ------------------------------------- */

/* Are two paths one library? */
static bool is_same_file(const char *a, const char *b)
{
    struct stat first;
    struct stat second;

    return strcmp(a, b) == 0 ||
           (stat(a, &first) == 0 && stat(b, &second) == 0 &&
            first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

/* As a setting or a URI of the administrator's had it loaded; or NULL. */
static const char *loaded_as(const char *path)
{
    const char *known = NULL;

    for (struct p11_module *m = loaded; m != NULL; m = m->next) {
        if (m->path == NULL || !is_same_file(m->path, path))
            continue;
        known = m->path;
        if (strcmp(known, path) == 0)
            break;
    }
    return known;
}

/* As p11-kit's configuration has it; OPENSSL_malloc, or NULL. */
static char *registered_as(const char *path)
{
    char *known = NULL;

    for (struct p11_module *m = loaded; m != NULL && known == NULL;
         m = m->next) {
        char *file = m->path == NULL ? p11_kit_module_get_filename(m->f) : NULL;

        if (file != NULL && is_same_file(file, path))
            known = OPENSSL_strdup(file);
        free(file); /* p11-kit's, of malloc */
    }
    return known;
}

enum devid_err p11_module_check_file(const char *setting, const char *path,
                                     char **known, struct devid_error *err)
{
    const char *as = NULL;

    *known = NULL;
    p11_watch_forks();
    p11_load_lock();
    as = loaded_as(path);
    if (as == NULL && setting != NULL && is_same_file(setting, path))
        as = setting;
    if (as != NULL)
        *known = OPENSSL_strdup(as);
    else if (load_registry(NULL) == DEVID_OK)
        *known = registered_as(path);
    p11_load_unlock();
    if (*known != NULL)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "the key file names the PKCS#11 module '%.200s', and no "
                      "library is loaded on a key file's word alone: where it "
                      "is the right one, put pkcs11-module = %.200s into "
                      "devid's section of openssl.cnf, or have devid's "
                      "commands take it by --module or DEVID_PKCS11_MODULE",
                      path, path);
}

static bool is_chosen(const struct p11_module *m, const char *path,
                      const char *name)
{
    if (path != NULL)
        return m->path != NULL && strcmp(m->path, path) == 0;
    return m->path == NULL &&
           (name == NULL || (m->name != NULL && strcmp(m->name, name) == 0));
}

static enum devid_err collect(const char *path, const char *name,
                              struct p11_choice *choice,
                              struct devid_error *err)
{
    size_t count = 0;

    for (struct p11_module *m = loaded; m != NULL; m = m->next)
        count += is_chosen(m, path, name);
    if (count == 0 && name != NULL)
        return devid_fail(err, DEVID_ERR_NO_DEVICE, 0,
                          "p11-kit has no module named '%.100s': p11-kit "
                          "list-modules shows those there are, and "
                          "module-path names one by its file",
                          name);
    if (count == 0)
        return devid_fail(err, DEVID_ERR_NO_DEVICE, 0,
                          "no PKCS#11 module is registered with p11-kit: name "
                          "one by module-path in the URI, or by the setting "
                          "pkcs11-module");
    choice->modules = OPENSSL_zalloc(count * sizeof(struct p11_module *));
    if (choice->modules == NULL)
        return devid_no_memory(err);
    for (struct p11_module *m = loaded; m != NULL; m = m->next) {
        if (is_chosen(m, path, name))
            choice->modules[choice->count++] = m;
    }
    return DEVID_OK;
}

enum devid_err p11_choose(const char *path, const char *name,
                          struct p11_choice *choice, struct devid_error *err)
{
    enum devid_err e;

    memset(choice, 0, sizeof(*choice));
    p11_watch_forks();
    p11_load_lock();
    e = path != NULL ? load_path(path, err) : load_registry(err);
    if (e == DEVID_OK)
        e = collect(path, name, choice, err);
    p11_load_unlock();
    return e;
}
