/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module that answers as it likes, through p11-kit: counts, lengths,
 * attributes, codes. The first byte picks the operation; token_module.c has
 * what the rest is. The module itself is of the program and may do anything;
 * what is held here is that the engine believes no number of it.
 */
#include "fuzz.h"

#include "answers.h"
#include "state.h"

#include <openssl/crypto.h>
#include <string.h>

#define TOKEN "pkcs11:token=fuzz?module-path=" FUZZ_TOKEN_MODULE
#define KEY                                                                    \
    "pkcs11:token=fuzz;object=unit?pin-value=1234&module-"                     \
    "path=" FUZZ_TOKEN_MODULE

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

static enum devid_err see_object(const struct devid_object *object, void *arg,
                                 struct devid_error *err)
{
    (void)arg;
    (void)err;
    must(object->uri[0] != '\0');
    return DEVID_OK;
}

static enum devid_err list(struct devid *engine, struct devid_error *err)
{
    return devid_list(engine, TOKEN, see_object, NULL, err);
}

static enum devid_err cert_read(struct devid *engine, struct devid_error *err)
{
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err e = devid_cert_read(engine, KEY, &der, &len, err);

    OPENSSL_free(der);
    return e;
}

static enum devid_err cert_write(struct devid *engine, struct devid_error *err)
{
    static const uint8_t der[] = {0x30, 0x00};
    const struct devid_cert_spec spec = {
        .uri = KEY, .der = der, .len = sizeof(der), .replace = true};

    return devid_cert_write(engine, &spec, err);
}

static enum devid_err whoami(struct devid *engine, struct devid_error *err)
{
    struct devid_device_info info;

    return devid_whoami(engine, TOKEN, &info, err);
}

static enum devid_err state(struct devid *engine, struct devid_error *err)
{
    struct devid_device_state s;
    enum devid_err e = devid_device_state(engine, TOKEN, &s, err);

    devid_device_state_clear(&s);
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

static enum devid_err random_bytes(struct devid *engine,
                                   struct devid_error *err)
{
    uint8_t bytes[100];

    return devid_random(engine, bytes, sizeof(bytes), err);
}

static enum devid_err remove_key(struct devid *engine, struct devid_error *err)
{
    return devid_delete(engine, KEY, err);
}

typedef enum devid_err operation(struct devid *engine, struct devid_error *err);

static operation *const operations[] = {
    sign,       sign_known, decrypt, derive, list,         cert_read,
    cert_write, whoami,     state,   create, random_bytes, remove_key,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t count = sizeof(operations) / sizeof(*operations);
    struct devid_error err = {0};
    struct devid *engine = NULL;
    enum devid_err e;

    if (size == 0)
        return 0;
    must(devid_new(NULL, &engine, NULL) == DEVID_OK);
    must(devid_set(engine, "random-source", TOKEN, NULL) == DEVID_OK);
    answers_begin(data + 1, size - 1);
    e = operations[data[0] % count](engine, &err);
    must(e == DEVID_OK || err.text[0] != '\0');
    must(strstr(err.text, "1234") == NULL);
    answers_begin(NULL, 0);
    devid_free(&engine);
    devid_shutdown(); /* the next input has a module that begins anew */
    must_leave_no_error();
    return 0;
}
