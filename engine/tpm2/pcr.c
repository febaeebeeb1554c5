/* SPDX-License-Identifier: Apache-2.0 */
/* PCRs: which a text names, and the digest of their values. */
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#define PCR_MAX 24 /* PCRs of a PC: three octets of selection */
#define SELECT_LEN 3

static const struct bank {
    const char *name;
    TPMI_ALG_HASH hash;
} banks[] = {
    {"sha1", TPM2_ALG_SHA1},
    {"sha256", TPM2_ALG_SHA256},
    {"sha384", TPM2_ALG_SHA384},
    {"sha512", TPM2_ALG_SHA512},
};
#define BANK_COUNT (sizeof(banks) / sizeof(banks[0]))

/* ---- text ------------------------------------------------------------ */

static enum devid_err no_selection(const char *text, const char *why,
                                   struct devid_error *err)
{
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "'%.100s' names no PCRs: %s; a right one is sha256:0,7, "
                      "or sha256:0,7=DIGEST",
                      text, why);
}

/* "0,7" up to the end, "+" or "=". */
static bool parse_numbers(const char **at, TPMS_PCR_SELECTION *selection)
{
    do {
        char *end = NULL;
        unsigned long n;

        if (**at < '0' || **at > '9')
            return false;
        n = strtoul(*at, &end, 10);
        if (n >= PCR_MAX)
            return false;
        selection->pcrSelect[n / 8] |= (BYTE)(1u << (n % 8));
        *at = end;
    } while (*(*at)++ == ',');
    --*at;
    return **at == '\0' || **at == '+' || **at == '=';
}

/* "sha256:0,7" */
static bool parse_bank(const char **at, TPML_PCR_SELECTION *selection)
{
    TPMS_PCR_SELECTION *one = &selection->pcrSelections[selection->count];

    for (size_t i = 0; i < BANK_COUNT; i++) {
        size_t len = strlen(banks[i].name);

        if (strncmp(*at, banks[i].name, len) != 0 || (*at)[len] != ':')
            continue;
        for (UINT32 j = 0; j < selection->count; j++) {
            if (selection->pcrSelections[j].hash == banks[i].hash)
                return false;
        }
        one->hash = banks[i].hash;
        one->sizeofSelect = SELECT_LEN;
        selection->count++;
        *at += len + 1;
        return parse_numbers(at, one);
    }
    return false;
}

static bool parse_hex(const char *at, TPM2B_DIGEST *digest)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = strlen(at);

    if (len == 0 || len % 2 != 0 || len / 2 > sizeof(digest->buffer))
        return false;
    for (size_t i = 0; i < len; i++) {
        const char *digit = strchr(digits, at[i] | 0x20);

        if (digit == NULL)
            return false;
        digest->buffer[i / 2] =
            (BYTE)(digest->buffer[i / 2] << 4 | (digit - digits));
    }
    digest->size = (UINT16)(len / 2);
    return true;
}

enum devid_err tpm2_pcr_parse(const char *text, TPML_PCR_SELECTION *selection,
                              TPM2B_DIGEST *digest, bool *current,
                              struct devid_error *err)
{
    const char *at = text;

    memset(selection, 0, sizeof(*selection));
    memset(digest, 0, sizeof(*digest));
    do {
        if (!parse_bank(&at, selection))
            return no_selection(text,
                                "a bank (sha1, sha256, sha384 or sha512), a "
                                "colon and numbers from 0 to 23 were expected",
                                err);
    } while (*at++ == '+');
    *current = at[-1] != '=' || strcmp(at, "current") == 0;
    if (*current || parse_hex(at, digest))
        return DEVID_OK;
    return no_selection(text,
                        "behind the = stands the digest of their values in "
                        "hex, or current",
                        err);
}

void tpm2_pcr_words(const TPML_PCR_SELECTION *selection,
                    char words[TPM2_PCR_WORDS_SIZE])
{
    size_t used = 0;

    words[0] = '\0';
    for (UINT32 i = 0; i < selection->count; i++) {
        const TPMS_PCR_SELECTION *one = &selection->pcrSelections[i];
        char name[8];
        char mark = ':';

        (void)snprintf(name, sizeof(name), "0x%x", one->hash);
        for (size_t j = 0; j < BANK_COUNT; j++) {
            if (banks[j].hash == one->hash)
                (void)snprintf(name, sizeof(name), "%s", banks[j].name);
        }
        for (unsigned n = 0; n < 8u * one->sizeofSelect; n++) {
            int len;

            if ((one->pcrSelect[n / 8] & 1u << (n % 8)) == 0)
                continue;
            if (mark == ':')
                len = snprintf(words + used, TPM2_PCR_WORDS_SIZE - used,
                               "%s%s:%u", used ? "+" : "", name, n);
            else
                len = snprintf(words + used, TPM2_PCR_WORDS_SIZE - used, "%c%u",
                               mark, n);
            if (len < 0 || (size_t)len >= TPM2_PCR_WORDS_SIZE - used)
                return;
            used += (size_t)len;
            mark = ',';
        }
    }
}

unsigned tpm2_pcr_count(const TPML_PCR_SELECTION *selection)
{
    unsigned count = 0;

    for (UINT32 i = 0; i < selection->count; i++) {
        const TPMS_PCR_SELECTION *one = &selection->pcrSelections[i];

        for (unsigned n = 0; n < 8u * one->sizeofSelect; n++)
            count += (unsigned)one->pcrSelect[n / 8] >> (n % 8) & 1u;
    }
    return count;
}

/* ---- values ---------------------------------------------------------- */

/* Take what was read out of what is still to be read. */
static void subtract(TPML_PCR_SELECTION *wanted, const TPML_PCR_SELECTION *read)
{
    for (UINT32 i = 0; i < wanted->count; i++) {
        TPMS_PCR_SELECTION *one = &wanted->pcrSelections[i];

        for (UINT32 j = 0; j < read->count; j++) {
            const TPMS_PCR_SELECTION *other = &read->pcrSelections[j];

            for (UINT8 n = 0; one->hash == other->hash &&
                              n < one->sizeofSelect && n < other->sizeofSelect;
                 n++)
                one->pcrSelect[n] &= (BYTE)~other->pcrSelect[n];
        }
    }
}

/* Hash the values, in the order of their numbers; bank by bank. */
static enum devid_err read_into(struct tpm2_conn *conn,
                                TPML_PCR_SELECTION *wanted, EVP_MD_CTX *md,
                                struct devid_error *err)
{
    char words[TPM2_PCR_WORDS_SIZE];
    UINT32 first = 0;

    for (bool again = false; tpm2_pcr_count(wanted) > 0; again = true) {
        TPML_PCR_SELECTION *read = NULL;
        TPML_DIGEST *values = NULL;
        UINT32 counter = 0;
        UINT32 got;
        TSS2_RC rc =
            Esys_PCR_Read(conn->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                          wanted, &counter, &read, &values);

        if (rc != TSS2_RC_SUCCESS)
            return tpm2_fail(err, rc, "read its PCRs");
        got = values->count;
        for (UINT32 i = 0; i < got; i++)
            (void)EVP_DigestUpdate(md, values->digests[i].buffer,
                                   values->digests[i].size);
        subtract(wanted, read);
        Esys_Free(read);
        Esys_Free(values);
        tpm2_pcr_words(wanted, words);
        if (got == 0)
            return devid_fail(err, DEVID_ERR_ALG, 0,
                              "this TPM has no PCRs %s: tpm2_getcap pcrs "
                              "shows which banks it has",
                              words);
        if (again && counter != first)
            return devid_fail(err, DEVID_ERR_BUSY, 0,
                              "the PCRs changed while they were read: try "
                              "again when the machine has started");
        first = counter;
    }
    return DEVID_OK;
}

enum devid_err tpm2_pcr_read(struct tpm2_conn *conn,
                             const TPML_PCR_SELECTION *selection,
                             const struct tpm2_policy_digest *how,
                             TPM2B_DIGEST *digest, struct devid_error *err)
{
    TPML_PCR_SELECTION wanted = *selection;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_MD *hash = NULL;
    unsigned len = 0;
    enum devid_err e;

    ERR_set_mark();
    hash =
        EVP_MD_fetch(how->libctx, tpm2_hash_name(how->hash), "provider!=devid");
    if (md == NULL || hash == NULL || EVP_DigestInit_ex2(md, hash, NULL) != 1)
        e = devid_fail(err, DEVID_ERR_SYSTEM, 0,
                       "OpenSSL does not compute the digest of PCRs");
    else
        e = read_into(conn, &wanted, md, err);
    if (e == DEVID_OK && EVP_DigestFinal_ex(md, digest->buffer, &len) != 1)
        e = devid_fail(err, DEVID_ERR_SYSTEM, 0,
                       "OpenSSL does not compute the digest of PCRs");
    digest->size = (UINT16)len;
    ERR_pop_to_mark();
    EVP_MD_CTX_free(md);
    EVP_MD_free(hash);
    return e;
}
