/* SPDX-License-Identifier: Apache-2.0 */
/* The salt of RSA-PSS: what a program asked for, in bytes. */
#include "sig.h"

size_t prov_longest_salt(const struct prov_sig *self)
{
    /* RFC 8017, 9.1.1: the encoded message is one bit shorter. */
    size_t room = ((size_t)prov_sig_public(self)->bits - 1 + 7) / 8;
    size_t taken = self->hash->len + 2;

    return room > taken ? room - taken : 0;
}

bool prov_sig_salt(const struct prov_sig *self, size_t *salt_len)
{
    size_t longest;

    if (self->hash == NULL) {
        prov_raise(self->ctx, DEVID_ERR_USAGE,
                   "an RSA-PSS signature needs the name of its hash");
        return false;
    }
    longest = prov_longest_salt(self);
    if (self->salt_len >= 0)
        *salt_len = (size_t)self->salt_len;
    else if (self->salt_len == PROV_SALT_DIGEST)
        *salt_len = self->hash->len;
    else if (self->salt_len == PROV_SALT_DIGEST_MAX)
        *salt_len = self->hash->len < longest ? self->hash->len : longest;
    else
        *salt_len = longest;
    if (*salt_len <= longest)
        return true;
    prov_raise(self->ctx, DEVID_ERR_ALG,
               "an RSA key of %u bits is too short for RSA-PSS with %s and a "
               "salt of %zu bytes: it has room for %zu",
               prov_sig_public(self)->bits, self->hash->name, *salt_len,
               longest);
    return false;
}
