/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of a policy from and to their form in key files. Pure. */
#include "policy.h"

#include <string.h>

#include <tss2/tss2_mu.h>

/* What is left of a command's arguments. */
struct input {
    const struct devid_policy_command *command;
    size_t offset;
    size_t digest_len; /* of the key's name algorithm */
    OSSL_LIB_CTX *libctx;
};

static size_t left(const struct input *in)
{
    return in->command->len - in->offset;
}

static bool decode_nothing(struct input *in, struct tpm2_policy_step *step)
{
    (void)in;
    (void)step;
    return true;
}

/* Selection, then the digest without its length: unlike Part 3's order. */
static bool decode_pcr(struct input *in, struct tpm2_policy_step *step)
{
    TPM2B_DIGEST *digest = &step->u.pcr.digest;

    if (Tss2_MU_TPML_PCR_SELECTION_Unmarshal(in->command->arguments,
                                             in->command->len, &in->offset,
                                             &step->u.pcr.selection) != 0 ||
        left(in) != in->digest_len)
        return false;
    digest->size = (UINT16)in->digest_len;
    memcpy(digest->buffer, in->command->arguments + in->offset, in->digest_len);
    in->offset += in->digest_len;
    return true;
}

/* The key itself, where Part 3 has its Name, and no ticket. */
static bool decode_authorize(struct input *in, struct tpm2_policy_step *step)
{
    const uint8_t *data = in->command->arguments;
    size_t len = in->command->len;

    return Tss2_MU_TPM2B_PUBLIC_Unmarshal(data, len, &in->offset,
                                          &step->u.authorize.key) == 0 &&
           tpm2_public_name(&step->u.authorize.key.publicArea, in->libctx,
                            &step->u.authorize.name, NULL) == DEVID_OK &&
           Tss2_MU_TPM2B_NONCE_Unmarshal(data, len, &in->offset,
                                         &step->u.authorize.ref) == 0 &&
           Tss2_MU_TPMT_SIGNATURE_Unmarshal(data, len, &in->offset,
                                            &step->u.authorize.signature) == 0;
}

static bool decode_secret(struct input *in, struct tpm2_policy_step *step)
{
    const uint8_t *data = in->command->arguments;
    size_t len = in->command->len;

    return Tss2_MU_UINT32_Unmarshal(data, len, &in->offset,
                                    &step->u.secret.handle) == 0 &&
           Tss2_MU_TPM2B_NAME_Unmarshal(data, len, &in->offset,
                                        &step->u.secret.name) == 0 &&
           Tss2_MU_TPM2B_NONCE_Unmarshal(data, len, &in->offset,
                                         &step->u.secret.ref) == 0;
}

static bool decode_or(struct input *in, struct tpm2_policy_step *step)
{
    return Tss2_MU_TPML_DIGEST_Unmarshal(in->command->arguments,
                                         in->command->len, &in->offset,
                                         &step->u.any_of) == 0;
}

static bool decode_command(struct input *in, struct tpm2_policy_step *step)
{
    return Tss2_MU_UINT32_Unmarshal(in->command->arguments, in->command->len,
                                    &in->offset, &step->u.command) == 0;
}

/* The operand has no length: it is what stands before the last two numbers. */
static bool decode_timer(struct input *in, struct tpm2_policy_step *step)
{
    TPM2B_OPERAND *operand = &step->u.timer.operand;
    size_t len = in->command->len;

    if (len < 4 || len - 4 > sizeof(operand->buffer))
        return false;
    operand->size = (UINT16)(len - 4);
    memcpy(operand->buffer, in->command->arguments, len - 4);
    in->offset = len - 4;
    return Tss2_MU_UINT16_Unmarshal(in->command->arguments, len, &in->offset,
                                    &step->u.timer.offset) == 0 &&
           Tss2_MU_UINT16_Unmarshal(in->command->arguments, len, &in->offset,
                                    &step->u.timer.operation) == 0;
}

static const struct command {
    TPM2_CC code;
    const char *name;
    bool (*decode)(struct input *in, struct tpm2_policy_step *step);
} commands[] = {
    {TPM2_CC_PolicyPCR, "PolicyPCR", decode_pcr},
    {TPM2_CC_PolicyAuthValue, "PolicyAuthValue", decode_nothing},
    {TPM2_CC_PolicyPassword, "PolicyPassword", decode_nothing},
    {TPM2_CC_PolicyAuthorize, "PolicyAuthorize", decode_authorize},
    {TPM2_CC_PolicySecret, "PolicySecret", decode_secret},
    {TPM2_CC_PolicyOR, "PolicyOR", decode_or},
    {TPM2_CC_PolicyCommandCode, "PolicyCommandCode", decode_command},
    {TPM2_CC_PolicyCounterTimer, "PolicyCounterTimer", decode_timer},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const struct command *command_by_code(TPM2_CC code)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i].code == code)
            return &commands[i];
    }
    return NULL;
}

enum devid_err tpm2_policy_decode(const struct devid_policy_command *command,
                                  const struct tpm2_policy_digest *digest,
                                  struct tpm2_policy_step *step,
                                  struct devid_error *err)
{
    const struct command *row = command_by_code(command->code);
    struct input in = {
        .command = command,
        .digest_len = digest->value.size,
        .libctx = digest->libctx,
    };

    memset(step, 0, sizeof(*step));
    step->code = command->code;
    if (row == NULL) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the key's policy has a command 0x%x, which devid "
                          "does not know: it knows PolicyPCR, PolicyAuthValue, "
                          "PolicyPassword, PolicyAuthorize, PolicySecret, "
                          "PolicyOR, PolicyCommandCode and PolicyCounterTimer",
                          command->code);
    }
    if (row->decode(&in, step) && left(&in) == 0)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "the arguments of %s in the key file's policy are "
                      "garbled (%zu bytes): restore the file from a backup",
                      row->name, command->len);
}

/* ---- out ------------------------------------------------------------- */

enum devid_err tpm2_policy_encode(const struct tpm2_policy_step *step,
                                  struct devid_policy *policy,
                                  struct devid_error *err)
{
    uint8_t buf[sizeof(*step) + 64];
    size_t len = 0;
    TSS2_RC rc = 0;

    if (step->code == TPM2_CC_PolicyPCR) {
        const TPM2B_DIGEST *digest = &step->u.pcr.digest;

        rc = Tss2_MU_TPML_PCR_SELECTION_Marshal(&step->u.pcr.selection, buf,
                                                sizeof(buf), &len);
        memcpy(buf + len, digest->buffer, digest->size);
        len += digest->size;
    } else if (step->code == TPM2_CC_PolicyAuthorize) {
        rc = Tss2_MU_TPM2B_PUBLIC_Marshal(&step->u.authorize.key, buf,
                                          sizeof(buf), &len);
        if (rc == 0)
            rc = Tss2_MU_TPM2B_NONCE_Marshal(&step->u.authorize.ref, buf,
                                             sizeof(buf), &len);
        if (rc == 0)
            rc = Tss2_MU_TPMT_SIGNATURE_Marshal(&step->u.authorize.signature,
                                                buf, sizeof(buf), &len);
    }
    if (rc != 0)
        return devid_fail(err, DEVID_ERR_SYSTEM, rc,
                          "a command of the policy does not encode (0x%x)", rc);
    return devid_policy_append(policy, step->code, buf, len, err);
}
