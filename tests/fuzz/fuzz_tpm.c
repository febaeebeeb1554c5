/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TPM, or who sits on its bus, that answers as it likes: the engine's
 * operations neither crash, nor hang, nor leave a connection open. The first
 * byte picks the operation and whether keys stay loaded; fake_tcti.c has what
 * the rest is.
 */
#include "fuzz.h"

#include "answers.h"
#include "fake_tcti.h"
#include "identity.h"
#include "operations.h"

#include <openssl/crypto.h>
#include <string.h>

enum {
    COMMANDS_MAX = 20000, /* of one operation: what waits, waits ten seconds */
};

const struct operations_of operations_of = {
    .cert_to_read = DEVID_IDEVID_CERT_URI,
    .cert_to_write = DEVID_IAK_CERT_URI,
    .key_to_delete = "tpm2:handle=0x81000100",
};

/*
 * tpm2-tss 3.2 forgets what it has read of a handle that it knows already,
 * where the TPM says now that another key is there. Its stack goes no further.
 */
const char *__lsan_default_suppressions(void)
    __attribute__((visibility("default")));

const char *__lsan_default_suppressions(void)
{
    return "leak:Esys_ReadPublic_Finish\n";
}

static enum devid_err sign(struct devid_key *key, struct devid_error *err)
{
    static const uint8_t digest[32] = {1};
    const bool rsa = devid_key_kind(devid_key_public(key)->type)->is_rsa;
    const struct devid_tbs tbs = {
        .scheme = rsa ? DEVID_RSA_PKCS1 : DEVID_ECDSA,
        .hash = devid_hash_by_name("SHA256"),
        .digest = digest,
        .digest_len = sizeof(digest),
    };
    struct devid_sig sig;
    enum devid_err e = devid_key_sign(key, &tbs, &sig, err);

    must((e == DEVID_OK) == (sig.len > 0));
    return e;
}

static enum devid_err sign_with(struct devid *engine, const char *file,
                                struct devid_error *err)
{
    struct devid_key *key = NULL;
    enum devid_err e = devid_key_open(engine, file, &key, err);

    if (e == DEVID_OK && devid_key_wants_auth(key))
        e = devid_key_set_auth(key, "value", 5, err);
    if (e == DEVID_OK)
        e = sign(key, err);
    if (e == DEVID_OK)
        e = sign(key, err); /* and what a second one asks */
    devid_key_free(&key);
    return e;
}

static enum devid_err sign_blob(struct devid *engine, struct devid_error *err)
{
    return sign_with(engine, FUZZ_TSS2 "/plain.pem", err);
}

static enum devid_err sign_auth(struct devid *engine, struct devid_error *err)
{
    return sign_with(engine, FUZZ_TSS2 "/auth.pem", err);
}

static enum devid_err sign_policy(struct devid *engine, struct devid_error *err)
{
    return sign_with(engine, FUZZ_TSS2 "/policy.pem", err);
}

static enum devid_err sign_everything(struct devid *engine,
                                      struct devid_error *err)
{
    return sign_with(engine, FUZZ_TSS2 "/every-command.pem", err);
}

static enum devid_err sign_rsa(struct devid *engine, struct devid_error *err)
{
    return sign_with(engine, FUZZ_SEEDS "/rsa-2048.pem", err);
}

static enum devid_err sign_reference(struct devid *engine,
                                     struct devid_error *err)
{
    return sign_with(engine, FUZZ_SEEDS "/reference-ec.pem", err);
}

static enum devid_err sign_handle(struct devid *engine, struct devid_error *err)
{
    return sign_with(engine, "tpm2:handle=0x81020000", err);
}

static enum devid_err create(struct devid *engine, struct devid_error *err)
{
    static const char *const algorithms[] = {"ec-p256", "rsa-2048",
                                             "rsa-pss-2048"};
    uint8_t how = answers_byte();
    struct devid_key_spec spec = {.algorithm = algorithms[how % 3]};
    struct devid_key *key = NULL;
    enum devid_err e;

    if (how & 4)
        spec.persist = "0x81000100";
    if (how & 8)
        spec.pcrs = "sha256:0,7";
    if (how & 16)
        spec.parent = "owner";
    if (how & 32) {
        spec.auth = "value";
        spec.auth_len = 5;
    }
    e = devid_key_create(engine, &spec, &key, err);
    must((e == DEVID_OK) == (key != NULL));
    devid_key_free(&key);
    return e;
}

static enum devid_err decrypt(struct devid *engine, struct devid_error *err)
{
    static const uint8_t message[256] = {0, 1};
    const struct devid_ciphertext c = {
        .padding = DEVID_PAD_PKCS1,
        .data = message,
        .len = sizeof(message),
    };
    struct devid_plaintext plain;
    struct devid_key *key = NULL;
    enum devid_err e =
        devid_key_open(engine, FUZZ_SEEDS "/rsa-2048.pem", &key, err);

    if (e == DEVID_OK)
        e = devid_key_decrypt(key, &c, &plain, err);
    devid_key_free(&key);
    return e;
}

/* A provisioning, whole: the request, its signature, the challenge, the lock.
 */
static enum devid_err provision(struct devid *engine, struct devid_error *err)
{
    static const uint8_t digest[32] = {1};
    static const struct devid_activation challenge = {digest, 32, digest, 32};
    const struct devid_identity_spec spec = {.algorithm = NULL};
    struct devid_identity_request request;
    struct devid_identity *identity = NULL;
    struct devid_field field = {NULL, 0};
    struct devid_lock *lock = NULL;
    enum devid_err e = devid_identity_open(engine, &spec, &identity, err);

    must(e == DEVID_OK);
    e = devid_identity_request(identity, &request, err);
    must(e != DEVID_OK || request.attestPub.len > 0);
    devid_identity_request_clear(&request);
    if (e == DEVID_OK)
        e = devid_identity_sign(identity, devid_hash_by_name("SHA256"), digest,
                                &field, err);
    devid_field_free(&field);
    e = devid_identity_activate(identity, &challenge, &field, err);
    devid_field_free(&field);
    e = devid_lock_begin(identity, &lock, err);
    if (e == DEVID_OK)
        e = devid_lock_apply(identity, lock, err);
    devid_lock_free(&lock);
    devid_identity_free(&identity);
    return e;
}

static enum devid_err lock_only(struct devid *engine, struct devid_error *err)
{
    const struct devid_identity_spec spec = {.ek = "0x81010001"};
    struct devid_identity *identity = NULL;
    struct devid_lock *lock = NULL;
    enum devid_err e = devid_identity_open(engine, &spec, &identity, err);

    must(e == DEVID_OK);
    e = devid_lock_begin(identity, &lock, err);
    if (e == DEVID_OK)
        e = devid_lock_apply(identity, lock, err);
    devid_lock_free(&lock);
    devid_identity_free(&identity);
    return e;
}

static operation *const operations[] = {
    sign_blob,
    sign_auth,
    sign_policy,
    sign_everything,
    sign_rsa,
    sign_reference,
    sign_handle,
    operation_list,
    operation_cert_read,
    operation_cert_write,
    operation_whoami,
    operation_state,
    create,
    operation_random,
    decrypt,
    provision,
    lock_only,
    operation_delete,
};

static struct devid *new_engine(bool managed)
{
    struct devid *engine = NULL;

    must(devid_new(NULL, &engine, NULL) == DEVID_OK);
    must(devid_set(engine, "tcti", "swtpm:port=1", NULL) == DEVID_OK);
    must(devid_set(engine, "random-source", "tpm2:", NULL) == DEVID_OK);
    must(devid_set(engine, "tpm2-sharing", managed ? "managed" : "bare",
                   NULL) == DEVID_OK);
    return engine;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t count = sizeof(operations) / sizeof(*operations);
    struct devid_error err = {0};
    struct devid *engine;

    if (size == 0)
        return 0;
    engine = new_engine(data[0] >= 0x80);
    answers_begin(data + 1, size - 1);
    operation_run(operations[(data[0] & 0x7f) % count], engine, &err);
    devid_free(&engine);
    must(fake_tcti_commands() < COMMANDS_MAX);
    must_leave_no_error();
    return 0;
}
