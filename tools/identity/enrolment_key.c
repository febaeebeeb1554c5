/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key of an enrolment. A TPM's lives in its file, so nothing of it is left
 * in the TPM. A token's lives on the token: its label is written down before it
 * is made, so that the next run finds what a killed one left there.
 */
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <string.h>

#include "base64.h"
#include "enrolment.h"
#include "message.h"
#include "open.h"
#include "steps.h"
#include "token_key.h"

static const char *device_of(const struct enrolment *e)
{
    return e->identity->conf.device;
}

enum exit_code enrolment_engine(struct enrolment *e)
{
    if (e->engine != NULL)
        return EXIT_DONE;
    return engine_open_to_write(e->args, device_of(e), &e->engine);
}

/* ---- what is not needed any more ----------------------------------------- */

/* Done as well where it is not there. */
static enum exit_code delete_uri(struct enrolment *e, const char *uri)
{
    struct devid_error err;
    enum devid_err rc = devid_delete(e->engine, uri, &err);

    return rc == DEVID_OK || rc == DEVID_ERR_NOT_FOUND ? EXIT_DONE
                                                       : step_fail(rc, &err);
}

/* Both halves: who was killed may have made the public one alone. */
static enum exit_code delete_label(struct enrolment *e, const char *label)
{
    static const char *const halves[] = {"private", "public"};
    enum exit_code code = EXIT_DONE;

    for (int i = 0; code == EXIT_DONE && i < 2; i++) {
        char *uri = token_key_uri(device_of(e), label, halves[i]);

        code = delete_uri(e, uri);
        OPENSSL_free(uri);
    }
    return code;
}

enum exit_code enrolment_discard(struct enrolment *e)
{
    struct identity_state *state = &e->identity->state;
    enum exit_code code = EXIT_DONE;

    devid_key_free(&e->key);
    OPENSSL_free(e->key_pem);
    e->key_pem = NULL;
    if (state->pending_label != NULL) {
        code = enrolment_engine(e);
        if (code == EXIT_DONE)
            code = delete_label(e, state->pending_label);
    }
    if (code != EXIT_DONE)
        return code;
    identity_set(&state->pending_label, NULL);
    identity_set(&state->pending_key, NULL);
    identity_set(&state->pending_request, NULL);
    state->retry_at = 0;
    return identity_state_write(e->identity);
}

enum exit_code enrolment_current_uri(struct enrolment *e,
                                     char uri[DEVID_URI_SIZE])
{
    struct devid_key *key = NULL;
    struct devid_key_info info;
    enum exit_code code;

    uri[0] = '\0';
    if (e->old == NULL)
        return EXIT_DONE;
    code = enrolment_engine(e);
    if (code == EXIT_DONE)
        code = identity_key(e->engine, e->identity, &key);
    if (code != EXIT_DONE)
        return code;
    devid_key_info(key, &info);
    (void)snprintf(uri, DEVID_URI_SIZE, "%s", info.uri);
    devid_key_free(&key);
    return EXIT_DONE;
}

enum exit_code enrolment_retire(struct enrolment *e)
{
    struct identity_state *state = &e->identity->state;
    char current[DEVID_URI_SIZE];
    enum exit_code code;

    if (state->retired == NULL)
        return EXIT_DONE;
    code = enrolment_engine(e);
    if (code == EXIT_DONE)
        code = enrolment_current_uri(e, current);
    /* Killed before the switch it still is the one at work. */
    if (code == EXIT_DONE && strcmp(current, state->retired) != 0)
        code = delete_uri(e, state->retired);
    if (code != EXIT_DONE)
        return code;
    identity_set(&state->retired, NULL);
    return identity_state_write(e->identity);
}

/* ---- the key ------------------------------------------------------------- */

static enum exit_code take_pem(struct enrolment *e)
{
    struct devid_error err;
    size_t len = 0;

    OPENSSL_free(e->key_pem);
    e->key_pem = NULL;
    if (devid_key_to_pem(e->key, &e->key_pem, &len, &err))
        return fail_engine(&err);
    return EXIT_DONE;
}

/* What kind it is to be: what was said, else as before. */
static const char *algorithm_of(const struct enrolment *e)
{
    struct devid_public pub;
    uint8_t *spki = NULL;
    const char *name = "ec-p256";
    int len;

    if (e->identity->conf.algorithm != NULL)
        return e->identity->conf.algorithm;
    if (e->wanted != NULL)
        return e->wanted;
    if (e->old == NULL)
        return name;
    len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(e->old), &spki);
    if (len > 0 &&
        devid_public_from_spki(spki, (size_t)len, &pub, NULL) == DEVID_OK &&
        pub.alg != NULL)
        name = pub.alg->name;
    OPENSSL_free(spki);
    return name;
}

static enum exit_code name_key(struct enrolment *e)
{
    struct identity_state *state = &e->identity->state;
    char label[128];
    uint32_t random = 0;

    if (!is_token_uri(device_of(e)))
        return EXIT_DONE;
    if (RAND_bytes((unsigned char *)&random, sizeof(random)) != 1)
        return fail("OpenSSL has no random bytes for the key's label");
    (void)snprintf(label, sizeof(label), "%s-%08x", e->identity->name,
                   (unsigned)random);
    identity_set(&state->pending_label, label);
    return identity_state_write(e->identity);
}

static enum exit_code make_key(struct enrolment *e)
{
    struct identity_state *state = &e->identity->state;
    struct devid_key_spec spec = {
        .device = device_of(e),
        .algorithm = algorithm_of(e),
        .parent = e->identity->conf.parent,
    };
    struct devid_error err;
    enum exit_code code = name_key(e);
    enum devid_err rc;

    if (code != EXIT_DONE)
        return code;
    spec.label = state->pending_label;
    rc = devid_key_create(e->engine, &spec, &e->key, &err);
    if (rc != DEVID_OK)
        return step_fail(rc, &err);
    code = take_pem(e);
    if (code == EXIT_DONE) {
        identity_set(&state->pending_key, e->key_pem);
        code = identity_state_write(e->identity);
    }
    return code;
}

/* Does it still sign? Not where its TPM was cleared since. */
static enum devid_err try_key(struct enrolment *e, struct devid_error *err)
{
    static const struct devid_csr_spec spec = {.subject = "/CN=test"};
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err rc = devid_csr_create(e->key, &spec, &der, &len, err);

    OPENSSL_free(der);
    return rc;
}

/* The one that a run before this made; not where another kind is wanted now. */
static enum exit_code open_pending(struct enrolment *e)
{
    struct identity_state *state = &e->identity->state;
    const struct devid_public *pub;
    struct devid_error err;
    enum devid_err rc;

    if (state->pending_key == NULL)
        return state->pending_label != NULL ? enrolment_discard(e) : EXIT_DONE;
    rc = devid_key_from_pem(e->engine, state->pending_key,
                            strlen(state->pending_key), &e->key, &err);
    if (rc == DEVID_OK)
        rc = try_key(e, &err);
    /* These pass, and say nothing of the key. */
    if (rc == DEVID_ERR_NO_DEVICE || rc == DEVID_ERR_BUSY ||
        rc == DEVID_ERR_LOCKED)
        return step_fail(rc, &err);
    if (rc != DEVID_OK) {
        note("the key of the last attempt is not used: %s", err.text);
        return enrolment_discard(e);
    }
    pub = devid_key_public(e->key);
    if (pub->alg == NULL || strcmp(pub->alg->name, algorithm_of(e)) != 0)
        return enrolment_discard(e);
    return take_pem(e);
}

static enum exit_code open_key(struct enrolment *e, const char **how)
{
    enum exit_code code;

    *how = "new";
    if (e->identity->conf.same_key && e->old != NULL) {
        *how = "the same";
        code = identity_key(e->engine, e->identity, &e->key);
        return code == EXIT_DONE ? take_pem(e) : code;
    }
    code = open_pending(e);
    if (code != EXIT_DONE)
        return code;
    if (e->key == NULL)
        return make_key(e);
    *how = "of the attempt before";
    return EXIT_DONE;
}

/* ---- the request --------------------------------------------------------- */

static X509 *read_idevid(const struct enrolment *e)
{
    const struct identity idevid = {.folder = e->identity->conf.idevid};

    return idevid.folder != NULL ? identity_certificate(&idevid) : NULL;
}

enum {
    SANS_MAX = 32
};

/* "DNS:a, DNS:b", cut up where it stands. */
static enum exit_code split_sans(char *text, const char *sans[SANS_MAX + 1])
{
    char *rest = text;
    char *word;
    int count = 0;

    while ((word = strsep(&rest, ",")) != NULL) {
        word += strspn(word, " ");
        if (count == SANS_MAX)
            return fail("more than %d alternative names", (int)SANS_MAX);
        if (*word != '\0')
            sans[count++] = word;
    }
    sans[count] = NULL;
    return EXIT_DONE;
}

/* As what is renewed has it; else as the configuration; else as the IDevID. */
static enum exit_code sign_request(struct enrolment *e, X509 *idevid)
{
    const struct identity_conf *conf = &e->identity->conf;
    const char *sans[SANS_MAX + 1] = {NULL};
    char *san = conf->san != NULL ? OPENSSL_strdup(conf->san) : NULL;
    struct devid_csr_spec spec = {.subject = conf->subject, .sans = sans};
    enum exit_code code = EXIT_DONE;
    struct devid_error err;
    enum devid_err rc;

    if (e->old != NULL && !e->anew) {
        spec.name = X509_get_subject_name(e->old);
        spec.like = e->old;
    } else if (conf->subject == NULL && idevid != NULL) {
        spec.name = X509_get_subject_name(idevid);
    } else if (conf->subject == NULL) {
        code = fail_with(EXIT_WRONG_USE, "--subject is needed: there is no "
                                         "IDevID whose subject could be taken");
    }
    if (code == EXIT_DONE && san != NULL)
        code = split_sans(san, sans);
    if (code == EXIT_DONE) {
        rc =
            devid_csr_create(e->key, &spec, &e->request, &e->request_len, &err);
        code = rc == DEVID_OK ? EXIT_DONE : step_fail(rc, &err);
    }
    OPENSSL_free(san);
    return code;
}

static enum exit_code make_request(struct enrolment *e)
{
    X509 *idevid = read_idevid(e);
    enum exit_code code = sign_request(e, idevid);
    json_t *text;

    X509_free(idevid);
    if (code != EXIT_DONE)
        return code;
    text = base64_json(e->request, e->request_len);
    identity_set(&e->identity->state.pending_request, json_string_value(text));
    json_decref(text);
    return identity_state_write(e->identity);
}

/* A CA that thinks about a request knows it again by its bytes. */
static bool take_request(struct enrolment *e)
{
    const char *text = e->identity->state.pending_request;

    OPENSSL_free(e->request);
    e->request = NULL;
    return text != NULL && base64_decode(text, &e->request, &e->request_len);
}

enum exit_code enrolment_key(struct enrolment *e)
{
    const char *how = "";
    const struct devid_public *pub;
    enum exit_code code;

    progress_step(e->progress, "key");
    code = enrolment_engine(e);
    if (code == EXIT_DONE)
        code = open_key(e, &how);
    if (code == EXIT_DONE && !take_request(e))
        code = make_request(e);
    if (code != EXIT_DONE)
        return code;
    pub = devid_key_public(e->key);
    progress_done(e->progress, "%s, %s",
                  pub->alg != NULL ? pub->alg->name : "RSA", how);
    return EXIT_DONE;
}
