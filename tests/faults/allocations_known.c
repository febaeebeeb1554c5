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

/*
 * A fetch makes all methods of a provider for one operation and remembers that
 * it has: what it had no memory for is missing from then on, in
 * ossl_method_construct() and below. So where one of these was called, ...
 */
static const char *const fetches[] = {
    "PEM_read_bio_PrivateKey_ex by others",
    "EVP_DigestSignInit by others",
    "EVP_MD_fetch by devid",
    "RAND_bytes_ex by others", /* SoftHSM */
    "? by others",             /* EVP_PKEY_CTX_new_from_name, ... */
    "? by devid",              /* EVP_KEYMGMT_fetch, EVP_SIGNATURE_fetch */
};

/* ... and memory was asked for here, what comes next fails, or nothing is told.
 * A sk_push() or a fetch of devid's that is not looked at is none of these. */
static const char *const fetched[] = {
    "crypto/core_algorithm.c",
    "crypto/core_namemap.c",
    "crypto/encode_decode/decoder_meth.c",
    "crypto/evp/evp_enc.c",
    "crypto/evp/keymgmt_meth.c",
    "crypto/evp/signature.c",
    "crypto/property/",
    "crypto/stack/stack.c",
    "crypto/threads_pthread.c",
};

static bool is_in(const char *place, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strncmp(place, list[i], strlen(list[i])) == 0)
            return true;
    }
    return false;
}

static bool is_of_a_fetch(const char *place, const char *entry)
{
    return is_in(entry, fetches, sizeof(fetches) / sizeof(fetches[0])) &&
           is_in(place, fetched, sizeof(fetched) / sizeof(fetched[0]));
}

bool place_is_ours(const char *place)
{
    return strncmp(place, "engine/", 7) == 0 ||
           strncmp(place, "provider/", 9) == 0;
}

bool place_is_known(const char *place, enum end end, const char *entry)
{
    if ((end == END_AFTER || end == END_WRONG || end == END_UNTOLD) &&
        is_of_a_fetch(place, entry))
        return true;
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
