/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void expect_text(const struct devid_error *err, const char *fragment)
{
    size_t len = strlen(err->text);

    if (strstr(err->text, fragment) == NULL) {
        print_error("expected a sentence with: %s\n     but it reads: %s\n",
                    fragment, err->text);
        fail();
    }
    assert_true(len > 0 && len < sizeof(err->text) - 1);
    assert_int_not_equal(err->text[len - 1], '\n');
    assert_int_equal(ERR_peek_error(), 0);
}

char *read_file(const char *dir, const char *name, size_t *len)
{
    const size_t room = 1 << 20;
    char path[1024];
    char *text;
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "rbe");
    if (f == NULL)
        return NULL;
    text = malloc(room + 1);
    assert_non_null(text);
    *len = fread(text, 1, room, f);
    assert_int_equal(ferror(f), 0);
    assert_int_equal(fclose(f), 0);
    text[*len] = '\0';
    return text;
}

char *read_fixture(const char *name, size_t *len)
{
    char *text = read_file(TEST_DATA, name, len);

    if (text == NULL)
        print_error("tests/data/%s is missing\n", name);
    assert_non_null(text);
    return text;
}

EVP_PKEY *software_key(const char *algorithm)
{
    char name[64];
    size_t len = 0;
    char *text;
    BIO *bio;
    EVP_PKEY *pkey;

    (void)snprintf(name, sizeof(name), "%s.pem", algorithm);
    text = read_file(TEST_KEYS, name, &len);
    assert_non_null(text);
    bio = BIO_new_mem_buf(text, (int)len);
    assert_non_null(bio);
    pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    assert_non_null(pkey);
    BIO_free(bio);
    free(text);
    return pkey;
}

void software_public(EVP_PKEY *pkey, struct devid_public *pub)
{
    struct devid_error err = {0};
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);

    assert_true(len > 0);
    assert_int_equal(devid_public_from_spki(der, (size_t)len, pub, &err),
                     DEVID_OK);
    OPENSSL_free(der);
}

void digest_text(const struct devid_hash *hash, const char *text,
                 uint8_t digest[64])
{
    size_t len = 0;

    assert_int_equal(
        EVP_Q_digest(NULL, hash->name, NULL, text, strlen(text), digest, &len),
        1);
    assert_int_equal(len, hash->len);
}

static void set_padding(EVP_PKEY_CTX *ctx, const struct devid_tbs *tbs)
{
    const struct devid_hash *mgf1 = tbs->mgf1 != NULL ? tbs->mgf1 : tbs->hash;
    const EVP_MD *md;

    if (tbs->scheme == DEVID_ECDSA)
        return;
    assert_int_equal(
        EVP_PKEY_CTX_set_rsa_padding(ctx, tbs->scheme == DEVID_RSA_PSS
                                              ? RSA_PKCS1_PSS_PADDING
                                              : RSA_PKCS1_PADDING),
        1);
    if (tbs->hash == NULL)
        return;
    md = EVP_get_digestbynid(tbs->hash->nid);
    assert_non_null(md);
    assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, md), 1);
    if (tbs->scheme != DEVID_RSA_PSS)
        return;
    assert_int_equal(
        EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_get_digestbynid(mgf1->nid)), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)tbs->salt_len),
                     1);
}

/* What is of the message itself is signed in one go. */
static void sign_message(EVP_PKEY *pkey, const struct devid_tbs *tbs,
                         struct devid_sig *sig)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    sig->len = sizeof(sig->data);
    assert_non_null(ctx);
    assert_int_equal(
        EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL), 1);
    assert_int_equal(
        EVP_DigestSign(ctx, sig->data, &sig->len, tbs->digest, tbs->digest_len),
        1);
    EVP_MD_CTX_free(ctx);
}

void software_sign(EVP_PKEY *pkey, const struct devid_tbs *tbs,
                   struct devid_sig *sig)
{
    size_t coordinate_len = ((size_t)EVP_PKEY_get_bits(pkey) + 7) / 8;
    struct devid_error err = {0};
    uint8_t out[DEVID_SIG_MAX];
    size_t len = sizeof(out);
    EVP_PKEY_CTX *ctx;

    if (tbs->scheme == DEVID_EDDSA) {
        sign_message(pkey, tbs, sig);
        return;
    }
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    assert_non_null(ctx);
    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    set_padding(ctx, tbs);
    assert_int_equal(
        EVP_PKEY_sign(ctx, out, &len, tbs->digest, tbs->digest_len), 1);
    EVP_PKEY_CTX_free(ctx);
    if (tbs->scheme == DEVID_ECDSA) {
        assert_int_equal(
            devid_ecdsa_from_der(out, len, coordinate_len, sig, &err),
            DEVID_OK);
    } else {
        memcpy(sig->data, out, len);
        sig->len = len;
    }
}

static void raw(EVP_PKEY_CTX *ctx)
{
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
}

void software_power(EVP_PKEY *pkey, const struct devid_ciphertext *c,
                    struct devid_block *block)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

    assert_non_null(ctx);
    assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
    raw(ctx);
    block->state = DEVID_BLOCK_PADDED;
    block->len = sizeof(block->data);
    assert_int_equal(
        EVP_PKEY_decrypt(ctx, block->data, &block->len, c->data, c->len), 1);
    EVP_PKEY_CTX_free(ctx);
}

static void set_oaep(EVP_PKEY_CTX *ctx, const struct devid_ciphertext *how)
{
    const struct devid_hash *mgf1 = how->mgf1 != NULL ? how->mgf1 : how->hash;

    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING),
                     1);
    assert_int_equal(
        EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_get_digestbynid(how->hash->nid)),
        1);
    assert_int_equal(
        EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_get_digestbynid(mgf1->nid)), 1);
    if (how->label_len > 0)
        assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(
                             ctx, OPENSSL_memdup(how->label, how->label_len),
                             (int)how->label_len),
                         1);
}

void software_encrypt(EVP_PKEY *pkey, const struct devid_ciphertext *how,
                      const struct devid_plaintext *plain,
                      struct devid_plaintext *out)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

    assert_non_null(ctx);
    assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
    switch (how->padding) {
    case DEVID_PAD_NONE:
        raw(ctx);
        break;
    case DEVID_PAD_OAEP:
        set_oaep(ctx, how);
        break;
    case DEVID_PAD_PKCS1:
    case DEVID_PAD_TLS:
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING),
                         1);
        break;
    }
    out->len = sizeof(out->data);
    assert_int_equal(
        EVP_PKEY_encrypt(ctx, out->data, &out->len, plain->data, plain->len),
        1);
    EVP_PKEY_CTX_free(ctx);
}

void software_derive(EVP_PKEY *pkey, const struct devid_public *peer,
                     struct devid_shared *shared)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    struct devid_error err = {0};
    EVP_PKEY *other = NULL;

    assert_int_equal(devid_public_to_pkey(peer, NULL, &other, &err), DEVID_OK);
    assert_non_null(ctx);
    assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(ctx, other), 1);
    shared->len = sizeof(shared->data);
    assert_int_equal(EVP_PKEY_derive(ctx, shared->data, &shared->len), 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(other);
}
