/* SPDX-License-Identifier: Apache-2.0 */
#include "sigalgs.h"

#include <string.h>

#define EC(name, openssl, hash, bits)                                          \
    {                                                                          \
        name, openssl, DEVID_KEY_EC, DEVID_ECDSA, hash, bits                   \
    }
#define PKCS1(name, openssl, hash)                                             \
    {                                                                          \
        name, openssl, DEVID_KEY_RSA, DEVID_RSA_PKCS1, hash, 0                 \
    }
#define PSS(name, openssl, hash)                                               \
    {                                                                          \
        name, openssl, DEVID_KEY_RSA, DEVID_RSA_PSS, hash, 1                   \
    }

#define PSS_ALONE(name, hash)                                                  \
    {                                                                          \
        name, name, DEVID_KEY_RSA_PSS, DEVID_RSA_PSS, hash, 1                  \
    }

const struct sigalg sigalgs[] = {
    EC("ecdsa_secp256r1_sha256", "ECDSA+SHA256", "SHA2-256", 256),
    EC("ecdsa_secp384r1_sha384", "ECDSA+SHA384", "SHA2-384", 384),
    EC("ecdsa_secp521r1_sha512", "ECDSA+SHA512", "SHA2-512", 521),
    EC("ecdsa_sha224", "ECDSA+SHA224", "SHA2-224", 0),
    EC("ecdsa_sha1", "ECDSA+SHA1", "SHA1", 0),
    PSS("rsa_pss_rsae_sha256", "RSA-PSS+SHA256", "SHA2-256"),
    PSS("rsa_pss_rsae_sha384", "RSA-PSS+SHA384", "SHA2-384"),
    PSS("rsa_pss_rsae_sha512", "RSA-PSS+SHA512", "SHA2-512"),
    PKCS1("rsa_pkcs1_sha256", "RSA+SHA256", "SHA2-256"),
    PKCS1("rsa_pkcs1_sha384", "RSA+SHA384", "SHA2-384"),
    PKCS1("rsa_pkcs1_sha512", "RSA+SHA512", "SHA2-512"),
    PKCS1("rsa_pkcs1_sha224", "RSA+SHA224", "SHA2-224"),
    PKCS1("rsa_pkcs1_sha1", "RSA+SHA1", "SHA1"),
    PSS_ALONE("rsa_pss_pss_sha256", "SHA2-256"),
    PSS_ALONE("rsa_pss_pss_sha384", "SHA2-384"),
    PSS_ALONE("rsa_pss_pss_sha512", "SHA2-512"),
    {"ed25519", "ed25519", DEVID_KEY_ED25519, DEVID_EDDSA, NULL, 256},
    {0},
};

bool sigalg_fits(const struct sigalg *sigalg, const struct devid_public *pub)
{
    return sigalg->type == pub->type &&
           (pub->hash == NULL || pub->hash == devid_hash_by_name(sigalg->hash));
}

bool sigalg_in_tls13(const struct sigalg *sigalg,
                     const struct devid_public *pub)
{
    if (devid_key_kind(sigalg->type)->is_rsa)
        return sigalg->tls13_bits != 0;
    return sigalg->tls13_bits == pub->bits;
}

bool sigalg_needed_by_tls13(const struct sigalg *sigalg,
                            const struct devid_public *pub)
{
    /* RFC 8446, 9.1: of the RSA schemes this one must be there. */
    if (sigalg->type == DEVID_KEY_RSA)
        return strcmp(sigalg->name, "rsa_pss_rsae_sha256") == 0;
    if (sigalg->type == DEVID_KEY_RSA_PSS && pub->hash == NULL)
        return strcmp(sigalg->name, "rsa_pss_pss_sha256") == 0;
    return sigalg_in_tls13(sigalg, pub);
}
