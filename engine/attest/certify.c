/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the IAK states: that a TPM made it, and that the IDevID is in the same
 * TPM. A restricted key signs no such statement that its TPM did not write.
 * Source: TPM 2.0 Part 2, 10.12; Part 3, TPM2_CertifyCreation, TPM2_Certify.
 */
#include "attest_internal.h"

#include "../backend.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <string.h>

static const struct statement {
    const char *info_field;
    const char *sig_field;
    const char *command;
    TPMI_ST_ATTEST type;
    enum devid_attest_reason info, signature, name;
} creation =
    {
        .info_field = "atCertifyInfo",
        .sig_field = "atCertifyInfoSig",
        .command = "TPM2_CertifyCreation",
        .type = TPM2_ST_ATTEST_CREATION,
        .info = DEVID_ATTEST_IAK_INFO,
        .signature = DEVID_ATTEST_IAK_INFO_SIGNATURE,
        .name = DEVID_ATTEST_IAK_INFO_NAME,
},
  certify = {
      .info_field = "sgnCertifyInfo",
      .sig_field = "sgnCertifyInfoSig",
      .command = "TPM2_Certify",
      .type = TPM2_ST_ATTEST_CERTIFY,
      .info = DEVID_ATTEST_IDEVID_INFO,
      .signature = DEVID_ATTEST_IDEVID_INFO_SIGNATURE,
      .name = DEVID_ATTEST_IDEVID_INFO_NAME,
};

static bool same(const void *a, size_t a_len, const void *b, size_t b_len)
{
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

static bool is_name(const TPM2B_NAME *found, const struct devid_tpm_name *name)
{
    return same(found->name, found->size, name->data, name->len);
}

static bool is_qualified(const TPM2B_NAME *found, const struct attest_key *key)
{
    return same(found->name, found->size, key->qualified.name,
                key->qualified.size);
}

static enum devid_attest_reason
check_statement(const struct statement *s, const struct devid_bytes in[2],
                const struct attest_key *iak, TPMS_ATTEST *out,
                struct devid_attest_verdict *verdict)
{
    TPMT_SIGNATURE signature;
    struct devid_error err = {0};
    struct attest_kind kind;

    if (attest_parse_kind(in[0], &kind) &&
        (kind.magic != TPM2_GENERATED_VALUE || kind.type != s->type)) {
        return attest_refuse(verdict, s->info,
                             "the request's %s begins with 0x%08x%04x: what "
                             "%s of a TPM states begins with 0x%08x%04x",
                             s->info_field, kind.magic, kind.type, s->command,
                             TPM2_GENERATED_VALUE, s->type);
    }
    if (attest_parse_attest(in[0], s->info_field, out, &verdict->error) !=
        DEVID_OK)
        return s->info;
    if (attest_parse_signature(in[1], s->sig_field, &signature,
                               &verdict->error) != DEVID_OK)
        return s->signature;
    if (attest_signature_verify(iak->pub, iak->libctx, in[0], &signature,
                                &err) != DEVID_OK) {
        return attest_refuse(verdict, s->signature,
                             "the request's %s is not the IAK's over %s: "
                             "%.500s",
                             s->sig_field, s->info_field, err.text);
    }
    if (!is_qualified(&out->qualifiedSigner, iak)) {
        return attest_refuse(verdict, s->name,
                             "the qualifiedSigner in the request's %s is not "
                             "that of the IAK as a primary key of the "
                             "endorsement hierarchy",
                             s->info_field);
    }
    return DEVID_ATTEST_TRUSTED;
}

/* ---- the IAK's own ----------------------------------------------------- */

/* Only the TPM that made it can tell whether a ticket is genuine. */
static enum devid_attest_reason
check_ticket(struct devid_bytes in, struct devid_attest_verdict *verdict)
{
    TPMT_TK_CREATION ticket;

    if (attest_parse_ticket(in, "atCreateTkt", &ticket, &verdict->error) !=
        DEVID_OK)
        return DEVID_ATTEST_IAK_TICKET;
    if (ticket.tag == TPM2_ST_CREATION &&
        ticket.hierarchy == TPM2_RH_ENDORSEMENT && ticket.digest.size != 0)
        return DEVID_ATTEST_TRUSTED;
    return attest_refuse(verdict, DEVID_ATTEST_IAK_TICKET,
                         "the request's atCreateTkt has tag 0x%x, hierarchy "
                         "0x%x and %u bytes of digest: a creation ticket of "
                         "the endorsement hierarchy has 0x%x, 0x%x and some",
                         ticket.tag, ticket.hierarchy, ticket.digest.size,
                         TPM2_ST_CREATION, TPM2_RH_ENDORSEMENT);
}

static bool is_endorsement(const TPM2B_NAME *name)
{
    static const uint8_t handle[] = {0x40, 0x00, 0x00, 0x0b};

    return same(name->name, name->size, handle, sizeof(handle));
}

/* What the TPM wrote down of it, in itself. */
static enum devid_attest_reason
check_creation_data(const TPMS_CREATION_DATA *data,
                    struct devid_attest_verdict *verdict)
{
    if (data->parentNameAlg != TPM2_ALG_NULL ||
        !is_endorsement(&data->parentName) ||
        !is_endorsement(&data->parentQualifiedName))
        return attest_refuse(verdict, DEVID_ATTEST_IAK_CREATION,
                             "by its creation data the IAK is no primary key "
                             "of the endorsement hierarchy");
    if (data->outsideInfo.size != 0)
        return attest_refuse(verdict, DEVID_ATTEST_IAK_CREATION,
                             "the outsideInfo in the IAK's creation data has "
                             "%u bytes: none are wanted",
                             data->outsideInfo.size);
    if (data->locality != TPMA_LOCALITY_TPM2_LOC_ZERO)
        return attest_refuse(verdict, DEVID_ATTEST_IAK_CREATION,
                             "the locality in the IAK's creation data is "
                             "0x%02x: an IAK is made in locality 0, which is "
                             "0x01",
                             data->locality);
    return DEVID_ATTEST_TRUSTED;
}

/* The creation data, where it came along, and the hash that was certified. */
static enum devid_attest_reason
check_creation(struct devid_bytes in, const TPM2B_DIGEST *certified,
               const struct attest_key *iak,
               struct devid_attest_verdict *verdict)
{
    const struct devid_hash *hash = tpm2_hash_from_id(iak->area.nameAlg);
    uint8_t digest[EVP_MAX_MD_SIZE];
    TPMS_CREATION_DATA data;

    if (in.len == 0) {
        if (certified->size == hash->len)
            return DEVID_ATTEST_TRUSTED;
        return attest_refuse(verdict, DEVID_ATTEST_IAK_CREATION,
                             "the creationHash in the request's atCertifyInfo "
                             "has %u bytes where %s takes %zu",
                             certified->size, hash->name, hash->len);
    }
    if (attest_parse_creation(in, "creation data", &data, &verdict->error) !=
        DEVID_OK)
        return DEVID_ATTEST_IAK_CREATION;
    if (attest_digest(hash, iak->libctx, in, digest, NULL) != DEVID_OK)
        return attest_undecided(verdict);
    if (!same(digest, hash->len, certified->buffer, certified->size)) {
        return attest_refuse(verdict, DEVID_ATTEST_IAK_CREATION,
                             "the creationHash in the request's atCertifyInfo "
                             "is not the %s of the creation data",
                             hash->name);
    }
    return check_creation_data(&data, verdict);
}

enum devid_attest_reason
attest_creation_check(const struct devid_attest_request *request,
                      const struct devid_attest_policy *policy,
                      const struct attest_key *iak,
                      struct devid_attest_verdict *verdict)
{
    const struct devid_tcg_csr *csr = request->csr;
    const struct devid_bytes in[2] = {csr->atCertifyInfo,
                                      csr->atCertifyInfoSig};
    bool none = csr->atCreateTkt.len == 0 && in[0].len == 0 && in[1].len == 0;
    TPMS_ATTEST info = {0};
    enum devid_attest_reason r;

    if (none && policy->allow_no_iak_proof)
        return DEVID_ATTEST_TRUSTED;
    if (csr->atCreateTkt.len == 0 || in[0].len == 0 || in[1].len == 0) {
        return attest_refuse(verdict, DEVID_ATTEST_IAK_PROOF_MISSING,
                             "the request lacks %s: nothing shows that a TPM "
                             "made the IAK",
                             csr->atCreateTkt.len == 0 ? "atCreateTkt"
                             : in[0].len == 0          ? "atCertifyInfo"
                                                       : "atCertifyInfoSig");
    }
    r = check_ticket(csr->atCreateTkt, verdict);
    if (r == DEVID_ATTEST_TRUSTED)
        r = check_statement(&creation, in, iak, &info, verdict);
    if (r != DEVID_ATTEST_TRUSTED)
        return r;
    if (!is_name(&info.attested.creation.objectName, iak->name)) {
        return attest_refuse(verdict, DEVID_ATTEST_IAK_INFO_NAME,
                             "the request's atCertifyInfo certifies the "
                             "creation of another key than attestPub");
    }
    r = check_creation(request->creation, &info.attested.creation.creationHash,
                       iak, verdict);
    verdict->iak_proven = r == DEVID_ATTEST_TRUSTED;
    return r;
}

/* ---- the IDevID's ------------------------------------------------------ */

enum devid_attest_reason
attest_certify_check(const struct devid_attest_request *request,
                     const struct attest_key keys[2],
                     struct devid_attest_verdict *verdict)
{
    const struct devid_tcg_csr *csr = request->csr;
    const struct devid_bytes in[2] = {csr->sgnCertifyInfo,
                                      csr->sgnCertifyInfoSig};
    const struct attest_key *iak = &keys[0];
    const struct attest_key *idevid = &keys[1];
    TPMS_ATTEST info = {0};
    enum devid_attest_reason r;

    if (in[0].len == 0 || in[1].len == 0) {
        return attest_refuse(verdict, DEVID_ATTEST_IDEVID_PROOF_MISSING,
                             "the request lacks %s: nothing shows that the "
                             "IDevID is in the IAK's TPM",
                             in[0].len == 0 ? "sgnCertifyInfo"
                                            : "sgnCertifyInfoSig");
    }
    r = check_statement(&certify, in, iak, &info, verdict);
    if (r != DEVID_ATTEST_TRUSTED)
        return r;
    if (!is_name(&info.attested.certify.name, idevid->name)) {
        return attest_refuse(verdict, DEVID_ATTEST_IDEVID_INFO_NAME,
                             "the request's sgnCertifyInfo certifies another "
                             "key than signingPub");
    }
    if (!is_qualified(&info.attested.certify.qualifiedName, idevid)) {
        return attest_refuse(verdict, DEVID_ATTEST_IDEVID_INFO_NAME,
                             "the qualifiedName in the request's "
                             "sgnCertifyInfo is not that of the IDevID as a "
                             "primary key of the endorsement hierarchy");
    }
    if (request->nonce.len != 0 &&
        !same(info.extraData.buffer, info.extraData.size, request->nonce.data,
              request->nonce.len)) {
        return attest_refuse(verdict, DEVID_ATTEST_IDEVID_NONCE,
                             "the extraData in the request's sgnCertifyInfo "
                             "(%u bytes) is not the station's nonce (%zu): it "
                             "was made for another occasion",
                             info.extraData.size, request->nonce.len);
    }
    return DEVID_ATTEST_TRUSTED;
}
