/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a key pair on a token. The token is asked for a key that stays in it,
 * and then whether it made one: some ignore what they are asked.
 */
#include "create.h"
#include "find.h"

#include "../secret.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#define DEFAULT_LABEL "devid"
#define LOST_MAX 4 /* two halves, and what some tokens make beside them */

/* ---- what to ask for ------------------------------------------------- */

void p11_put(struct p11_template *t, CK_ATTRIBUTE_TYPE type, const void *value,
             size_t len)
{
    CK_ATTRIBUTE a = {type, (void *)(uintptr_t)value, len};

    t->rows[t->count++] = a;
}

static const CK_BBOOL yes = CK_TRUE;
static const CK_BBOOL no = CK_FALSE;

static void put_flag(struct p11_template *t, CK_ATTRIBUTE_TYPE type, bool value)
{
    p11_put(t, type, value ? &yes : &no, sizeof(yes));
}

static void put_name(struct p11_template *t, const struct p11_create *r)
{
    put_flag(t, CKA_TOKEN, true);
    p11_put(t, CKA_ID, r->id, sizeof(r->id));
    p11_put(t, CKA_LABEL, r->label, strlen(r->label));
}

void p11_put_public(struct p11_template *t, const struct p11_create *r)
{
    put_name(t, r);
    put_flag(t, CKA_PRIVATE, false);
    put_flag(t, CKA_VERIFY, true);
}

void p11_put_private(struct p11_template *t, const struct p11_create *r)
{
    put_name(t, r);
    put_flag(t, CKA_PRIVATE, true);
    put_flag(t, CKA_SENSITIVE, true);
    put_flag(t, CKA_EXTRACTABLE, false);
    put_flag(t, CKA_SIGN, true);
    if (r->alg->type == DEVID_KEY_RSA && r->says_decrypt)
        put_flag(t, CKA_DECRYPT, r->spec->decrypt);
    if (r->alg->type == DEVID_KEY_EC && r->spec->decrypt)
        put_flag(t, CKA_DERIVE, true);
}

static CK_RV generate(struct p11_session *session, const struct p11_create *r,
                      CK_OBJECT_HANDLE *public_key,
                      CK_OBJECT_HANDLE *private_key)
{
    static const uint8_t exponent[] = {1, 0, 1};
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_ULONG bits = r->alg->bits;
    struct p11_template public_part = {.count = 0};
    struct p11_template private_part = {.count = 0};
    const uint8_t *params;
    size_t len = 0;

    p11_put_public(&public_part, r);
    params = p11_curve_params(r->alg, &len);
    if (params != NULL) {
        if (r->alg->type == DEVID_KEY_ED25519)
            mechanism.mechanism = CKM_EC_EDWARDS_KEY_PAIR_GEN;
        p11_put(&public_part, CKA_EC_PARAMS, params, len);
    } else {
        mechanism.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
        p11_put(&public_part, CKA_MODULUS_BITS, &bits, sizeof(bits));
        p11_put(&public_part, CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent));
        if (r->says_decrypt)
            put_flag(&public_part, CKA_ENCRYPT, r->spec->decrypt);
    }
    p11_put_private(&private_part, r);
    return session->f->C_GenerateKeyPair(
        session->handle, &mechanism, public_part.rows, public_part.count,
        private_part.rows, private_part.count, public_key, private_key);
}

static enum devid_err generate_failed(struct p11_session *session,
                                      const struct p11_create *r, CK_RV rv,
                                      struct devid_error *err)
{
    switch (rv) {
    case CKR_MECHANISM_INVALID:
    case CKR_CURVE_NOT_SUPPORTED:
    case CKR_KEY_SIZE_RANGE:
    case CKR_DOMAIN_PARAMS_INVALID:
    case CKR_ATTRIBUTE_VALUE_INVALID:
    case CKR_FUNCTION_NOT_SUPPORTED:
        return devid_fail(err, DEVID_ERR_ALG, (uint32_t)rv,
                          "the token '%s' does not make %s keys (0x%lx); "
                          "most make ec-p256 and rsa-2048",
                          session->token->label, r->alg->name, rv);
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_SESSION_READ_ONLY:
        return devid_fail(err, DEVID_ERR_AUTH, (uint32_t)rv,
                          "the token '%s' makes keys for who gives its PIN, "
                          "and none was given: by pin-source in the URI "
                          "(?pin-source=file:/path), or by the setting "
                          "pin-source",
                          session->token->label);
    default: /* not an enum */
        return p11_create_lost(session, r, p11_fail(err, rv, "make the key"),
                               err);
    }
}

/* ---- what it made ---------------------------------------------------- */

/* What a key that stays on its token says of itself. */
static const struct stay {
    CK_ATTRIBUTE_TYPE type;
    CK_BBOOL wanted;
    const char *name;
} stays[] = {
    {CKA_EXTRACTABLE, CK_FALSE, "CKA_EXTRACTABLE"},
    {CKA_SENSITIVE, CK_TRUE, "CKA_SENSITIVE"},
    {CKA_NEVER_EXTRACTABLE, CK_TRUE, "CKA_NEVER_EXTRACTABLE"},
    {CKA_ALWAYS_SENSITIVE, CK_TRUE, "CKA_ALWAYS_SENSITIVE"},
    {CKA_LOCAL, CK_TRUE, "CKA_LOCAL"},
};

#define N_STAYS (sizeof(stays) / sizeof(stays[0]))

static enum devid_err check_stays(struct p11_session *session,
                                  CK_OBJECT_HANDLE handle,
                                  struct devid_error *err)
{
    CK_BBOOL values[N_STAYS] = {0};
    CK_ATTRIBUTE rows[N_STAYS];
    CK_RV rv;

    for (size_t i = 0; i < N_STAYS; i++)
        rows[i] = (CK_ATTRIBUTE){stays[i].type, &values[i], sizeof(values[i])};
    rv =
        session->f->C_GetAttributeValue(session->handle, handle, rows, N_STAYS);
    if (rv != CKR_OK && rv != CKR_ATTRIBUTE_TYPE_INVALID)
        return p11_fail(err, rv, "say whether its new key stays in it");
    for (size_t i = 0; i < N_STAYS; i++) {
        bool said = rows[i].ulValueLen == sizeof(values[i]);

        if (said && (values[i] != CK_FALSE) == (stays[i].wanted != CK_FALSE))
            continue;
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the token '%s' made a key that may leave it, "
                          "although it was asked for one that cannot: %s is "
                          "%s; devid keygen --allow-extractable keeps such a "
                          "key",
                          session->token->label, stays[i].name,
                          !said                         ? "not told"
                          : stays[i].wanted != CK_FALSE ? "false"
                                                        : "true");
    }
    return DEVID_OK;
}

enum devid_err p11_create_describe(struct p11_session *session,
                                   const struct p11_create *r,
                                   CK_OBJECT_HANDLE public_key,
                                   struct devid_error *err)
{
    struct p11_object object;
    enum devid_err e = p11_object_read(session, public_key, &object, err);

    if (e == DEVID_OK)
        e = p11_object_public(&object, &r->file->public_key, err);
    if (e != DEVID_OK)
        return e;
    OPENSSL_free(r->file->uri); /* of an attempt before this one */
    r->file->format = DEVID_KEYFILE_REFERENCE;
    r->file->has_public = true;
    return p11_reference(session->token, r->uri, &object, &r->file->uri, err);
}

enum devid_err p11_create_undo(struct p11_session *session,
                               CK_OBJECT_HANDLE public_key,
                               CK_OBJECT_HANDLE private_key,
                               enum devid_err failed, struct devid_error *err)
{
    CK_RV rv = session->f->C_DestroyObject(session->handle, private_key);
    size_t used = strlen(err->text);

    (void)session->f->C_DestroyObject(session->handle, public_key);
    (void)snprintf(err->text + used, sizeof(err->text) - used,
                   "; the key was %sdeleted", rv == CKR_OK ? "" : "not ");
    return failed;
}

enum devid_err p11_create_lost(struct p11_session *session,
                               const struct p11_create *r,
                               enum devid_err failed, struct devid_error *err)
{
    CK_ATTRIBUTE query = {CKA_ID, (void *)(uintptr_t)r->id, sizeof(r->id)};
    CK_OBJECT_HANDLE found[LOST_MAX];
    CK_ULONG count = 0;
    size_t used = strlen(err->text);
    CK_RV rv = session->f->C_FindObjectsInit(session->handle, &query, 1);

    if (rv == CKR_OK) {
        rv =
            session->f->C_FindObjects(session->handle, found, LOST_MAX, &count);
        (void)session->f->C_FindObjectsFinal(session->handle);
    }
    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++)
        rv = session->f->C_DestroyObject(session->handle, found[i]);
    if (rv != CKR_OK)
        (void)snprintf(err->text + used, sizeof(err->text) - used,
                       "; a key '%s' may be on it", r->label);
    else if (count > 0)
        (void)snprintf(err->text + used, sizeof(err->text) - used,
                       "; the key was deleted");
    return failed;
}

static enum devid_err create_op(struct p11_session *session, void *arg,
                                struct devid_error *err)
{
    struct p11_create *r = arg;
    CK_OBJECT_HANDLE public_key = 0;
    CK_OBJECT_HANDLE private_key = 0;
    enum devid_err e;
    CK_RV rv;

    r->says_decrypt = true;
    rv = generate(session, r, &public_key, &private_key);
    if (rv == CKR_GENERAL_ERROR && r->alg->type == DEVID_KEY_RSA &&
        !r->spec->decrypt) {
        /* tpm2-pkcs11 makes no RSA key that is told not to decrypt. */
        r->says_decrypt = false;
        rv = generate(session, r, &public_key, &private_key);
    }
    if (rv != CKR_OK)
        return generate_failed(session, r, rv, err);
    e = r->spec->allow_extractable ? DEVID_OK
                                   : check_stays(session, private_key, err);
    if (e == DEVID_OK)
        e = p11_create_describe(session, r, public_key, err);
    return e == DEVID_OK
               ? e
               : p11_create_undo(session, public_key, private_key, e, err);
}

/* ---- the request ----------------------------------------------------- */

static enum devid_err find_algorithm(const char *algorithm,
                                     struct p11_create *r,
                                     struct devid_error *err)
{
    r->alg = devid_algorithm_by_name(algorithm);
    if (r->alg == NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "devid knows no algorithm '%.60s': ec-p256, ec-p384, "
                          "ec-p521, rsa-2048, rsa-3072, rsa-4096 and ed25519",
                          algorithm != NULL ? algorithm : "");
    if (r->alg->type == DEVID_KEY_RSA_PSS)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "PKCS#11 has no keys that are RSA-PSS alone: a "
                          "token's RSA key signs RSA-PSS as well, so make "
                          "rsa-%u (or ec-p256, ec-p384, ec-p521)",
                          r->alg->bits);
    return DEVID_OK;
}

static enum devid_err check_spec(const struct p11_state *state,
                                 const struct devid_key_spec *spec,
                                 struct p11_create *r, struct devid_error *err)
{
    r->spec = spec;
    r->label = spec->label != NULL ? spec->label : DEFAULT_LABEL;
    if (spec->pcrs != NULL || spec->policy_signer != NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "a token's key has no policy of boot states: that "
                          "is a TPM's");
    if (spec->parent != NULL || spec->persist != NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "a token's key has no %s '%.60s': that is a TPM's; "
                          "give it a label",
                          spec->parent != NULL ? "parent" : "handle",
                          spec->parent != NULL ? spec->parent : spec->persist);
    if (strlen(r->label) == 0 || strlen(r->label) >= P11_LABEL_MAX)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the key's label must have 1 to %d bytes",
                          P11_LABEL_MAX - 1);
    if (RAND_bytes_ex(devid_libctx(state->engine), r->id, sizeof(r->id), 0) !=
        1)
        return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                          "OpenSSL has no random bytes for the key's id");
    return DEVID_OK;
}

/* The PIN of the spec, where the URI and the setting have none. */
static enum devid_err give_pin(const struct devid_key_spec *spec,
                               struct p11_token *token, struct devid_error *err)
{
    struct devid_secret *pin = NULL;
    enum devid_err e;

    if (spec->auth_len == 0 || p11_token_has_pin(token))
        return DEVID_OK;
    e = devid_secret_new(spec->auth, spec->auth_len, &pin, err);
    if (e == DEVID_OK)
        p11_token_give_pin(token, pin);
    return e;
}

enum devid_err p11_create_run(const struct p11_state *self,
                              const struct devid_key_spec *spec,
                              struct p11_create *r, p11_op *op,
                              struct devid_error *err)
{
    struct p11_uri uri;
    struct p11_token *token = NULL;
    bool ask = false;
    enum devid_err e = check_spec(self, spec, r, err);

    if (e == DEVID_OK)
        e = p11_open_uri(self, spec->device, &uri, &token, &ask, err);
    if (e != DEVID_OK)
        return e;
    r->uri = &uri;
    e = give_pin(spec, token, err);
    if (e == DEVID_OK)
        e = p11_run(token, P11_WRITE, op, r, err);
    if (e == DEVID_OK)
        e = p11_hand_over(self, token, r->file->uri, err);
    r->uri = NULL;
    p11_uri_clear(&uri);
    return e;
}

enum devid_err p11_key_create(void *state, const struct devid_key_spec *spec,
                              struct devid_keyfile *file,
                              struct devid_error *err)
{
    struct p11_create r = {.file = file};
    enum devid_err e = find_algorithm(spec->algorithm, &r, err);

    return e == DEVID_OK ? p11_create_run(state, spec, &r, create_op, err) : e;
}
