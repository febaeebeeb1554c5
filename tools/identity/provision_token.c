/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device with a PKCS#11 token instead of a TPM: it has no endorsement key, so
 * it asks by PKCS#10, and what it says is asserted by the operator alone.
 */
#include <openssl/crypto.h>
#include <string.h>

#include "message.h"
#include "provision.h"
#include "token_key.h"

struct token {
    struct devid_key *key;
    uint8_t *pkcs10; /* OPENSSL_malloc */
    size_t len;
};

/* The token's key of that label, or a new one. */
static enum devid_err open_key(struct provision *p, struct token *token,
                               bool *made, struct devid_error *err)
{
    const char *algorithm = args_text(p->args, PROVISION_ALGORITHM);
    const char *device = args_text(p->args, ROW_DEVICE);
    const struct devid_key_spec spec = {
        .device = device,
        .algorithm = algorithm != NULL ? algorithm : "ec-p256",
        .label = TOKEN_KEY_LABEL,
    };
    char *uri = token_key_uri(device, TOKEN_KEY_LABEL, "private");
    enum devid_err e = devid_key_from_uri(p->engine, uri, &token->key, err);

    OPENSSL_free(uri);
    *made = e == DEVID_ERR_NOT_FOUND;
    return *made ? devid_key_create(p->engine, &spec, &token->key, err) : e;
}

/* "/serialNumber=SN", where '/', '+' and '\' stand for themselves. */
static enum devid_err make_request(struct provision *p, struct token *token,
                                   struct devid_error *err)
{
    static const char before[] = "/serialNumber=";
    const char *serial = args_text(p->args, PROVISION_SERIAL);
    char *subject = OPENSSL_malloc(sizeof(before) + 2 * strlen(serial));
    const struct devid_csr_spec spec = {.subject = subject};
    enum devid_err e;
    char *at;

    if (subject == NULL)
        die_no_memory();
    memcpy(subject, before, sizeof(before));
    at = subject + sizeof(before) - 1;
    for (; *serial != '\0'; serial++) {
        if (strchr("/+\\", *serial) != NULL)
            *at++ = '\\';
        *at++ = *serial;
    }
    *at = '\0';
    e = devid_csr_create(token->key, &spec, &token->pkcs10, &token->len, err);
    OPENSSL_free(subject);
    return e;
}

static enum exit_code make_key(struct provision *p, struct token *token)
{
    struct devid_error err;
    bool made = false;
    enum devid_err e;

    progress_step(&p->progress, "keys");
    e = open_key(p, token, &made, &err);
    if (e == DEVID_OK)
        e = make_request(p, token, &err);
    if (e != DEVID_OK)
        return step_fail(e, &err);
    p->idevid = *devid_key_public(token->key);
    provision_set_id(p, &p->idevid);
    progress_done(&p->progress, "%s on the token, %s",
                  p->idevid.alg != NULL ? p->idevid.alg->name : "RSA",
                  made ? "new" : "there already");
    return EXIT_DONE;
}

static enum exit_code enrol(struct provision *p, const struct token *token)
{
    const struct line_enrolment enrolment = {
        .serial = args_text(p->args, PROVISION_SERIAL),
        .model = args_text(p->args, PROVISION_MODEL),
        .mac = args_text(p->args, PROVISION_MAC),
        .operator_name = args_text(p->args, PROVISION_OPERATOR),
        .new_owner = args_flag(p->args, PROVISION_NEW_OWNER),
        .pkcs10 = token->pkcs10,
        .pkcs10_len = token->len,
    };
    enum exit_code code;

    progress_step(&p->progress, "enrol");
    code = line_enrol(p->http, &enrolment, &p->unit, &p->certificates);
    if (code == EXIT_DONE)
        code = provision_check(p, false);
    if (code == EXIT_DONE)
        progress_done(&p->progress, "unit %s, asserted by the operator",
                      p->unit.id);
    return code;
}

enum exit_code provision_token(struct provision *p)
{
    struct token token = {0};
    enum exit_code code = make_key(p, &token);

    if (code == EXIT_DONE)
        code = enrol(p, &token);
    if (code == EXIT_DONE) {
        progress_step(&p->progress, "token");
        code = keep_on_token(p->engine, token.key, &p->keep,
                             p->certificates.idevid);
    }
    if (code == EXIT_DONE) {
        progress_done(&p->progress, "the certificate is beside the key");
        code = provision_folder(p, token.key);
    }
    OPENSSL_free(token.pkcs10);
    devid_key_free(&token.key);
    return code;
}
