/* SPDX-License-Identifier: Apache-2.0 */
/* An enrolment over CMP. */
#include "cmp_enrolment.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "enrolment.h"
#include "message.h"

#define WELL_KNOWN "/.well-known/cmp"

/* ---- with whom, and as whom ---------------------------------------------- */

/*
 * RFC 9480, 3.3: http://HOST/.well-known/cmp, and /p/LABEL for a profile. A
 * path that was given stays as it is, with the slash at its end: servers
 * differ.
 */
static char *make_url(const struct identity_conf *conf)
{
    size_t len = strlen(conf->url);
    const char *host = strstr(conf->url, "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;
    const bool has_path = path != NULL && path[strspn(path, "/")] != '\0';
    const char *label = conf->label != NULL ? conf->label : "";
    size_t size = len + sizeof(WELL_KNOWN "/p/") + strlen(label);
    char *url = OPENSSL_malloc(size);

    if (url == NULL)
        die_no_memory();
    if (!has_path || *label != '\0') {
        while (len > 0 && conf->url[len - 1] == '/')
            len--;
    }
    (void)snprintf(url, size, "%.*s%s%s%s", (int)len, conf->url,
                   has_path ? "" : WELL_KNOWN, *label != '\0' ? "/p/" : "",
                   label);
    return url;
}

static const char *ca_in(struct cmp_side *side, const char *folder)
{
    (void)snprintf(side->ca, sizeof(side->ca), "%s/ca.pem", folder);
    return access(side->ca, R_OK) == 0 ? side->ca : NULL;
}

static enum exit_code read_secret(struct cmp_side *side,
                                  const struct identity_conf *conf)
{
    enum exit_code code =
        secret_read(&side->secret, "secret-source", conf->secret_source,
                    "secret for the CA", false);

    side->spec.reference = conf->user;
    side->spec.secret = side->secret.data;
    side->spec.secret_len = side->secret.len;
    return code;
}

/* A secret was named on purpose; the IDevID may have been there anyway. */
enum exit_code cmp_side_open(const struct args *args,
                             const struct identity *identity, bool by_itself,
                             struct cmp_side *side)
{
    const struct identity_conf *conf = &identity->conf;
    const char *folder = by_itself ? identity->folder : conf->idevid;
    enum exit_code code;

    *side = (struct cmp_side){.url = make_url(conf)};
    side->spec.url = side->url;
    side->spec.ca = conf->ca;
    if (!by_itself && conf->user != NULL)
        return read_secret(side, conf);
    if (folder == NULL)
        return fail_with(EXIT_WRONG_USE,
                         "nothing says to the CA who this device is: --idevid "
                         "names the folder of an identity that it has, --user "
                         "and --secret-source a name and a secret");
    if (side->spec.ca == NULL)
        side->spec.ca = ca_in(side, folder);
    code = handshake_open(args, folder, &side->who);
    side->spec.who = &side->who.identity;
    return code;
}

void cmp_side_close(struct cmp_side *side)
{
    handshake_close(&side->who);
    secret_wipe(&side->secret);
    OPENSSL_free(side->url);
    side->url = NULL;
}

/* ---- a certificate ------------------------------------------------------- */

static enum exit_code certify(struct enrolment *e, const struct cmp_spec *spec,
                              EVP_PKEY *key, bool *disowned)
{
    const struct cmp_request request = {
        .key = key,
        .pkcs10 = e->request,
        .pkcs10_len = e->request_len,
        .old = enrolment_by_itself(e) ? e->old : NULL,
    };
    struct cmp_issued issued = {0};
    enum exit_code code = cmp_certify(spec, &request, &issued);

    e->certificates.idevid = issued.cert;
    e->certificates.ca = issued.ca;
    *disowned = issued.disowned;
    return code;
}

/* disowned  out: true where it failed for the identity that asked */
static enum exit_code ask(struct enrolment *e, bool *disowned)
{
    struct handshake key = {0};
    struct cmp_side side;
    enum exit_code code;

    progress_step(e->progress, "enroll");
    code = cmp_side_open(e->args, e->identity, enrolment_by_itself(e), &side);
    *disowned = code != EXIT_DONE;
    side.spec.patience_s = e->patience_s;
    if (code == EXIT_DONE)
        code = handshake_open_key(e->args, "the new key", e->key_pem, &key);
    if (code == EXIT_DONE)
        code = certify(e, &side.spec, key.identity.key, disowned);
    if (code == EXIT_DONE)
        progress_done(e->progress, "%s has answered%s", side.url,
                      enrolment_by_itself(e) ? " the identity itself" : "");
    handshake_close(&key);
    cmp_side_close(&side);
    return code;
}

/* As with EST: who has an IDevID, or a secret, says again who he is. */
static enum exit_code cmp_obtain(struct enrolment *e)
{
    const struct identity_conf *conf = &e->identity->conf;
    bool by_itself = enrolment_by_itself(e);
    bool disowned = false;
    enum exit_code code = ask(e, &disowned);

    if (!disowned || !by_itself || (conf->idevid == NULL && conf->user == NULL))
        return code;
    note("the identity cannot ask for itself: its %s does",
         conf->user != NULL ? "secret" : "IDevID");
    e->disowned = true;
    return ask(e, &disowned);
}

/* CMP's messages are signed: who has answered need not speak TLS. */
static enum exit_code
cmp_prove(struct enrolment *e, const struct http_identity *identity, bool *done)
{
    (void)e;
    (void)identity;
    *done = false;
    return EXIT_DONE;
}

const struct enrolment_protocol cmp_protocol = {
    .name = "cmp",
    .obtain = cmp_obtain,
    .prove = cmp_prove,
};
