/* SPDX-License-Identifier: Apache-2.0 */
/* The endorsement key's certificate, and what its vendor says of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>

#include "attest.h"
#include "certificate.h"
#include "doctor.h"
#include "report.h"

/* EK certificates, and those of their issuers: the TCG's registry. */
#define EK_CHAIN_FIRST 0x01c00100ul
#define EK_CHAIN_LAST 0x01c001fful
/* The others among the first are nonces and templates. */
static const unsigned long ek_certs[] = {
    0x01c00002, 0x01c0000a, 0x01c00012, 0x01c00014, 0x01c00016,
    0x01c00018, 0x01c0001a, 0x01c0001c, 0x01c0001e,
};

enum {
    ISSUERS_MAX = 8 /* as a station is sent, which makes no more of them */
};

static bool is_ek_cert(unsigned long index)
{
    for (size_t i = 0; i < sizeof(ek_certs) / sizeof(*ek_certs); i++) {
        if (ek_certs[i] == index)
            return true;
    }
    return false;
}

static bool is_chain(unsigned long index)
{
    return index >= EK_CHAIN_FIRST && index <= EK_CHAIN_LAST;
}

/* All that an index holds; OPENSSL_malloc. */
static enum devid_err read_index(const struct doctor *doctor, const char *index,
                                 uint8_t **data, size_t *len,
                                 struct devid_error *err)
{
    char uri[40];

    (void)snprintf(uri, sizeof(uri), "tpm2:nv=%s", index);
    return devid_nv_read(doctor->engine, uri, data, len, err);
}

static json_t *look_at_index(const struct doctor *doctor, const char *index)
{
    json_t *report = report_new();
    struct devid_error err = {0};
    struct devid_bytes der;
    uint8_t *data = NULL;
    size_t len = 0;

    report_text(report, "index", index);
    if (read_index(doctor, index, &data, &len, &err) ||
        devid_ek_unwrap((struct devid_bytes){data, len}, &der, &err))
        report_text(report, "error", err.text);
    else
        look_at_certificate(report, der.data, der.len);
    OPENSSL_free(data);
    return report;
}

/* Some vendors wrap these as well; others put several into one. */
static void look_at_issuers(const struct doctor *doctor, json_t *issuers,
                            const char *index)
{
    struct devid_bytes der;
    uint8_t *data = NULL;
    size_t len = 0;

    if (read_index(doctor, index, &data, &len, NULL))
        return;
    if (devid_ek_unwrap((struct devid_bytes){data, len}, &der, NULL))
        der = (struct devid_bytes){data, len};
    look_at_more_certificates(issuers, der.data, der.len);
    OPENSSL_free(data);
}

static void look_ek(struct doctor *doctor, json_t *facts)
{
    json_t *certs = report_array();
    json_t *issuers = report_array();
    const json_t *index;
    size_t chain = 0;
    size_t i;

    json_array_foreach(json_object_get(facts_of(doctor, "tpm"), "nv"), i, index)
    {
        const char *text = json_string_value(index);
        unsigned long number = text ? strtoul(text, NULL, 16) : 0;

        if (is_ek_cert(number))
            report_append(certs, look_at_index(doctor, text));
        if (is_chain(number) && chain++ < ISSUERS_MAX)
            look_at_issuers(doctor, issuers, text);
    }
    report_value(facts, "certificates", certs);
    report_value(facts, "issuers", issuers);
    report_number(facts, "chain", (json_int_t)chain);
}

/* ---- judging ------------------------------------------------------------- */

/* What the TPM brings along, DER each; returns how many. */
static size_t chain_of(const struct doctor *doctor,
                       struct devid_bytes chain[ISSUERS_MAX])
{
    const json_t *issuers = json_object_get(facts_of(doctor, "ek"), "issuers");
    const json_t *cert;
    size_t count = 0;
    size_t i;

    json_array_foreach(issuers, i, cert)
    {
        size_t len = 0;
        uint8_t *der = count < ISSUERS_MAX ? certificate_der(cert, &len) : NULL;

        if (der)
            chain[count++] = (struct devid_bytes){der, len};
    }
    return count;
}

static enum devid_attest_reason
verify(struct doctor *doctor, const json_t *cert, struct devid_error *err)
{
    struct devid_bytes chain[ISSUERS_MAX];
    struct devid_attest_verdict verdict = {0};
    struct devid_attest_policy policy = {.now = fact_now(doctor),
                                         .chain = chain};
    struct devid_trust *trust = NULL;
    size_t len = 0;
    uint8_t *der = certificate_der(cert, &len);
    enum devid_attest_reason reason = DEVID_ATTEST_UNDECIDED;

    policy.chain_count = chain_of(doctor, chain);
    if (der && devid_trust_new(NULL, &trust, err) == DEVID_OK &&
        devid_trust_add(trust, doctor->ek_roots, NULL, err) == DEVID_OK) {
        policy.trust = trust;
        reason =
            devid_ek_verify((struct devid_bytes){der, len}, &policy, &verdict);
        *err = verdict.error;
    }
    devid_trust_free(&trust);
    for (size_t i = 0; i < policy.chain_count; i++)
        OPENSSL_free((void *)(uintptr_t)chain[i].data);
    OPENSSL_free(der);
    return reason;
}

static void judge_certificate(struct doctor *doctor, const json_t *cert)
{
    const char *index = report_get(cert, "index");
    struct devid_error err = {0};
    enum devid_attest_reason reason;

    if (*report_get(cert, "error")) {
        is_note(doctor, "ek.certificate",
                words(doctor, "there is no EK certificate at %s: %s", index,
                      report_get(cert, "error")),
                "a station takes this EK by an allow-list alone", NULL);
        return;
    }
    if (!doctor->ek_roots) {
        is_ok(doctor, "ek.certificate",
              words(doctor, "an EK certificate at %s, issued by %s", index,
                    report_get(cert, "issuer")));
        return;
    }
    reason = verify(doctor, cert, &err);
    if (reason == DEVID_ATTEST_TRUSTED)
        is_ok(doctor, "ek.certificate",
              words(doctor, "the EK certificate at %s verifies: %s", index,
                    report_get(cert, "issuer")));
    else
        is_bad(doctor, "ek.certificate",
               words(doctor,
                     "the EK certificate at %s does not verify (%s): "
                     "%s",
                     index, devid_attest_reason_name(reason), err.text),
               "a station that trusts these vendors refuses this device",
               words(doctor, "devid show tpm2:nv=%s", index));
}

static void judge_ek(struct doctor *doctor, const json_t *facts)
{
    const json_t *tpm = facts_of(doctor, "tpm");
    const json_t *certs = json_object_get(facts, "certificates");
    const json_t *cert;
    size_t i;

    if (!json_object_get(tpm, "properties"))
        return;
    json_array_foreach(certs, i, cert) judge_certificate(doctor, cert);
    if (json_array_size(certs) == 0)
        is_note(doctor, "ek.certificate",
                "the TPM holds no certificate of its endorsement key",
                "no vendor vouches for it: a station takes it by an allow-list "
                "alone. Vendors of firmware TPMs offer them for download",
                "devid whoami");
    else if (!doctor->ek_roots)
        is_note(doctor, "ek.chain",
                "whether a vendor vouches for the EK was not verified",
                "that takes the vendors' certificates",
                "devid doctor --ek-roots FOLDER");
    if (fact_number(facts, "chain") > 0)
        is_ok(doctor, "ek.issuers",
              words(doctor,
                    "the TPM brings %" JSON_INTEGER_FORMAT
                    " NV indices of its issuers' certificates along",
                    fact_number(facts, "chain")));
}

const struct theme ek_theme = {
    .name = "ek",
    .look = look_ek,
    .judge = judge_ek,
};
