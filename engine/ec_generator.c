/* SPDX-License-Identifier: Apache-2.0 */
#include "ec_generator.h"
#include "backend.h"
#include "libcrypto.h"

#include <openssl/ec.h>
#include <openssl/objects.h>

#include <string.h>

#define POINT_MAX (1 + 2 * DEVID_COORDINATE_MAX)

enum devid_err devid_ec_generator(const struct devid_algorithm *alg,
                                  struct devid_public *generator,
                                  struct devid_error *err)
{
    uint8_t point[POINT_MAX];
    EC_GROUP *group;
    size_t len = 0;

    memset(generator, 0, sizeof(*generator));
    generator->type = DEVID_KEY_EC;
    generator->alg = alg;
    generator->bits = alg->bits;
    generator->coordinate_len = alg->coordinate_len;
    devid_quiet_begin();
    group = EC_GROUP_new_by_curve_name(OBJ_txt2nid(alg->group));
    if (group != NULL)
        len = EC_POINT_point2oct(group, EC_GROUP_get0_generator(group),
                                 POINT_CONVERSION_UNCOMPRESSED, point,
                                 sizeof(point), NULL);
    EC_GROUP_free(group);
    devid_quiet_end();
    if (len != 1 + 2 * alg->coordinate_len)
        return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                          "OpenSSL does not know the generator of %s",
                          alg->curve);
    memcpy(generator->x, point + 1, alg->coordinate_len);
    memcpy(generator->y, point + 1 + alg->coordinate_len, alg->coordinate_len);
    return DEVID_OK;
}
