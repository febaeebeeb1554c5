/* SPDX-License-Identifier: Apache-2.0 */
#include "other_use.h"

#include <openssl/crypto.h>

/* One, to whatever power. */
static enum devid_err try_decrypt(struct devid_key *key,
                                  struct devid_error *err)
{
    static const uint8_t one[] = {1};
    const struct devid_ciphertext c = {
        .padding = DEVID_PAD_NONE, .data = one, .len = sizeof(one)};
    struct devid_plaintext plain;
    enum devid_err result = devid_key_decrypt(key, &c, &plain, err);

    OPENSSL_cleanse(&plain, sizeof(plain));
    return result;
}

/* With itself: its own public key is the one that is at hand. */
static enum devid_err try_agree(struct devid_key *key, struct devid_error *err)
{
    struct devid_shared shared;
    enum devid_err result =
        devid_key_derive(key, devid_key_public(key), &shared, err);

    OPENSSL_cleanse(&shared, sizeof(shared));
    return result;
}

const struct other_use *other_use_of(enum devid_key_type type)
{
    static const struct other_use decrypts = {"decrypts", try_decrypt};
    static const struct other_use agrees = {"agrees", try_agree};

    switch (type) {
    case DEVID_KEY_RSA:
        return &decrypts;
    case DEVID_KEY_EC:
        return &agrees;
    case DEVID_KEY_RSA_PSS:
    case DEVID_KEY_ED25519:
        break;
    }
    return NULL;
}
