/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module that answers as it likes, through p11-kit: counts, lengths,
 * attributes, codes. The first byte picks the operation; token_module.c has
 * what the rest is. The module itself is of the program and may do anything;
 * what is held here is that the engine believes no number of it.
 */
#include "fuzz.h"

#include "answers.h"
#include "operations.h"

#include <openssl/crypto.h>
#include <string.h>

#define TOKEN "pkcs11:token=fuzz?module-path=" FUZZ_TOKEN_MODULE
#define KEY                                                                    \
    "pkcs11:token=fuzz;object=unit?pin-value=1234&module-"                     \
    "path=" FUZZ_TOKEN_MODULE

const struct operations_of operations_of = {
    .device = TOKEN,
    .cert_to_read = KEY,
    .cert_to_write = KEY,
    .key_to_delete = KEY,
};

static const uint8_t block[256] = {0, 1};

static enum devid_err use(struct devid_key *key, struct devid_error *err)
{
    const struct devid_public *pub = devid_key_public(key);
    const bool rsa = devid_key_kind(pub->type)->is_rsa;
    const struct devid_tbs tbs = {
        .scheme = pub->type == DEVID_KEY_ED25519 ? DEVID_EDDSA
                  : rsa                          ? DEVID_RSA_PKCS1
                                                 : DEVID_ECDSA,
        .hash = pub->type == DEVID_KEY_ED25519 ? NULL
                                               : devid_hash_by_name("SHA256"),
        .digest = block,
        .digest_len = 32,
    };
    struct devid_sig sig;
    enum devid_err e = devid_key_sign(key, &tbs, &sig, err);

    must((e == DEVID_OK) == (sig.len > 0));
    return e;
}

static enum devid_err sign(struct devid *engine, struct devid_error *err)
{
    struct devid_key *key = NULL;
    enum devid_err e = devid_key_from_uri(engine, KEY, &key, err);

    if (e == DEVID_OK)
        e = use(key, err);
    if (e == DEVID_OK)
        e = use(key, err);
    devid_key_free(&key);
    return e;
}

static enum devid_err open_with(struct devid *engine, bool rsa,
                                struct devid_public *pub,
                                struct devid_key **key, struct devid_error *err)
{
    memset(pub, 0, sizeof(*pub));
    pub->type = rsa ? DEVID_KEY_RSA : DEVID_KEY_EC;
    pub->alg = devid_algorithm_by_name(rsa ? "rsa-2048" : "ec-p256");
    pub->bits = rsa ? 2048 : 256;
    pub->coordinate_len = rsa ? 256 : 32;
    pub->exponent = 65537;
    memset(pub->modulus, 0xff, rsa ? 256 : 0);
    return devid_key_from_reference(engine, KEY, pub, key, err);
}

static enum devid_err decrypt(struct devid *engine, struct devid_error *err)
{
    const struct devid_ciphertext c = {
        .padding = DEVID_PAD_PKCS1, .data = block, .len = sizeof(block)};
    struct devid_plaintext plain;
    struct devid_public pub;
    struct devid_key *key = NULL;
    enum devid_err e = open_with(engine, true, &pub, &key, err);

    if (e == DEVID_OK)
        e = devid_key_decrypt(key, &c, &plain, err);
    must(e != DEVID_OK || plain.len <= sizeof(plain.data));
    devid_key_free(&key);
    return e;
}

static enum devid_err sign_known(struct devid *engine, struct devid_error *err)
{
    struct devid_public pub;
    struct devid_key *key = NULL;
    enum devid_err e = open_with(engine, true, &pub, &key, err);

    if (e == DEVID_OK)
        e = use(key, err);
    devid_key_free(&key);
    return e;
}

static enum devid_err derive(struct devid *engine, struct devid_error *err)
{
    struct devid_shared shared;
    struct devid_key *key = NULL;
    enum devid_err e = devid_key_from_uri(engine, KEY, &key, err);

    if (e == DEVID_OK)
        e = devid_key_derive(key, devid_key_public(key), &shared, err);
    devid_key_free(&key);
    return e;
}

static enum devid_err create(struct devid *engine, struct devid_error *err)
{
    static const char *const algorithms[] = {"ec-p256", "rsa-2048", "ed25519"};
    const struct devid_key_spec spec = {
        .device = TOKEN,
        .algorithm = algorithms[answers_byte() % 3],
        .label = "unit",
        .auth = "1234",
        .auth_len = 4,
    };
    struct devid_key *key = NULL;
    enum devid_err e = devid_key_create(engine, &spec, &key, err);

    devid_key_free(&key);
    return e;
}

static operation *const operations[] = {
    sign,
    sign_known,
    decrypt,
    derive,
    operation_list,
    operation_cert_read,
    operation_cert_write,
    operation_whoami,
    operation_state,
    create,
    operation_random,
    operation_delete,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t count = sizeof(operations) / sizeof(*operations);
    struct devid_error err = {0};
    struct devid *engine = NULL;

    if (size == 0)
        return 0;
    must(devid_new(NULL, &engine, NULL) == DEVID_OK);
    must(devid_set(engine, "random-source", TOKEN, NULL) == DEVID_OK);
    answers_begin(data + 1, size - 1);
    operation_run(operations[data[0] % count], engine, &err);
    must(strstr(err.text, "1234") == NULL);
    answers_begin(NULL, 0);
    devid_free(&engine);
    devid_shutdown(); /* the next input has a module that begins anew */
    must_leave_no_error();
    return 0;
}
