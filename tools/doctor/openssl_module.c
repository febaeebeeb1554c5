/* SPDX-License-Identifier: Apache-2.0 */
/* A provider's module: is it there, does it load, is it for this OpenSSL? */
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <string.h>

#include <openssl/crypto.h>

#include "openssl_check.h"
#include "report.h"

/* The libcrypto that a loaded object asks for: "libcrypto.so.3"; or NULL. */
static const char *needed_libcrypto(void *library)
{
    const struct link_map *map = NULL;
    const char *names = NULL;

    if (dlinfo(library, RTLD_DI_LINKMAP, &map) || !map)
        return NULL;
    for (const ElfW(Dyn) *at = map->l_ld; at->d_tag != DT_NULL; at++) {
        if (at->d_tag == DT_STRTAB)
            /* glibc has made an address of it; NOLINTNEXTLINE */
            names = (const char *)at->d_un.d_ptr;
    }
    for (const ElfW(Dyn) *at = map->l_ld; names && at->d_tag != DT_NULL; at++) {
        if (at->d_tag == DT_NEEDED &&
            strncmp(names + at->d_un.d_val, "libcrypto.so", 12) == 0)
            return names + at->d_un.d_val;
    }
    return NULL;
}

/* The one that this program has, by the name of its file. */
static const char *own_libcrypto(void)
{
    Dl_info info;
    const char *slash;

    /* A function's address as an object's, as dladdr wants it. */
    union {
        const char *(*function)(int);
        const void *address;
    } any = {.function = OpenSSL_version};

    if (!dladdr(any.address, &info) || !info.dli_fname)
        return "";
    slash = strrchr(info.dli_fname, '/');
    return slash ? slash + 1 : info.dli_fname;
}

static void try_to_load(json_t *report, const char *path)
{
    const char *needs;
    void *library;

    devid_foreign_enter(path, "its constructors");
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    devid_foreign_leave();
    if (!library) {
        report_text(report, "load_error", dlerror());
        return;
    }
    report_flag(report, "loads", true);
    report_flag(report, "is_provider",
                dlsym(library, "OSSL_provider_init") != NULL);
    needs = needed_libcrypto(library);
    report_text(report, "needs", needs);
    report_text(report, "has", own_libcrypto());
    devid_foreign_enter(path, "its destructors");
    dlclose(library);
    devid_foreign_leave();
}

json_t *look_at_module(const struct doctor *doctor, const char *path)
{
    json_t *report = look_at_file(doctor, path);

    if (fact_flag(report, "exists") && !*doctor->root)
        try_to_load(report, path);
    return report;
}

void judge_module(struct doctor *doctor, const json_t *module, const char *name,
                  const char *conf)
{
    const char *path = report_get(module, "path");
    const char *needs = report_get(module, "needs");
    const char *has = report_get(module, "has");

    if (!fact_flag(module, "exists"))
        is_bad(doctor, "openssl.module",
               words(doctor,
                     "%s lists provider %s, whose module %s is not "
                     "there",
                     conf, name, path),
               "its keys are found by no program that reads this file",
               words(doctor, "install it, or mend 'module =' in %s", conf));
    else if (*report_get(module, "load_error"))
        is_bad(doctor, "openssl.module",
               words(doctor, "the module of provider %s does not load: %s",
                     name, report_get(module, "load_error")),
               "it is for another OpenSSL or another system",
               "install the one that was built for this system");
    else if (*needs && *has && strcmp(needs, has) != 0)
        is_bad(doctor, "openssl.module",
               words(doctor, "%s is linked with %s, and programs here have %s",
                     path, needs, has),
               "two OpenSSL in one program crash it",
               "install the one that was built for this OpenSSL");
    else if (fact_flag(module, "loads") && !fact_flag(module, "is_provider"))
        is_bad(doctor, "openssl.module",
               words(doctor, "%s is no provider: it has no OSSL_provider_init",
                     path),
               "it may be an engine of OpenSSL 1.1",
               words(doctor, "mend 'module =' in %s", conf));
    else if (!fact_flag(module, "link") && (file_mode(module) & 0022u) != 0)
        is_bad(doctor, "openssl.module",
               words(doctor,
                     "%s may be written by others than its owner "
                     "(mode %s)",
                     path, report_get(module, "mode")),
               "they run code in every program that loads it",
               words(doctor, "chmod go-w %s", path));
}
