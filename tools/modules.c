/* SPDX-License-Identifier: Apache-2.0 */
#include "modules.h"

#include <dlfcn.h>
#include <p11-kit/p11-kit.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

static void add(struct modules *modules, const char *path)
{
    char **paths =
        realloc(modules->paths, (modules->count + 1) * sizeof(*paths));

    if (!paths)
        die_no_memory();
    modules->paths = paths;
    paths[modules->count] = strdup(path);
    if (!paths[modules->count++])
        die_no_memory();
}

/* libp11 would print why a file does not load, and more than a sentence. */
static enum exit_code check_file(const char *path)
{
    enum exit_code code = EXIT_DONE;
    void *library;
    void *list;

    devid_foreign_enter(path, "its constructors");
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    list = library ? dlsym(library, "C_GetFunctionList") : NULL;
    devid_foreign_leave();
    if (!library)
        code = fail("the PKCS#11 module does not load: %s", dlerror());
    else if (!list)
        code =
            fail("%s is no PKCS#11 module: it has no C_GetFunctionList", path);
    if (library)
        dlclose(library);
    return code;
}

/* "yes" in the module's own file: it holds CA certificates, not keys. */
static bool is_trust_module(CK_FUNCTION_LIST *module)
{
    char *option = p11_kit_config_option(module, "trust-policy");
    bool yes = option && strcmp(option, "yes") == 0;

    free(option);
    return yes;
}

static bool is_wanted(CK_FUNCTION_LIST *module, const char *name)
{
    char *own = p11_kit_module_get_name(module);
    bool wanted =
        name ? own && strcmp(own, name) == 0 : !is_trust_module(module);

    free(own);
    return wanted;
}

enum exit_code modules_find(const char *path, const char *name,
                            struct modules *modules)
{
    CK_FUNCTION_LIST **list;

    *modules = (struct modules){0};
    if (path) {
        add(modules, path);
        return check_file(path);
    }
    list = p11_kit_modules_load(NULL, 0);
    if (!list)
        return fail("p11-kit cannot load its PKCS#11 modules: %s",
                    p11_kit_message());
    for (CK_FUNCTION_LIST **at = list; *at; at++) {
        char *file =
            is_wanted(*at, name) ? p11_kit_module_get_filename(*at) : NULL;
        if (file)
            add(modules, file);
        free(file);
    }
    p11_kit_modules_release(list);
    if (modules->count > 0)
        return EXIT_DONE;
    if (name)
        return fail("p11-kit knows no PKCS#11 module %s: 'p11-kit "
                    "list-modules' prints those that it knows",
                    name);
    return fail("p11-kit knows no PKCS#11 module that holds keys: give one by "
                "--module");
}

void modules_clear(struct modules *modules)
{
    for (size_t i = 0; i < modules->count; i++)
        free(modules->paths[i]);
    free(modules->paths);
    *modules = (struct modules){0};
}
