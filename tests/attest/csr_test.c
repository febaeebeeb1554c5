/* SPDX-License-Identifier: Apache-2.0 */
/* TCG-CSR-IDEVID on the wire. */
#include "support.h"

#include "attest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES(text)                                                            \
    {                                                                          \
        (const uint8_t *)(text), sizeof(text) - 1                              \
    }
#define HASH_AT (12 + 12) /* of a whole one with SHA-256 */
#define SIZES_AT (HASH_AT + 32)
#define VALUES_AT (SIZES_AT + 13 * 4)

static struct devid_tcg_csr sample(void)
{
    const struct devid_tcg_csr csr = {
        .hash = devid_hash_by_name("SHA256"),
        .prodModel = BYTES("M1"),
        .prodSerial = BYTES("SN123"),
        .ekCert = BYTES("ek"),
        .attestPub = BYTES("attest"),
        .atCreateTkt = BYTES("ticket"),
        .atCertifyInfo = BYTES("info"),
        .atCertifyInfoSig = BYTES("sig"),
        .signingPub = BYTES("signing"),
        .sgnCertifyInfo = BYTES("sgn info"),
        .sgnCertifyInfoSig = BYTES("sgn sig"),
    };

    return csr;
}

/* A whole request from fields and a signature; the caller frees. */
static uint8_t *encode(const struct devid_tcg_csr *csr, size_t *len)
{
    const struct devid_bytes signature = BYTES("signature");
    struct devid_bytes contents = {NULL, 0};
    uint8_t *inner = NULL;
    uint8_t *out = NULL;

    assert_int_equal(
        devid_tcg_csr_encode_contents(csr, NULL, &inner, &contents.len, NULL),
        DEVID_OK);
    contents.data = inner;
    assert_int_equal(devid_tcg_csr_encode(contents, signature, &out, len, NULL),
                     DEVID_OK);
    OPENSSL_free(inner);
    return out;
}

static void hash_anew(uint8_t *data, size_t contents_end)
{
    assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, data + SIZES_AT,
                                  contents_end - SIZES_AT, data + HASH_AT,
                                  NULL),
                     1);
}

static void assert_bytes(struct devid_bytes b, const char *text)
{
    assert_int_equal(b.len, strlen(text));
    assert_memory_equal(b.data, text, b.len);
}

static void the_layout_is_the_one_of_the_tcg(void **state)
{
    static const uint8_t head[] = {
        0x01, 0x00, 0x01, 0x00, 0, 0, 0, 0xa0, 0, 0, 0, 9,
        0x00, 0x00, 0x01, 0x00, 0, 0, 0, 0x0b, 0, 0, 0, 32,
    };
    static const uint8_t sizes[] = {
        0,   0,   0,   2,   0,   0,   0,   5,   0,   0,   0,   0,   0,
        0,   0,   0,   0,   0,   0,   2,   0,   0,   0,   6,   0,   0,
        0,   6,   0,   0,   0,   4,   0,   0,   0,   3,   0,   0,   0,
        7,   0,   0,   0,   8,   0,   0,   0,   7,   0,   0,   0,   14,
        'M', '1', 'S', 'N', '1', '2', '3', 'e', 'k', 'a', 't', 't', 'e',
        's', 't', 't', 'i', 'c', 'k', 'e', 't',
    };
    const struct devid_tcg_csr csr = sample();
    uint8_t digest[32];
    size_t len = 0;
    uint8_t *data = encode(&csr, &len);

    (void)state;
    assert_int_equal(len, 12 + 0xa0 + 9);
    assert_memory_equal(data, head, sizeof(head));
    assert_memory_equal(data + SIZES_AT, sizes, sizeof(sizes));
    assert_memory_equal(data + len - 9 - 14, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                        14);
    assert_memory_equal(data + len - 9, "signature", 9);
    memcpy(digest, data + HASH_AT, 32);
    hash_anew(data, len - 9);
    assert_memory_equal(data + HASH_AT, digest, 32);
    OPENSSL_free(data);
}

static void what_is_written_reads_back_field_by_field(void **state)
{
    const struct devid_tcg_csr csr = sample();
    struct devid_error err = {0};
    struct devid_tcg_csr back;
    size_t len = 0;
    uint8_t *data = encode(&csr, &len);
    const struct devid_bytes whole = {data, len};

    (void)state;
    assert_int_equal(devid_tcg_csr_decode(whole, NULL, &back, &err), DEVID_OK);
    assert_ptr_equal(back.hash, csr.hash);
    assert_bytes(back.prodModel, "M1");
    assert_bytes(back.prodSerial, "SN123");
    assert_int_equal(back.prodCaData.len, 0);
    assert_int_equal(back.bootEvntLog.len, 0);
    assert_bytes(back.ekCert, "ek");
    assert_bytes(back.attestPub, "attest");
    assert_bytes(back.atCreateTkt, "ticket");
    assert_bytes(back.atCertifyInfo, "info");
    assert_bytes(back.atCertifyInfoSig, "sig");
    assert_bytes(back.signingPub, "signing");
    assert_bytes(back.sgnCertifyInfo, "sgn info");
    assert_bytes(back.sgnCertifyInfoSig, "sgn sig");
    assert_int_equal(back.pad.len, 14);
    assert_bytes(back.signature, "signature");
    assert_ptr_equal(back.contents.data, data + 12);
    assert_int_equal(back.contents.len, 0xa0);

    /* The contents alone are the same request without a signature. */
    assert_int_equal(
        devid_tcg_csr_decode_contents(back.contents, NULL, &back, &err),
        DEVID_OK);
    assert_bytes(back.sgnCertifyInfoSig, "sgn sig");
    assert_int_equal(back.signature.len, 0);
    OPENSSL_free(data);
}

static void each_violation_has_its_own_sentence(void **state)
{
    static const struct {
        size_t at; /* of the byte that is changed */
        uint8_t value;
        enum devid_err code;
        const char *text;
    } cases[] = {
        {0, 2, DEVID_ERR_INPUT,
         "structVer at offset 0 is 0x02000100 where 0x01000100 is"},
        {12, 1, DEVID_ERR_INPUT,
         "structVer of the contents at offset 12 is 0x01000100 where "
         "0x00000100 is"},
        {7, 0x9f, DEVID_ERR_INPUT,
         "1 bytes are left behind signature at offset 180"},
        {7, 0xa1, DEVID_ERR_INPUT,
         "signature at offset 173 of the TCG-CSR-IDEVID takes 9 bytes where 8"},
        {4, 0xff, DEVID_ERR_INPUT, "csrContents at offset 12"},
        {11, 8, DEVID_ERR_INPUT, "left behind signature at offset 180"},
        {19, 0x04, DEVID_ERR_ALG, "hashAlgoId at offset 16 is 0x4 where 0xb"},
        {16, 0x01, DEVID_ERR_ALG, "hashAlgoId at offset 16 is 0x100000b"},
        {23, 20, DEVID_ERR_INPUT,
         "hashSz at offset 20 is 20 where SHA2-256 takes 32"},
        {HASH_AT, 0, DEVID_ERR_INPUT,
         "hash at offset 24 is not the SHA2-256 of the 116 bytes that follow"},
        {VALUES_AT, 'X', DEVID_ERR_INPUT, "hash at offset 24 is not the"},
        {SIZES_AT + 3, 99, DEVID_ERR_INPUT,
         "prodModel at offset 108 of the TCG-CSR-IDEVID takes 99 bytes where "
         "64 "
         "are left: it is cut short"},
        {SIZES_AT + 16, 0xff, DEVID_ERR_INPUT,
         "ekCert at offset 115 of the TCG-CSR-IDEVID takes 4278190082 bytes"},
        {SIZES_AT + 51, 13, DEVID_ERR_INPUT,
         "1 bytes are left behind pad at offset 171"},
        {SIZES_AT + 51, 15, DEVID_ERR_INPUT,
         "pad at offset 158 of the TCG-CSR-IDEVID takes 15 bytes where 14"},
    };
    const struct devid_tcg_csr csr = sample();

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct devid_error err = {0};
        struct devid_tcg_csr back;
        size_t len = 0;
        uint8_t *data = encode(&csr, &len);
        const struct devid_bytes whole = {data, len};

        assert_int_not_equal(data[cases[i].at], cases[i].value);
        data[cases[i].at] = cases[i].value;
        assert_int_equal(devid_tcg_csr_decode(whole, NULL, &back, &err),
                         cases[i].code);
        expect_text(&err, cases[i].text);
        assert_null(back.prodModel.data);
        OPENSSL_free(data);
    }
}

static void padding_beyond_the_next_multiple_of_sixteen_is_refused(void **state)
{
    const struct devid_tcg_csr csr = sample();
    struct devid_error err = {0};
    struct devid_tcg_csr back;
    size_t len = 0;
    uint8_t *data = encode(&csr, &len);
    uint8_t *longer = calloc(1, len + 16);
    const struct devid_bytes whole = {longer, len + 16};

    (void)state;
    assert_non_null(longer);
    memcpy(longer, data, len - 9);
    memcpy(longer + len - 9 + 16, data + len - 9, 9);
    longer[7] = 0xb0;
    longer[SIZES_AT + 51] = 30;
    hash_anew(longer, len - 9 + 16);
    assert_int_equal(devid_tcg_csr_decode(whole, NULL, &back, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "padSz at offset 104 is 30 where the contents need 14 "
                      "bytes to a multiple of 16");
    free(longer);
    OPENSSL_free(data);
}

static void a_request_cut_anywhere_is_refused_and_says_where(void **state)
{
    const struct devid_tcg_csr csr = sample();
    size_t len = 0;
    uint8_t *data = encode(&csr, &len);

    (void)state;
    for (size_t n = 0; n < len; n++) {
        const struct devid_bytes cut = {data, n};
        struct devid_error err = {0};
        struct devid_tcg_csr back;

        assert_int_equal(devid_tcg_csr_decode(cut, NULL, &back, &err),
                         DEVID_ERR_INPUT);
        expect_text(&err, "at offset ");
    }
    OPENSSL_free(data);
}

static void a_request_without_a_hash_that_counts_is_not_written(void **state)
{
    struct devid_tcg_csr csr = sample();
    struct devid_error err = {0};
    uint8_t *out = NULL;
    size_t len = 0;

    (void)state;
    csr.hash = devid_hash_by_name("SHA1");
    assert_int_equal(
        devid_tcg_csr_encode_contents(&csr, NULL, &out, &len, &err),
        DEVID_ERR_ALG);
    expect_text(&err, "not by SHA1");
    csr.hash = NULL;
    assert_int_equal(
        devid_tcg_csr_encode_contents(&csr, NULL, &out, &len, &err),
        DEVID_ERR_ALG);
    assert_null(out);
}

/* ---- requests of real devices ------------------------------------------ */

static void rewritten_byte_for_byte(struct devid_bytes data, bool whole)
{
    struct devid_error err = {0};
    struct devid_tcg_csr csr;
    uint8_t *contents = NULL;
    uint8_t *again = NULL;
    size_t len = 0;

    assert_int_equal(
        (whole ? devid_tcg_csr_decode
               : devid_tcg_csr_decode_contents)(data, NULL, &csr, &err),
        DEVID_OK);
    assert_int_equal(
        devid_tcg_csr_encode_contents(&csr, NULL, &contents, &len, &err),
        DEVID_OK);
    assert_int_equal(len, csr.contents.len);
    assert_memory_equal(contents, csr.contents.data, len);
    if (whole) {
        assert_int_equal(devid_tcg_csr_encode(csr.contents, csr.signature,
                                              &again, &len, &err),
                         DEVID_OK);
        assert_int_equal(len, data.len);
        assert_memory_equal(again, data.data, len);
    }
    OPENSSL_free(contents);
    OPENSSL_free(again);
}

static void requests_of_devices_are_read_and_rewritten_as_they_are(void **state)
{
    static const char *const files[] = {
        "csrResponse-csr_contents.bin",
        "made/request_p256_rsaek.bin",
        "made/request_p256_eccek.bin",
    };
    const char *dir = getenv("DEVID_PEER_DATA");
    char path[1024] = "";

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/tcgcsr", dir != NULL ? dir : "");
    for (size_t i = 0; i < COUNT(files); i++) {
        size_t len = 0;
        char *text = read_file(path, files[i], &len);

        if (text == NULL) {
            print_message("%s/%s is not there\n", path, files[i]);
            skip();
        }
        rewritten_byte_for_byte(
            (struct devid_bytes){(const uint8_t *)text, len}, i > 0);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layout_is_the_one_of_the_tcg),
        cmocka_unit_test(what_is_written_reads_back_field_by_field),
        cmocka_unit_test(each_violation_has_its_own_sentence),
        cmocka_unit_test(
            padding_beyond_the_next_multiple_of_sixteen_is_refused),
        cmocka_unit_test(a_request_cut_anywhere_is_refused_and_says_where),
        cmocka_unit_test(a_request_without_a_hash_that_counts_is_not_written),
        cmocka_unit_test(
            requests_of_devices_are_read_and_rewritten_as_they_are),
    };

    return cmocka_run_group_tests_name("csr", tests, NULL, NULL);
}
