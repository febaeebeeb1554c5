/* SPDX-License-Identifier: Apache-2.0 */
/* Failed allocations that end badly in the code of others. */
#include "allocations.h"

#include <stddef.h>
#include <string.h>

/*
 * What OpenSSL 3.0 and a token's module do in their own code, by the place that
 * asks for memory. A key of its own, with no devid about, shows the same:
 * allocations NAME SOFTWARE-KEY, with OPENSSL_CONF=/dev/null.
 */
#define NEVER_AGAIN "made once: where that failed it is not tried again"
#define PIN_WRONG "it says that the PIN is wrong: not tried again"
#define SILENT "fails and raises no error"
static const struct known {
    const char *place; /* how it begins */
    enum end end;
    const char *reason;
} known[] = {
    {"crypto/core_namemap.c", END_AFTER, NEVER_AGAIN},
    {"crypto/lhash/lhash.c", END_AFTER, NEVER_AGAIN},
    {"crypto/sparse_array.c", END_AFTER, NEVER_AGAIN},
    {"crypto/threads_pthread.c", END_AFTER, NEVER_AGAIN},
    {"crypto/property/property.c", END_AFTER, NEVER_AGAIN},
    {"crypto/provider_core.c", END_AFTER, NEVER_AGAIN},
    {"crypto/rand/rand_lib.c", END_AFTER, NEVER_AGAIN},
    {"crypto/evp/evp_rand.c", END_AFTER, NEVER_AGAIN},
    {"crypto/evp/digest.c", END_UNTOLD, SILENT},
    {"crypto/evp/pmeth_lib.c", END_UNTOLD, SILENT},
    {"crypto/params.c", END_UNTOLD, SILENT},
    {"providers/implementations/encode_decode/", END_UNTOLD, SILENT},
    {"crypto/property/property_string.c", END_LEAK,
     "forgets a name that it could not enter"},
    /* SoftHSM 2.6 asks OpenSSL. */
    {"crypto/ec/ec_kmeth.c", END_CRASH, "its C_SignInit takes NULL for a key"},
    {"crypto/evp/digest.c", END_AFTER, PIN_WRONG},
    {"providers/implementations/digests/", END_AFTER, PIN_WRONG},
    {"providers/implementations/ciphers/", END_AFTER, PIN_WRONG},
};

bool place_is_ours(const char *place)
{
    return strncmp(place, "engine/", 7) == 0 ||
           strncmp(place, "provider/", 9) == 0;
}

bool place_is_known(const char *place, enum end end)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].end == end &&
            strncmp(place, known[i].place, strlen(known[i].place)) == 0 &&
            !place_is_ours(place))
            return true;
    }
    return false;
}

const char *place_in_tree(const char *file)
{
    static const char *const ours[] = {"/engine/", "/provider/"};

    if (file == NULL)
        return "?";
    for (size_t i = 0; *file == '/' && i < 2; i++) {
        const char *found = strstr(file, ours[i]);

        if (found != NULL)
            return found + 1;
    }
    return strncmp(file, "../", 3) == 0 ? file + 3 : file;
}
