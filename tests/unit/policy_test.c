/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: taken apart, their digests, PCRs by their text. */
#include "support.h"

#include "tpm2/policy.h"

#include <openssl/crypto.h>

#include <string.h>

/* A signing key on P-256 whose point is the curve's generator. */
#define SIGNER                                                                 \
    "0056"                                                                     \
    "0023000b00060040000000100010000300100020"                                 \
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2960020"     \
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define AUTH_DIGEST                                                            \
    "8fcd2169ab92694e0c633f1ab772842b8241bbc20288981fc7ac1eddc1fddb0e"
#define ELEVENS                                                                \
    "1111111111111111111111111111111111111111111111111111111111111111"
#define ZEROS_OF_TWO /* SHA-256 of two PCRs that nobody has extended */        \
    "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"

static struct tpm2_policy_digest start(void)
{
    struct tpm2_policy_digest digest;

    assert_int_equal(
        tpm2_policy_digest_start(&digest, TPM2_ALG_SHA256, NULL, NULL),
        DEVID_OK);
    return digest;
}

static struct devid_policy_command command(uint32_t code, const char *hex)
{
    struct devid_policy_command c = {.code = code};
    long len = 0;

    c.arguments =
        *hex != '\0' ? OPENSSL_hexstr2buf(hex, &len) : OPENSSL_zalloc(1);
    assert_non_null(c.arguments);
    c.len = (size_t)len;
    return c;
}

static enum devid_err decode(uint32_t code, const char *hex,
                             struct tpm2_policy_step *step,
                             struct devid_error *err)
{
    struct tpm2_policy_digest digest = start();
    struct devid_policy_command c = command(code, hex);
    enum devid_err e = tpm2_policy_decode(&c, &digest, step, err);

    OPENSSL_free(c.arguments);
    return e;
}

static void expect_digest(const struct tpm2_policy_digest *digest,
                          const char *hex)
{
    struct devid_policy_command expected = command(0, hex);

    assert_int_equal(digest->value.size, expected.len);
    assert_memory_equal(digest->value.buffer, expected.arguments, expected.len);
    OPENSSL_free(expected.arguments);
}

static void each_command_leads_to_the_digest_that_a_tpm_makes(void **state)
{
    static const struct {
        uint32_t code;
        const char *arguments;
        const char *digest;
    } rows[] = {
        {TPM2_CC_PolicyAuthValue, "", AUTH_DIGEST},
        {TPM2_CC_PolicyPassword, "", AUTH_DIGEST},
        /* the authPolicy of openssl_tpm2_engine's key for PCRs 7 and 11 */
        {TPM2_CC_PolicyPCR, "00000001000b03800800" ZEROS_OF_TWO,
         "384378caeddc9690b2ac9589827a756a5c46c8b33178b2fe468c80531b97a53e"},
        /* PolicyA of the TCG's EK Credential Profile */
        {TPM2_CC_PolicySecret, "4000000b00044000000b0000",
         "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"},
        {TPM2_CC_PolicyCommandCode, "0000015d",
         "cc6918b226273b08f5bd406d7f10cf160f0a7d13dfd83b7770ccbcd1aa80d811"},
        {TPM2_CC_PolicyCounterTimer, "00000000000186a000080009",
         "031a0cf8d08925776ef3aabacd203b3ad4bdc4d5aac2ca726e0180c6adb59f0e"},
        {TPM2_CC_PolicyAuthorize,
         SIGNER "0003726566"
                "0010",
         "81025b393f57245f9f3f546b11a1375d73b9a32f0101ee32885e9ec1d680a422"},
    };
    struct tpm2_policy_step step;
    struct devid_error err;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tpm2_policy_digest digest = start();

        assert_int_equal(decode(rows[i].code, rows[i].arguments, &step, &err),
                         DEVID_OK);
        assert_int_equal(tpm2_policy_digest_step(&digest, &step, &err),
                         DEVID_OK);
        expect_digest(&digest, rows[i].digest);
    }
}

static void policy_or_wants_one_of_its_branches_before_it(void **state)
{
    struct tpm2_policy_digest digest = start();
    struct tpm2_policy_step any_of;
    struct tpm2_policy_step step;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(decode(TPM2_CC_PolicyOR,
                            "00000002"
                            "0020" AUTH_DIGEST "0020" ELEVENS,
                            &any_of, &err),
                     DEVID_OK);
    assert_int_equal(tpm2_policy_digest_step(&digest, &any_of, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "lead to none of its 2 branches");

    digest = start();
    assert_int_equal(decode(TPM2_CC_PolicyAuthValue, "", &step, &err),
                     DEVID_OK);
    assert_int_equal(tpm2_policy_digest_step(&digest, &step, &err), DEVID_OK);
    assert_int_equal(tpm2_policy_digest_step(&digest, &any_of, &err), DEVID_OK);
    expect_digest(
        &digest,
        "b54a83bcc01b7db6b1ba51c0d93ce3c8d53117539a16a25a7866218e9c45f426");
}

static void what_cannot_be_taken_apart_is_named(void **state)
{
    static const struct {
        uint32_t code;
        const char *arguments;
        enum devid_err error;
        const char *sentence;
    } rows[] = {
        {0, "", DEVID_ERR_ALG, "has a command 0x0, which devid does not know"},
        {TPM2_CC_PolicyLocality, "01", DEVID_ERR_ALG, "a command 0x16f,"},
        {TPM2_CC_PolicyAuthValue, "00", DEVID_ERR_INPUT,
         "the arguments of PolicyAuthValue in the key file's policy are "
         "garbled (1 bytes)"},
        {TPM2_CC_PolicyPCR, "00000001000b0380080000", DEVID_ERR_INPUT,
         "PolicyPCR"},
        {TPM2_CC_PolicyPCR, "000000ff000b03800800" ELEVENS, DEVID_ERR_INPUT,
         "PolicyPCR"},
        {TPM2_CC_PolicyAuthorize, SIGNER, DEVID_ERR_INPUT, "PolicyAuthorize"},
        {TPM2_CC_PolicySecret, "4000000b0004", DEVID_ERR_INPUT, "PolicySecret"},
        {TPM2_CC_PolicyOR, "00000009", DEVID_ERR_INPUT, "PolicyOR"},
        {TPM2_CC_PolicyCommandCode, "0000015d00", DEVID_ERR_INPUT,
         "PolicyCommandCode"},
        {TPM2_CC_PolicyCounterTimer, "000800", DEVID_ERR_INPUT,
         "PolicyCounterTimer"},
    };
    struct tpm2_policy_step step;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct devid_error err = {0};

        assert_int_equal(decode(rows[i].code, rows[i].arguments, &step, &err),
                         rows[i].error);
        expect_text(&err, rows[i].sentence);
    }
}

static void what_is_written_reads_as_what_it_was(void **state)
{
    static const struct {
        uint32_t code;
        const char *arguments;
    } rows[] = {
        {TPM2_CC_PolicyAuthValue, ""},
        {TPM2_CC_PolicyPCR, "00000001000b03800800" ZEROS_OF_TWO},
        {TPM2_CC_PolicyAuthorize, SIGNER "0003726566"
                                         "0010"},
    };
    struct tpm2_policy_step step;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct devid_policy_command expected =
            command(rows[i].code, rows[i].arguments);
        struct devid_policy policy = {0};

        assert_int_equal(decode(rows[i].code, rows[i].arguments, &step, NULL),
                         DEVID_OK);
        assert_int_equal(tpm2_policy_encode(&step, &policy, NULL), DEVID_OK);
        assert_int_equal(policy.count, 1);
        assert_int_equal(policy.commands[0].code, expected.code);
        assert_int_equal(policy.commands[0].len, expected.len);
        assert_memory_equal(policy.commands[0].arguments, expected.arguments,
                            expected.len);
        devid_policy_clear(&policy);
        OPENSSL_free(expected.arguments);
    }
}

static void pcrs_are_named_as_tpm2_tools_name_them(void **state)
{
    static const struct {
        const char *text;
        const char *words;
        unsigned count;
        bool current;
    } rows[] = {
        {"sha256:0,7", "sha256:0,7", 2, true},
        {"sha256:7,0,7", "sha256:0,7", 2, true},
        {"sha1:23+sha512:8=current", "sha1:23+sha512:8", 2, true},
        {"sha384:0=" ELEVENS, "sha384:0", 1, false},
    };
    TPML_PCR_SELECTION selection;
    char words[TPM2_PCR_WORDS_SIZE];
    TPM2B_DIGEST digest;
    bool current;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        current = !rows[i].current;
        assert_int_equal(
            tpm2_pcr_parse(rows[i].text, &selection, &digest, &current, NULL),
            DEVID_OK);
        tpm2_pcr_words(&selection, words);
        assert_string_equal(words, rows[i].words);
        assert_int_equal(tpm2_pcr_count(&selection), rows[i].count);
        assert_int_equal(current, rows[i].current);
        assert_int_equal(digest.size, rows[i].current ? 0 : 32);
    }
}

static void what_names_no_pcrs_is_refused(void **state)
{
    static const char *const texts[] = {
        "",           "sha256",           "sha256:",    "sha256:24",
        "sha256:0,",  "sha256:-1",        "md5:0",      "sha256:0+sha256:7",
        "sha256:0=",  "sha256:0=xy",      "sha256:0=1", "sha256:0 ",
        "sha256:0;7", "sha256:0=Current", "0,7",        "sha256:0+",
    };
    TPML_PCR_SELECTION selection;
    TPM2B_DIGEST digest;
    bool current;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct devid_error err = {0};

        assert_int_equal(
            tpm2_pcr_parse(texts[i], &selection, &digest, &current, &err),
            DEVID_ERR_INPUT);
        expect_text(&err, "a right one is sha256:0,7");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_leads_to_the_digest_that_a_tpm_makes),
        cmocka_unit_test(policy_or_wants_one_of_its_branches_before_it),
        cmocka_unit_test(what_cannot_be_taken_apart_is_named),
        cmocka_unit_test(what_is_written_reads_as_what_it_was),
        cmocka_unit_test(pcrs_are_named_as_tpm2_tools_name_them),
        cmocka_unit_test(what_names_no_pcrs_is_refused),
    };

    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
