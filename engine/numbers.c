/* SPDX-License-Identifier: Apache-2.0 */
#include "numbers.h"
#include "backend.h"
#include "libcrypto.h"

#include <openssl/ec.h>
#include <openssl/objects.h>

#include <string.h>

#define UNCOMPRESSED 0x04

size_t devid_point_put(const struct devid_public *pub,
                       uint8_t point[DEVID_POINT_MAX])
{
    size_t len = pub->alg->coordinate_len;

    point[0] = UNCOMPRESSED;
    memcpy(point + 1, pub->x, len);
    memcpy(point + 1 + len, pub->y, len);
    return 1 + 2 * len;
}

/* The plain arithmetic of libcrypto, which no provider stands in. */
static enum devid_err check_point(const struct devid_public *pub,
                                  struct devid_error *err)
{
    uint8_t octets[DEVID_POINT_MAX];
    size_t len = devid_point_put(pub, octets);
    EC_GROUP *group;
    EC_POINT *point = NULL;
    bool is_on_curve;

    devid_quiet_begin();
    group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(pub->alg->group));
    if (group != NULL)
        point = EC_POINT_new(group);
    is_on_curve = point != NULL &&
                  EC_POINT_oct2point(group, point, octets, len, NULL) == 1;
    EC_POINT_free(point);
    EC_GROUP_free(group);
    devid_quiet_end();
    if (is_on_curve)
        return DEVID_OK;
    if (point == NULL)
        return devid_no_memory(err);
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "the EC public key is damaged: its point is not on the "
                      "curve %s",
                      pub->alg->curve);
}

static enum devid_err check_modulus(const struct devid_public *pub,
                                    struct devid_error *err)
{
    unsigned top = (pub->bits - 1) % 8;

    if (pub->bits < DEVID_RSA_BITS_MIN || pub->bits > 8 * DEVID_MODULUS_MAX)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the RSA modulus has %u bits; devid takes %d to %d",
                          pub->bits, DEVID_RSA_BITS_MIN, 8 * DEVID_MODULUS_MAX);
    if (pub->coordinate_len != (pub->bits + 7) / 8 ||
        pub->modulus[0] >> top != 1)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the RSA public key is damaged: its modulus has not "
                          "the %u bits that it is said to have",
                          pub->bits);
    if (pub->modulus[pub->coordinate_len - 1] % 2 == 0)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the RSA public key is damaged: its modulus is an "
                          "even number");
    return DEVID_OK;
}

enum devid_err devid_numbers_check(const struct devid_public *pub,
                                   struct devid_error *err)
{
    switch (pub->type) {
    case DEVID_KEY_EC:
        return check_point(pub, err);
    case DEVID_KEY_RSA:
    case DEVID_KEY_RSA_PSS:
        return check_modulus(pub, err);
    case DEVID_KEY_ED25519: /* half of all strings of 32 bytes are one */
        break;
    }
    return DEVID_OK;
}
