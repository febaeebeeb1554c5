/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of key files: taken apart, hashed, written down again. */
#include "fuzz.h"

#include "keyfile.h"
#include "tpm2/policy.h"

#include <string.h>

/* A structure of the TPM has more than one form; what it says is the same. */
static void compare_authorize(const struct devid_policy *policy,
                              const struct tpm2_policy_step *step)
{
    struct tpm2_policy_digest digest;
    struct tpm2_policy_step again;
    TPM2B_DIGEST to_sign;

    must(tpm2_policy_digest_start(&digest, TPM2_ALG_SHA256, NULL, NULL) ==
         DEVID_OK);
    must(tpm2_policy_decode(&policy->commands[0], &digest, &again, NULL) ==
         DEVID_OK);
    must(again.u.authorize.name.size == step->u.authorize.name.size);
    must(again.u.authorize.ref.size == step->u.authorize.ref.size);
    must(tpm2_policy_to_sign(&digest, &again.u.authorize.ref, &to_sign, NULL) ==
         DEVID_OK);
    must(to_sign.size == 32);
}

/* What is written down of a step must read as the same bytes. */
static void write_anew(const struct devid_policy_command *command,
                       const struct tpm2_policy_step *step)
{
    struct devid_policy policy = {0};

    if (step->code != TPM2_CC_PolicyPCR &&
        step->code != TPM2_CC_PolicyAuthorize &&
        step->code != TPM2_CC_PolicyAuthValue)
        return; /* not written */
    must(tpm2_policy_encode(step, &policy, NULL) == DEVID_OK);
    if (step->code == TPM2_CC_PolicyAuthorize) {
        compare_authorize(&policy, step);
        devid_policy_clear(&policy);
        return;
    }
    must(policy.commands[0].len == command->len);
    must(memcmp(policy.commands[0].arguments, command->arguments,
                command->len) == 0);
    devid_policy_clear(&policy);
}

static void walk(const struct devid_policy *policy)
{
    struct tpm2_policy_digest digest;
    struct tpm2_policy_step step;
    struct devid_error err = {0};

    must(tpm2_policy_digest_start(&digest, TPM2_ALG_SHA256, NULL, NULL) ==
         DEVID_OK);
    for (size_t i = 0; i < policy->count; i++) {
        if (tpm2_policy_decode(&policy->commands[i], &digest, &step, &err) !=
            DEVID_OK) {
            must(err.text[0] != '\0');
            return;
        }
        write_anew(&policy->commands[i], &step);
        if (tpm2_policy_digest_step(&digest, &step, &err) != DEVID_OK)
            return;
        must(digest.value.size == 32);
    }
}

static void try_pcrs(const uint8_t *data, size_t size)
{
    char text[256];
    char words[TPM2_PCR_WORDS_SIZE];
    TPML_PCR_SELECTION selection;
    TPM2B_DIGEST digest;
    bool current;

    if (size >= sizeof(text))
        return;
    memcpy(text, data, size);
    text[size] = '\0';
    if (tpm2_pcr_parse(text, &selection, &digest, &current, NULL) != DEVID_OK)
        return;
    must(tpm2_pcr_count(&selection) > 0);
    tpm2_pcr_words(&selection, words);
    must(words[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct devid_keyfile file;

    try_pcrs(data, size);
    if (devid_keyfile_parse(data, size, NULL, &file, NULL) == DEVID_OK) {
        walk(&file.policy);
        for (size_t i = 0; i < file.signed_policies.count; i++)
            walk(&file.signed_policies.items[i]);
        devid_keyfile_clear(&file);
    }
    must_leave_no_error();
    return 0;
}
