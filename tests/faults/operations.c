/* SPDX-License-Identifier: Apache-2.0 */
/* The operations that are swept, as tools and provider make them. */
#include "sweep.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <string.h>

#define CERT_INDEX "tpm2:nv=0x01c90211"
#define RANDOM_LEN 48

/* Off the device, where it is there. */
static void take_away(const struct trial *t, const char *uri)
{
    struct devid_error err = {0};
    enum devid_err e = devid_delete(t->engine, uri, &err);

    if (e != DEVID_ERR_NOT_FOUND)
        must(e, &err, uri);
}

/* ---- a key in use ---------------------------------------------------- */

static enum devid_err open_key(struct trial *t, struct devid_error *err)
{
    const char *pem = t->op->by_uri ? NULL : fixture_pem(t);
    enum devid_err e;

    if (t->key != NULL)
        return DEVID_OK;
    if (t->op->by_uri)
        e = devid_key_from_uri(t->engine, fixture_uri(t), &t->key, err);
    else
        e = devid_key_from_pem(t->engine, pem, strlen(pem), &t->key, err);
    if (e == DEVID_OK && t->op->auth && t->stand->device == NULL)
        e = devid_key_set_auth(t->key, FIXTURE_AUTH, strlen(FIXTURE_AUTH), err);
    return e;
}

/* Made, where it is not there yet. */
static void prepare_key(struct trial *t)
{
    (void)fixture_pem(t);
}

static void prepare_warm(struct trial *t)
{
    struct devid_error err = {0};

    must(t->op->run(t, &err), &err, t->op->name);
}

static enum devid_err run_load(struct trial *t, struct devid_error *err)
{
    return open_key(t, err);
}

static enum devid_err run_sign(struct trial *t, struct devid_error *err)
{
    enum devid_err e = open_key(t, err);
    struct devid_tbs tbs;

    if (e != DEVID_OK)
        return e;
    fixture_tbs(t->key, &tbs);
    return devid_key_sign(t->key, &tbs, &t->sig, err);
}

static bool right_sign(struct trial *t)
{
    struct devid_tbs tbs;

    fixture_tbs(t->key, &tbs);
    return devid_verify(devid_key_public(t->key), NULL, &tbs, &t->sig, NULL) ==
           DEVID_OK;
}

static bool right_load(struct trial *t)
{
    return run_sign(t, NULL) == DEVID_OK && right_sign(t);
}

static enum devid_err run_decrypt(struct trial *t, struct devid_error *err)
{
    enum devid_err e = open_key(t, err);
    struct devid_ciphertext c;

    if (e != DEVID_OK)
        return e;
    fixture_ciphertext(t, &c);
    return devid_key_decrypt(t->key, &c, &t->plain, err);
}

static bool right_decrypt(struct trial *t)
{
    return t->plain.len == strlen(FIXTURE_CLEAR) &&
           memcmp(t->plain.data, FIXTURE_CLEAR, t->plain.len) == 0;
}

static enum devid_err run_derive(struct trial *t, struct devid_error *err)
{
    enum devid_err e = open_key(t, err);
    struct devid_public peer;

    software_public(fixture_software_key(), &peer);
    return e == DEVID_OK ? devid_key_derive(t->key, &peer, &t->shared, err) : e;
}

static bool right_derive(struct trial *t)
{
    struct devid_shared theirs;

    software_derive(fixture_software_key(), devid_key_public(t->key), &theirs);
    return t->shared.len == theirs.len &&
           memcmp(t->shared.data, theirs.data, theirs.len) == 0;
}

static enum devid_err run_csr(struct trial *t, struct devid_error *err)
{
    static const struct devid_csr_spec spec = {.subject = "/CN=unit"};
    enum devid_err e = open_key(t, err);

    return e == DEVID_OK
               ? devid_csr_create(t->key, &spec, &t->der, &t->der_len, err)
               : e;
}

static bool right_csr(struct trial *t)
{
    const uint8_t *p = t->der;
    X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)t->der_len);
    bool right =
        req != NULL && X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1;

    X509_REQ_free(req);
    return right;
}

/* ---- a key that is made ---------------------------------------------- */

static enum devid_err keep(struct trial *t, enum devid_err e,
                           struct devid_key **key, struct devid_error *err)
{
    size_t len = 0;

    if (e == DEVID_OK)
        e = devid_key_to_pem(*key, &t->pem, &len, err);
    devid_key_free(key);
    return e;
}

static enum devid_err run_keygen(struct trial *t, struct devid_error *err)
{
    struct devid_key_spec spec = fixture_spec(t, FIXTURE_NEW);
    struct devid_key *key = NULL;
    enum devid_err e = devid_key_create(t->engine, &spec, &key, err);

    return keep(t, e, &key, err);
}

static enum devid_err run_import(struct trial *t, struct devid_error *err)
{
    struct devid_key_spec spec = fixture_spec(t, FIXTURE_NEW);
    struct devid_key *key = NULL;
    enum devid_err e;

    spec.allow_extractable = true;
    e = devid_key_import(t->engine, &spec, fixture_software_key(), &key, err);
    return keep(t, e, &key, err);
}

/* The key that is there, with a policy for the PCRs of now. */
static enum devid_err run_policy_sign(struct trial *t, struct devid_error *err)
{
    struct devid_key *with = NULL;
    enum devid_err e = open_key(t, err);

    if (e == DEVID_OK)
        e = fixture_policy(t->key, &with, err);
    devid_key_free(&t->key);
    return keep(t, e, &with, err);
}

static bool right_made(struct trial *t)
{
    bool right = devid_key_from_pem(t->engine, t->pem, strlen(t->pem), &t->key,
                                    NULL) == DEVID_OK;

    if (right && t->op->auth)
        right = devid_key_set_auth(t->key, FIXTURE_AUTH, strlen(FIXTURE_AUTH),
                                   NULL) == DEVID_OK;
    right = right && run_sign(t, NULL) == DEVID_OK && right_sign(t);
    devid_key_free(&t->key);
    return right;
}

static void undo_made(struct trial *t)
{
    char uri[DEVID_URI_SIZE];

    if (t->stand->device == NULL && !t->op->persist)
        return; /* it was in its file alone */
    fixture_numbered(t, FIXTURE_NEW, "", uri);
    take_away(t, uri);
}

static enum devid_err run_delete(struct trial *t, struct devid_error *err)
{
    char uri[DEVID_URI_SIZE];

    fixture_numbered(t, FIXTURE_NEW, "", uri);
    return devid_delete(t->engine, uri, err);
}

/* Before each, the one that follows a failed one too. */
static void prepare_delete(struct trial *t)
{
    struct devid_error err = {0};

    undo_made(t);
    must(run_keygen(t, &err), &err, t->op->name);
    trial_forget(t);
    devid_shutdown();
}

static bool right_delete(struct trial *t)
{
    return run_delete(t, NULL) == DEVID_ERR_NOT_FOUND;
}

/* ---- what a device holds --------------------------------------------- */

static void cert_uri(struct trial *t, const char *more,
                     char uri[DEVID_URI_SIZE])
{
    if (t->stand->device == NULL)
        (void)snprintf(uri, DEVID_URI_SIZE, "%s", CERT_INDEX);
    else
        fixture_numbered(t, fixture_number(t), more, uri);
}

static enum devid_err run_cert_put(struct trial *t, struct devid_error *err)
{
    char uri[DEVID_URI_SIZE];
    struct devid_cert_spec spec = {.uri = uri};

    cert_uri(t, "", uri);
    spec.der = fixture_cert(&spec.len);
    return devid_cert_write(t->engine, &spec, err);
}

static enum devid_err run_cert_get(struct trial *t, struct devid_error *err)
{
    char uri[DEVID_URI_SIZE];

    cert_uri(t, ";type=cert", uri);
    return devid_cert_read(t->engine, uri, &t->der, &t->der_len, err);
}

static bool right_cert(struct trial *t)
{
    size_t len = 0;
    const uint8_t *der = fixture_cert(&len);

    if (t->der == NULL && run_cert_get(t, NULL) != DEVID_OK)
        return false;
    return t->der_len == len && memcmp(t->der, der, len) == 0;
}

static void undo_cert(struct trial *t)
{
    char uri[DEVID_URI_SIZE];

    cert_uri(t, ";type=cert", uri);
    take_away(t, uri);
}

/* On a token it is kept beside a key. */
static void prepare_cert(struct trial *t)
{
    if (t->stand->device != NULL)
        (void)fixture_pem(t);
}

static void prepare_cert_there(struct trial *t)
{
    struct devid_error err = {0};

    prepare_cert(t);
    must(run_cert_put(t, &err), &err, t->op->name);
    devid_shutdown();
}

static enum devid_err count_one(const struct devid_object *object, void *arg,
                                struct devid_error *err)
{
    unsigned *count = arg;

    (void)object;
    (void)err;
    (*count)++;
    return DEVID_OK;
}

static enum devid_err run_list(struct trial *t, struct devid_error *err)
{
    t->count = 0;
    return devid_list(t->engine, t->stand->device, count_one, &t->count, err);
}

static bool right_list(struct trial *t)
{
    unsigned found = t->count;

    return run_list(t, NULL) == DEVID_OK && t->count == found && found > 0;
}

static enum devid_err run_whoami(struct trial *t, struct devid_error *err)
{
    struct devid_device_info info;

    return devid_whoami(t->engine, t->stand->device, &info, err);
}

static enum devid_err run_random(struct trial *t, struct devid_error *err)
{
    uint8_t bytes[RANDOM_LEN];

    return devid_random(t->engine, bytes, sizeof(bytes), err);
}

static bool right_anyway(struct trial *t)
{
    (void)t;
    return true;
}

#define KEY_IN_USE(what) .run = run_##what, .right = right_##what
#define EC .algorithm = "ec-p256"
#define RSA .algorithm = "rsa-2048"

const struct operation operations[] = {
    {"load", EC, .prepare = prepare_key, KEY_IN_USE(load)},
    {"load-uri", EC, .persist = true, .by_uri = true, .prepare = prepare_key,
     KEY_IN_USE(load)},
    {"sign", EC, .slice = true, .prepare = prepare_key, KEY_IN_USE(sign)},
    {"sign-again", EC, .prepare = prepare_warm, KEY_IN_USE(sign)},
    {"sign-rsa", RSA, .prepare = prepare_key, KEY_IN_USE(sign)},
    {"sign-owner", EC, .parent = "owner", .tpm = true, .slice = true,
     .prepare = prepare_key, KEY_IN_USE(sign)},
    {"sign-persistent", EC, .persist = true, .tpm = true,
     .prepare = prepare_key, KEY_IN_USE(sign)},
    {"sign-auth", EC, .auth = true, .tpm = true, .prepare = prepare_key,
     KEY_IN_USE(sign)},
    {"sign-auth-null-salt", EC, .parent = "owner", .auth = true, .tpm = true,
     .prepare = prepare_warm, KEY_IN_USE(sign)},
    {"sign-policy", EC, .policy = true, .tpm = true, .prepare = prepare_key,
     KEY_IN_USE(sign)},
    {"policy-sign", EC, .policy = true, .trusts = true, .tpm = true,
     .prepare = prepare_key, .run = run_policy_sign, .right = right_made},
    {"sign-managed", EC, .managed = true, .tpm = true, .prepare = prepare_key,
     KEY_IN_USE(sign)},
    {"sign-auth-managed", EC, .auth = true, .managed = true, .tpm = true,
     .prepare = prepare_warm, KEY_IN_USE(sign)},
    {"decrypt", RSA, .decrypt = true, .prepare = prepare_key,
     KEY_IN_USE(decrypt)},
    {"derive", EC, .decrypt = true, .trusts = true, .prepare = prepare_key,
     KEY_IN_USE(derive)},
    {"csr", EC, .prepare = prepare_key, KEY_IN_USE(csr)},
    {"keygen", EC, .trusts = true, .slice = true, .makes = true,
     .run = run_keygen, .right = right_made, .undo = undo_made},
    {"keygen-owner", EC, .parent = "owner", .trusts = true, .tpm = true,
     .makes = true, .run = run_keygen, .right = right_made, .undo = undo_made},
    {"keygen-auth", EC, .auth = true, .trusts = true, .tpm = true,
     .makes = true, .run = run_keygen, .right = right_made, .undo = undo_made},
    {"keygen-persistent", EC, .persist = true, .trusts = true, .tpm = true,
     .makes = true, .run = run_keygen, .right = right_made, .undo = undo_made},
    {"delete", EC, .persist = true, .slice = true, .prepare = prepare_delete,
     .run = run_delete, .right = right_delete, .undo = prepare_delete,
     .end = undo_made},
    {"import", EC, .trusts = true, .makes = true, .run = run_import,
     .right = right_made, .undo = undo_made},
    {"cert-put", EC, .prepare = prepare_cert, .run = run_cert_put,
     .right = right_cert, .undo = undo_cert},
    {"cert-get", EC, .trusts = true, .prepare = prepare_cert_there,
     .run = run_cert_get, .right = right_cert},
    {"list", EC, .trusts = true, .prepare = prepare_cert_there, .run = run_list,
     .right = right_list},
    {"whoami", .trusts = true, .run = run_whoami, .right = right_anyway},
    {"random", .trusts = true, .run = run_random, .right = right_anyway},
    {.name = NULL},
};
