/* SPDX-License-Identifier: Apache-2.0 */
/* A key's policy for people. Pure. */
#include "policy.h"

#include <stdarg.h>
#include <stdio.h>

struct text {
    char *at;
    size_t left;
};

/* What does not fit is cut off. */
static void __attribute__((format(printf, 2, 3)))
put(struct text *text, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text->at, text->left, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= text->left)
        len = (int)text->left - 1;
    text->at += len;
    text->left -= (size_t)len;
}

static void put_step(struct text *text, const struct tpm2_policy_step *step)
{
    char pcrs[TPM2_PCR_WORDS_SIZE];

    switch (step->code) {
    case TPM2_CC_PolicyPCR:
        tpm2_pcr_words(&step->u.pcr.selection, pcrs);
        put(text, "PCRs %s", pcrs);
        return;
    case TPM2_CC_PolicyAuthValue:
    case TPM2_CC_PolicyPassword:
        put(text, "auth value");
        return;
    case TPM2_CC_PolicySecret:
        put(text, "the secret of 0x%08x", step->u.secret.handle);
        return;
    case TPM2_CC_PolicyOR:
        put(text, "one of %u", step->u.any_of.count);
        return;
    case TPM2_CC_PolicyCommandCode:
        put(text, "only TPM command 0x%x", step->u.command);
        return;
    case TPM2_CC_PolicyCounterTimer:
        put(text, "clock or counters");
        return;
    default: /* not an enum: PolicyAuthorize */
        put(text, "signed policy");
        return;
    }
}

static void put_policy(struct text *text, const struct devid_policy *policy,
                       const struct tpm2_policy_digest *digest, size_t count)
{
    struct tpm2_policy_step step;

    for (size_t i = 0; i < count; i++) {
        const struct devid_policy_command *command = &policy->commands[i];

        if (i > 0)
            put(text, " and ");
        if (tpm2_policy_decode(command, digest, &step, NULL) == DEVID_OK)
            put_step(text, &step);
        else
            put(text, "unknown command 0x%x", command->code);
    }
}

void tpm2_policy_words(const struct tpm2_key *key, char *words, size_t size)
{
    const struct devid_policies *list = &key->file->signed_policies;
    struct text text = {words, size};
    struct tpm2_policy_digest digest;

    *words = '\0';
    if (tpm2_policy_digest_start(&digest, key->tpm_public.publicArea.nameAlg,
                                 key->libctx, NULL) != DEVID_OK)
        return;
    put_policy(&text, &key->file->policy, &digest, key->file->policy.count);
    if (!tpm2_policy_is_signed(key->file))
        return;
    put(&text, "; signed: %s", list->count == 0 ? "none" : "");
    for (size_t i = 0; i < list->count; i++) {
        const struct devid_policy *policy = &list->items[i];

        put(&text, "%s%s%s", i > 0 ? ", or " : "",
            policy->name != NULL ? policy->name : "",
            policy->name != NULL ? ": " : "");
        put_policy(&text, policy, &digest,
                   policy->count > 0 ? policy->count - 1 : 0);
    }
}
