/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fingerprint of CVE-2017-15361. The generator's primes are k * M +
 * (65537^a mod M) with M the product of the first primes, so modulo each of
 * those primes the modulus is a power of 65537; a sound modulus is that for
 * some of them only.
 */
#include "../attest.h"

#include "../backend.h"

#define GENERATOR 65537U

static unsigned remainder_of(const uint8_t *number, size_t len, unsigned prime)
{
    unsigned r = 0;

    for (size_t i = 0; i < len; i++)
        r = (r << 8 | number[i]) % prime;
    return r;
}

static bool is_power_of_generator(unsigned value, unsigned prime)
{
    unsigned power = 1;

    do {
        if (power == value)
            return true;
        power = power * (GENERATOR % prime) % prime;
    } while (power != 1);
    return false;
}

bool devid_roca_fingerprint(const uint8_t *modulus, size_t len)
{
    /* M of the shortest keys, the first 39 primes, is in all others; 2 says
     * nothing of an odd number. */
    static const uint8_t primes[] = {
        3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
        47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
        107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    };

    for (size_t i = 0; i < sizeof(primes); i++) {
        if (!is_power_of_generator(remainder_of(modulus, len, primes[i]),
                                   primes[i]))
            return false;
    }
    return true;
}

#define RSA_BITS_MIN 2048

const char *devid_public_weakness(const struct devid_public *pub)
{
    if (!devid_key_kind(pub->type)->is_rsa)
        return NULL;
    if (pub->bits < RSA_BITS_MIN)
        return "is shorter than 2048 bits";
    return devid_roca_fingerprint(pub->modulus, pub->coordinate_len)
               ? "is of a generator with CVE-2017-15361 (\"ROCA\")"
               : NULL;
}
