/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of key algorithms and hashes: a new one is a row. */
#include "algorithm.h"
#include "libcrypto.h"

#include <openssl/evp.h>
#include <openssl/objects.h>

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Security bits: NIST SP 800-57 Part 1, table 2; RSA-4096 as OpenSSL says. */
static const struct devid_algorithm algorithms[] = {
    {"ec-p256", DEVID_KEY_EC, 256, "prime256v1", "P-256", 32, 128},
    {"ec-p384", DEVID_KEY_EC, 384, "secp384r1", "P-384", 48, 192},
    {"ec-p521", DEVID_KEY_EC, 521, "secp521r1", "P-521", 66, 256},
    {"rsa-2048", DEVID_KEY_RSA, 2048, NULL, NULL, 256, 112},
    {"rsa-3072", DEVID_KEY_RSA, 3072, NULL, NULL, 384, 128},
    {"rsa-4096", DEVID_KEY_RSA, 4096, NULL, NULL, 512, 152},
    {"rsa-pss-2048", DEVID_KEY_RSA_PSS, 2048, NULL, NULL, 256, 112},
    {"rsa-pss-3072", DEVID_KEY_RSA_PSS, 3072, NULL, NULL, 384, 128},
    {"rsa-pss-4096", DEVID_KEY_RSA_PSS, 4096, NULL, NULL, 512, 152},
    {"ed25519", DEVID_KEY_ED25519, 256, NULL, NULL, 32, 128},
    {NULL, DEVID_KEY_EC, 0, NULL, NULL, 0, 0},
};

static const struct devid_hash hashes[] = {
    {"SHA1", NID_sha1, 20},
    {"SHA2-224", NID_sha224, 28},
    {"SHA2-256", NID_sha256, 32},
    {"SHA2-384", NID_sha384, 48},
    {"SHA2-512", NID_sha512, 64},
    {"SHA2-512/224", NID_sha512_224, 28},
    {"SHA2-512/256", NID_sha512_256, 32},
    {"SHA3-224", NID_sha3_224, 28},
    {"SHA3-256", NID_sha3_256, 32},
    {"SHA3-384", NID_sha3_384, 48},
    {"SHA3-512", NID_sha3_512, 64},
    {"MD5-SHA1", NID_md5_sha1, 36},
    {NULL, NID_undef, 0},
};

const struct devid_algorithm *devid_algorithms(void)
{
    return algorithms;
}

static bool is_name(const char *name, const char *known)
{
    return known != NULL && strcasecmp(name, known) == 0;
}

const struct devid_algorithm *devid_algorithm_by_name(const char *name)
{
    const struct devid_algorithm *a;

    if (name == NULL)
        return NULL;
    for (a = algorithms; a->name != NULL; a++) {
        if (is_name(name, a->name) || is_name(name, a->curve) ||
            is_name(name, a->group))
            return a;
    }
    return NULL;
}

const struct devid_algorithm *devid_algorithm_find(enum devid_key_type type,
                                                   unsigned bits)
{
    const struct devid_algorithm *a;

    for (a = algorithms; a->name != NULL; a++) {
        if (a->type == type && a->bits == bits)
            return a;
    }
    return NULL;
}

bool devid_public_equal(const struct devid_public *a,
                        const struct devid_public *b)
{
    size_t len = a->coordinate_len;

    if (a->type != b->type || a->bits != b->bits || len != b->coordinate_len)
        return false;
    if (devid_key_kind(a->type)->is_rsa) {
        return len <= sizeof(a->modulus) && a->exponent == b->exponent &&
               memcmp(a->modulus, b->modulus, len) == 0;
    }
    return len <= sizeof(a->x) && memcmp(a->x, b->x, len) == 0 &&
           memcmp(a->y, b->y, len) == 0;
}

const struct devid_hash *devid_hashes(void)
{
    return hashes;
}

static const struct devid_hash *hash_by_nid(int nid)
{
    const struct devid_hash *h;

    if (nid == NID_undef)
        return NULL;
    for (h = hashes; h->name != NULL; h++) {
        if (h->nid == nid)
            return h;
    }
    return NULL;
}

/* Equal but for case and for where people put '-' and '/'. */
static bool is_spelling_of(const char *name, const char *known)
{
    for (;; name++, known++) {
        while (*name == '-' || *name == '/')
            name++;
        while (*known == '-' || *known == '/')
            known++;
        if (toupper((unsigned char)*name) != toupper((unsigned char)*known))
            return false;
        if (*name == '\0')
            return true;
    }
}

/* OIDs, and old names such as "RSA-SHA256"; fetches nothing. */
static const struct devid_hash *hash_by_libcrypto(const char *name)
{
    const struct devid_hash *h;
    const EVP_MD *md;

    devid_quiet_begin();
    h = hash_by_nid(OBJ_txt2nid(name));
    if (h == NULL) {
        md = EVP_get_digestbyname(name);
        h = md == NULL ? NULL : hash_by_nid(EVP_MD_get_type(md));
    }
    devid_quiet_end();
    return h;
}

const struct devid_hash *devid_hash_by_name(const char *name)
{
    const struct devid_hash *h;

    if (name == NULL || *name == '\0')
        return NULL;
    for (h = hashes; h->name != NULL; h++) {
        if (is_spelling_of(name, h->name) ||
            is_spelling_of(name, OBJ_nid2sn(h->nid)))
            return h;
    }
    return hash_by_libcrypto(name);
}
