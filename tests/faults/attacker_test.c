/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sits on the bus answers in the chip's place: with another key's signature
 * or public area, with another object, with more than there may be. No such
 * signature leaves the engine, and the sentence says what is wrong.
 *
 * usage: attacker_test libtss2-tcti-fault.so TCTI
 */
#include "raw.h"
#include "support.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>

#include <tss2/tss2_mu.h>

#define OURS 0x81000261u
#define THEIRS 0x81000262u
#define POINT_LEN 32
#define NAME_LEN 34 /* of SHA-256, with its algorithm */

static struct tcti_fault_plan *plan;
static const char *tcti;
static struct devid *engine;
static uint8_t digest[64];
static uint8_t answer[TPM2_MAX_RESPONSE_SIZE];

/* ---- the engine ------------------------------------------------------ */

static int open_engine(void **state)
{
    (void)state;
    *plan = (struct tcti_fault_plan){.kind = TCTI_FAULT_NONE};
    assert_int_equal(devid_new(NULL, &engine, NULL), DEVID_OK);
    assert_int_equal(devid_set(engine, "tcti", tcti, NULL), DEVID_OK);
    return 0;
}

static int close_engine(void **state)
{
    (void)state;
    *plan = (struct tcti_fault_plan){.kind = TCTI_FAULT_NONE};
    devid_free(&engine);
    devid_shutdown();
    return 0;
}

static struct devid_key *new_key(const char *algorithm, uint32_t handle)
{
    char uri[64];
    struct devid_key_spec spec = {.algorithm = algorithm};
    struct devid_error err = {0};
    struct devid_key *key = NULL;
    enum devid_err e;

    (void)snprintf(uri, sizeof(uri), "tpm2:handle=0x%08x", handle);
    if (handle != 0) {
        e = devid_delete(engine, uri, NULL);
        assert_true(e == DEVID_OK || e == DEVID_ERR_NOT_FOUND);
        spec.persist = uri + strlen("tpm2:handle=");
    }
    e = devid_key_create(engine, &spec, &key, &err);
    if (e != DEVID_OK)
        print_error("%s\n", err.text);
    assert_int_equal(e, DEVID_OK);
    return key;
}

static void fill_tbs(const struct devid_key *key, struct devid_tbs *tbs)
{
    *tbs = (struct devid_tbs){
        .scheme = devid_key_kind(devid_key_public(key)->type)->scheme,
        .hash = devid_hash_by_name("SHA256"),
        .digest = digest,
    };
    tbs->digest_len = tbs->hash->len;
    digest_text(tbs->hash, "to be signed", digest);
}

/* No signature, and a sentence; the next one, with no attacker, is right. */
static void expect_refused(struct devid_key *key, enum devid_err expected,
                           const char *sentence)
{
    struct devid_error err = {0};
    struct devid_sig sig = {.len = 77};
    struct devid_tbs tbs;
    enum devid_err e;

    fill_tbs(key, &tbs);
    e = devid_key_sign(key, &tbs, &sig, &err);
    if (e != expected)
        print_error("%d: %s\n", (int)e, err.text);
    assert_int_equal(e, expected);
    assert_int_equal(sig.len, 0);
    assert_true(plan->struck > 0);
    expect_text(&err, sentence);
    *plan = (struct tcti_fault_plan){.kind = TCTI_FAULT_NONE};
    assert_int_equal(devid_key_sign(key, &tbs, &sig, &err), DEVID_OK);
    assert_int_equal(
        devid_verify(devid_key_public(key), NULL, &tbs, &sig, &err), DEVID_OK);
}

/* ---- the attacker ---------------------------------------------------- */

/* Each such command is answered so from now on. */
static void attack(enum tcti_fault kind, TPM2_CC only, uint32_t code,
                   size_t answer_len)
{
    *plan = (struct tcti_fault_plan){
        .kind = kind,
        .code = code,
        .only = only,
        .at = 1,
        .lasting = true,
        .answer = answer,
        .answer_len = answer_len,
    };
}

/* What the TPM says of a persistent handle, into `answer`. */
static size_t read_public(uint32_t handle)
{
    uint8_t command[14];
    size_t len = sizeof(answer);

    (void)raw_put(command,
                  raw_header(command, sizeof(command), TPM2_CC_ReadPublic),
                  handle);
    raw_ask(command, sizeof(command), answer, &len);
    assert_true(len > 100);
    return len;
}

/* The answer to a TPM2_Sign that was authorised by a password. */
static size_t sign_answer(const TPMT_SIGNATURE *signature)
{
    static const uint8_t session[] = {0, 0, 1, 0, 0};
    size_t end = 14;

    assert_int_equal(
        Tss2_MU_TPMT_SIGNATURE_Marshal(signature, answer, sizeof(answer), &end),
        0);
    (void)raw_put(answer, 10, (uint32_t)(end - 14));
    memcpy(answer + end, session, sizeof(session));
    end += sizeof(session);
    (void)raw_header(answer, (uint32_t)end, 0);
    answer[1] = 0x02; /* TPM_ST_SESSIONS */
    return end;
}

static TPMT_SIGNATURE of_size(UINT16 size)
{
    TPMT_SIGNATURE s = {.sigAlg = TPM2_ALG_ECDSA};

    s.signature.ecdsa.hash = TPM2_ALG_SHA256;
    s.signature.ecdsa.signatureR.size = size;
    s.signature.ecdsa.signatureS.size = size;
    memset(s.signature.ecdsa.signatureR.buffer, 0x5a, size);
    memset(s.signature.ecdsa.signatureS.buffer, 0x5a, size);
    return s;
}

/* The answer to a TPM2_GetCapability of whatever: one property. */
static size_t property_answer(void)
{
    TPMS_CAPABILITY_DATA data = {.capability = TPM2_CAP_TPM_PROPERTIES};
    size_t end = 11;

    data.data.tpmProperties.count = 1;
    data.data.tpmProperties.tpmProperty[0] = (TPMS_TAGGED_PROPERTY){
        .property = TPM2_PT_MANUFACTURER, .value = 0x58595a20};
    assert_int_equal(Tss2_MU_TPMS_CAPABILITY_DATA_Marshal(&data, answer,
                                                          sizeof(answer), &end),
                     0);
    answer[10] = 0; /* there is no more */
    (void)raw_header(answer, (uint32_t)end, 0);
    return end;
}

/* ---- what comes of it ------------------------------------------------ */

static void a_right_signature_by_another_key_does_not_leave(void **state)
{
    struct devid_key *key = new_key("ec-p256", 0);
    EVP_PKEY *other = software_key("ec-p256");
    TPMT_SIGNATURE s = of_size(POINT_LEN);
    struct devid_sig sig = {0};
    struct devid_tbs tbs;

    (void)state;
    fill_tbs(key, &tbs);
    software_sign(other, &tbs, &sig);
    memcpy(s.signature.ecdsa.signatureR.buffer, sig.data, POINT_LEN);
    memcpy(s.signature.ecdsa.signatureS.buffer, sig.data + POINT_LEN,
           POINT_LEN);
    attack(TCTI_FAULT_ANSWER, TPM2_CC_Sign, 0, sign_answer(&s));
    expect_refused(key, DEVID_ERR_WRONG_KEY, "neither signature fits");
    EVP_PKEY_free(other);
    devid_key_free(&key);
}

static void nor_at_a_handle_of_its_own_where_all_are_checked(void **state)
{
    struct devid_key *key = NULL;
    TPMT_SIGNATURE s = of_size(POINT_LEN);

    (void)state;
    assert_int_equal(devid_set(engine, "check-signatures", "always", NULL),
                     DEVID_OK);
    key = new_key("ec-p256", OURS);
    attack(TCTI_FAULT_ANSWER, TPM2_CC_Sign, 0, sign_answer(&s));
    expect_refused(key, DEVID_ERR_WRONG_KEY, "neither signature fits");
    devid_key_free(&key);
}

static void a_signature_that_is_too_long_is_none(void **state)
{
    static const UINT16 sizes[] = {POINT_LEN + 1, 128};
    struct devid_key *key = new_key("ec-p256", 0);

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        TPMT_SIGNATURE s = of_size(sizes[i]);

        attack(TCTI_FAULT_ANSWER, TPM2_CC_Sign, 0, sign_answer(&s));
        expect_refused(key, DEVID_ERR_DEVICE, "signature");
    }
    devid_key_free(&key);
}

static void an_rsa_signature_of_another_size_is_none(void **state)
{
    static const UINT16 sizes[] = {0, 255, 257, 512};
    struct devid_key *key = new_key("rsa-2048", 0);

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        TPMT_SIGNATURE s = {.sigAlg = TPM2_ALG_RSASSA};

        s.signature.rsassa.hash = TPM2_ALG_SHA256;
        s.signature.rsassa.sig.size = sizes[i];
        attack(TCTI_FAULT_ANSWER, TPM2_CC_Sign, 0, sign_answer(&s));
        expect_refused(key, DEVID_ERR_DEVICE, "signature");
    }
    devid_key_free(&key);
}

static void a_signature_of_another_kind_is_none(void **state)
{
    struct devid_key *key = new_key("ec-p256", 0);
    TPMT_SIGNATURE s = {.sigAlg = TPM2_ALG_RSASSA};

    (void)state;
    s.signature.rsassa.hash = TPM2_ALG_SHA256;
    s.signature.rsassa.sig.size = 2 * POINT_LEN;
    attack(TCTI_FAULT_ANSWER, TPM2_CC_Sign, 0, sign_answer(&s));
    expect_refused(key, DEVID_ERR_DEVICE, "a signature of another kind");
    devid_key_free(&key);
}

static void another_keys_public_area_is_seen(void **state)
{
    struct devid_key *key = new_key("ec-p256", OURS);
    struct devid_key *theirs = new_key("ec-p256", THEIRS);

    (void)state;
    devid_shutdown(); /* proven again at the next use */
    attack(TCTI_FAULT_ANSWER, TPM2_CC_ReadPublic, 0, read_public(THEIRS));
    expect_refused(key, DEVID_ERR_WRONG_KEY, "holds another key than the key");
    devid_key_free(&theirs);
    devid_key_free(&key);
}

static void a_public_area_that_is_not_its_names_is_seen(void **state)
{
    struct devid_key *key = new_key("ec-p256", OURS);
    size_t len;

    (void)state;
    devid_shutdown();
    len = read_public(OURS);
    /* Behind it are Name and qualified Name, each with two bytes of size. */
    answer[len - 2 * (NAME_LEN + 2) - 1] ^= 1;
    attack(TCTI_FAULT_ANSWER, TPM2_CC_ReadPublic, 0, len);
    expect_refused(key, DEVID_ERR_DEVICE,
                   "handle 0x81000261 of this TPM holds what is no key");
    devid_key_free(&key);
}

static void another_object_than_was_loaded_does_not_sign_for_it(void **state)
{
    struct devid_key *key = new_key("ec-p256", 0);
    struct devid_key *theirs = new_key("ec-p256", THEIRS);

    (void)state;
    attack(TCTI_FAULT_HANDLE, TPM2_CC_Load, THEIRS, 0);
    expect_refused(key, DEVID_ERR_WRONG_KEY, "neither signature fits");
    devid_key_free(&theirs);
    devid_key_free(&key);
}

static enum devid_err count_object(const struct devid_object *object, void *arg,
                                   struct devid_error *err)
{
    (void)object;
    (void)err;
    ++*(unsigned *)arg;
    return DEVID_OK;
}

static void another_capability_than_was_asked_for_is_no_list(void **state)
{
    struct devid_error err = {0};
    unsigned count = 0;

    (void)state;
    attack(TCTI_FAULT_ANSWER, TPM2_CC_GetCapability, 0, property_answer());
    assert_int_equal(devid_list(engine, "tpm2:", count_object, &count, &err),
                     DEVID_ERR_DEVICE);
    assert_true(plan->struck > 0);
    assert_int_equal(count, 0);
    expect_text(&err, "was asked for its capability 0x1 and tells of 0x6");
}

#define ATTACK(name)                                                           \
    cmocka_unit_test_setup_teardown(name, open_engine, close_engine)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ATTACK(a_right_signature_by_another_key_does_not_leave),
        ATTACK(nor_at_a_handle_of_its_own_where_all_are_checked),
        ATTACK(a_signature_that_is_too_long_is_none),
        ATTACK(an_rsa_signature_of_another_size_is_none),
        ATTACK(a_signature_of_another_kind_is_none),
        ATTACK(another_keys_public_area_is_seen),
        ATTACK(a_public_area_that_is_not_its_names_is_seen),
        ATTACK(another_object_than_was_loaded_does_not_sign_for_it),
        ATTACK(another_capability_than_was_asked_for_is_no_list),
    };
    int failed;

    if (argc != 3)
        return 2;
    tcti = raw_open(argv[1], argv[2], &plan);
    failed = cmocka_run_group_tests_name("attacker", tests, NULL, NULL);
    raw_close();
    return failed;
}
