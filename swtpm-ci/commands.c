/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of TPM 2.0 commands: the table.
 */
#include "commands.h"

#include <stddef.h>

#include <tss2/tss2_tpm2_types.h>

struct command {
    uint32_t code;
    const char *name;
};

/* A row: the header's constant, and the same word as the name. */
#define COMMAND(word)                                                          \
    {                                                                          \
        TPM2_CC_##word, #word                                                  \
    }

static const struct command commands[] = {
    COMMAND(NV_UndefineSpaceSpecial),
    COMMAND(EvictControl),
    COMMAND(HierarchyControl),
    COMMAND(NV_UndefineSpace),
    COMMAND(ChangeEPS),
    COMMAND(ChangePPS),
    COMMAND(Clear),
    COMMAND(ClearControl),
    COMMAND(ClockSet),
    COMMAND(HierarchyChangeAuth),
    COMMAND(NV_DefineSpace),
    COMMAND(PCR_Allocate),
    COMMAND(PCR_SetAuthPolicy),
    COMMAND(PP_Commands),
    COMMAND(SetPrimaryPolicy),
    COMMAND(FieldUpgradeStart),
    COMMAND(ClockRateAdjust),
    COMMAND(CreatePrimary),
    COMMAND(NV_GlobalWriteLock),
    COMMAND(GetCommandAuditDigest),
    COMMAND(NV_Increment),
    COMMAND(NV_SetBits),
    COMMAND(NV_Extend),
    COMMAND(NV_Write),
    COMMAND(NV_WriteLock),
    COMMAND(DictionaryAttackLockReset),
    COMMAND(DictionaryAttackParameters),
    COMMAND(NV_ChangeAuth),
    COMMAND(PCR_Event),
    COMMAND(PCR_Reset),
    COMMAND(SequenceComplete),
    COMMAND(SetAlgorithmSet),
    COMMAND(SetCommandCodeAuditStatus),
    COMMAND(FieldUpgradeData),
    COMMAND(IncrementalSelfTest),
    COMMAND(SelfTest),
    COMMAND(Startup),
    COMMAND(Shutdown),
    COMMAND(StirRandom),
    COMMAND(ActivateCredential),
    COMMAND(Certify),
    COMMAND(PolicyNV),
    COMMAND(CertifyCreation),
    COMMAND(Duplicate),
    COMMAND(GetTime),
    COMMAND(GetSessionAuditDigest),
    COMMAND(NV_Read),
    COMMAND(NV_ReadLock),
    COMMAND(ObjectChangeAuth),
    COMMAND(PolicySecret),
    COMMAND(Rewrap),
    COMMAND(Create),
    COMMAND(ECDH_ZGen),
    COMMAND(HMAC),
    COMMAND(Import),
    COMMAND(Load),
    COMMAND(Quote),
    COMMAND(RSA_Decrypt),
    COMMAND(HMAC_Start),
    COMMAND(SequenceUpdate),
    COMMAND(Sign),
    COMMAND(Unseal),
    COMMAND(PolicySigned),
    COMMAND(ContextLoad),
    COMMAND(ContextSave),
    COMMAND(ECDH_KeyGen),
    COMMAND(EncryptDecrypt),
    COMMAND(FlushContext),
    COMMAND(LoadExternal),
    COMMAND(MakeCredential),
    COMMAND(NV_ReadPublic),
    COMMAND(PolicyAuthorize),
    COMMAND(PolicyAuthValue),
    COMMAND(PolicyCommandCode),
    COMMAND(PolicyCounterTimer),
    COMMAND(PolicyCpHash),
    COMMAND(PolicyLocality),
    COMMAND(PolicyNameHash),
    COMMAND(PolicyOR),
    COMMAND(PolicyTicket),
    COMMAND(ReadPublic),
    COMMAND(RSA_Encrypt),
    COMMAND(StartAuthSession),
    COMMAND(VerifySignature),
    COMMAND(ECC_Parameters),
    COMMAND(FirmwareRead),
    COMMAND(GetCapability),
    COMMAND(GetRandom),
    COMMAND(GetTestResult),
    COMMAND(Hash),
    COMMAND(PCR_Read),
    COMMAND(PolicyPCR),
    COMMAND(PolicyRestart),
    COMMAND(ReadClock),
    COMMAND(PCR_Extend),
    COMMAND(PCR_SetAuthValue),
    COMMAND(NV_Certify),
    COMMAND(EventSequenceComplete),
    COMMAND(HashSequenceStart),
    COMMAND(PolicyPhysicalPresence),
    COMMAND(PolicyDuplicationSelect),
    COMMAND(PolicyGetDigest),
    COMMAND(TestParms),
    COMMAND(Commit),
    COMMAND(PolicyPassword),
    COMMAND(ZGen_2Phase),
    COMMAND(EC_Ephemeral),
    COMMAND(PolicyNvWritten),
    COMMAND(PolicyTemplate),
    COMMAND(CreateLoaded),
    COMMAND(PolicyAuthorizeNV),
    COMMAND(EncryptDecrypt2),
    COMMAND(AC_GetCapability),
    COMMAND(AC_Send),
    COMMAND(Policy_AC_SendSelect),
    COMMAND(CertifyX509),
    COMMAND(ACT_SetTimeout),
    COMMAND(Vendor_TCG_Test),
    /* Later than the headers of tpm2-tss 3.2, so by number. */
    {0x00000199, "ECC_Encrypt"},
    {0x0000019a, "ECC_Decrypt"},
    {0x0000019b, "PolicyCapability"},
    {0x0000019c, "PolicyParameters"},
    {0x0000019d, "NV_DefineSpace2"},
    {0x0000019e, "NV_ReadPublic2"},
    {0x0000019f, "SetCapability"},
};

const char *tpm_command_name(uint32_t code)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].code == code)
            return commands[i].name;
    }
    return NULL;
}
