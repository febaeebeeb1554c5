/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "describe.h"
#include "identities.h"
#include "message.h"
#include "report.h"

enum {
    DAY_S = 24 * 3600,
    SOON_S = 30 * DAY_S
};

/* ---- the key and the certificate ----------------------------------------- */

static void put_key(struct devid *engine, json_t *facts, const char *folder)
{
    struct devid_key *key = NULL;
    struct devid_key_info info;
    struct devid_error err = {0};
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/key.pem", folder);
    if (devid_key_open(engine, path, &key, &err)) {
        report_text(facts, "key_error", err.text);
        return;
    }
    devid_key_info(key, &info);
    report_text(facts, "key", *info.uri != '\0' ? info.uri : info.location);
    devid_key_free(&key);
}

static void put_certificate(json_t *facts, X509 *cert)
{
    static const char *const members[] = {"subject", "issuer", "serial"};
    struct identity_validity validity = identity_validity(cert);
    json_t *all = report_new();

    describe_cert(all, cert);
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        report_text(facts, members[i], report_get(all, members[i]));
    json_decref(all);
    report_number(facts, "not_before", validity.not_before);
    report_number(facts, "not_after", validity.not_after);
}

/* ---- when it is renewed, and how that went ------------------------------- */

static void put_time(json_t *facts, const char *member, int64_t seconds)
{
    if (seconds != 0)
        report_number(facts, member, seconds);
}

static void put_renewal(json_t *facts, const struct identity *identity,
                        const X509 *cert)
{
    const struct identity_state *state = &identity->state;
    struct identity_validity validity;
    char id[IDENTITY_ID_SIZE];

    report_text(facts, "protocol", identity->conf.protocol);
    report_text(facts, "url", identity->conf.url);
    put_time(facts, "last_attempt", state->last_attempt);
    put_time(facts, "last_success", state->last_success);
    put_time(facts, "retry_at", state->retry_at);
    report_text(facts, "last_error", state->last_error);
    if (cert == NULL)
        return;
    validity = identity_validity(cert);
    identity_device_id(identity, cert, id);
    report_number(facts, "next_renewal", identity_due(&validity, id));
}

/* ---- what that comes to -------------------------------------------------- */

static int64_t number(const json_t *facts, const char *member)
{
    return json_integer_value(json_object_get(facts, member));
}

/*
 * A renewal that is due is made by the next run of a timer: it is overdue a day
 * later, or when half of the time is over that is left for it.
 */
static bool is_overdue(const json_t *facts, int64_t now)
{
    int64_t due = number(facts, "next_renewal");
    int64_t room = (number(facts, "not_after") - due) / 2;

    return now > due + (room < DAY_S ? room : DAY_S);
}

/* Nobody renews it. A year before its end that is no matter yet. */
static bool ends_soon(const json_t *facts, int64_t now)
{
    int64_t end = number(facts, "not_after");
    int64_t third = (end - number(facts, "not_before")) / 3;

    return end - now < (third < SOON_S ? third : SOON_S);
}

static const char *state_of(const json_t *facts, int64_t now)
{
    bool renewed = *report_get(facts, "protocol") != '\0';

    if (*report_get(facts, "conf_error") != '\0')
        return "unreadable";
    if (!json_object_get(facts, "not_after"))
        return *report_get(facts, "last_error") != '\0' ? "failed" : "missing";
    if (number(facts, "not_after") <= now)
        return "expired";
    if (number(facts, "not_before") > now)
        return "early";
    if (*report_get(facts, "key_error") != '\0')
        return "unreadable";
    if (*report_get(facts, "last_error") != '\0')
        return "failed";
    if (renewed && is_overdue(facts, now))
        return "overdue";
    if (!renewed && ends_soon(facts, now))
        return "ending";
    return number(facts, "retry_at") > now ? "waiting" : "ok";
}

static void judge(json_t *facts)
{
    const char *state = state_of(facts, identity_now());

    report_text(facts, "state", state);
    report_flag(facts, "ok",
                strcmp(state, "ok") == 0 || strcmp(state, "waiting") == 0);
}

/* What is known of ROOT/NAME. */
static json_t *facts_of(struct devid *engine, const char *root,
                        const char *name)
{
    struct identity identity;
    json_t *facts = report_new();
    bool there = false;
    X509 *cert;

    identity_init(&identity, root, name);
    report_text(facts, "identity", name);
    report_text(facts, "folder", identity.folder);
    cert = identity_certificate(&identity);
    if (cert != NULL) {
        put_certificate(facts, cert);
        put_key(engine, facts, identity.folder);
    }
    /* What is wrong with it has been said; the others are told of still. */
    if (identity_conf_read(&identity, &there) != EXIT_DONE ||
        (there && identity_conf_check(&identity) != EXIT_DONE)) {
        report_text(facts, "conf_error", last_failure());
    } else if (there) {
        identity_state_read(&identity);
        put_renewal(facts, &identity, cert);
    }
    judge(facts);
    X509_free(cert);
    identity_clear(&identity);
    return facts;
}

/* ---- all ----------------------------------------------------------------- */

/* A folder with a certificate; a version of one has a dot in its name. */
static bool is_folder(const char *root, const char *name)
{
    char path[PATH_MAX];

    return strchr(name, '.') == NULL &&
           snprintf(path, sizeof(path), "%s/%s/cert.pem", root, name) <
               PATH_MAX &&
           access(path, F_OK) == 0;
}

static bool is_in(char **names, const char *name)
{
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

enum exit_code status_all(struct devid *engine, const char *root,
                          json_t **identities)
{
    struct dirent **entries = NULL;
    char **names = NULL;
    enum exit_code code = identities_names(root, &names);
    int count;

    *identities = report_array();
    if (code != EXIT_DONE)
        return code;
    count = scandir(root, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;

        if (is_folder(root, name) && !is_in(names, name))
            report_append(*identities, facts_of(engine, root, name));
        free(entries[i]);
    }
    for (char **name = names; *name != NULL; name++)
        report_append(*identities, facts_of(engine, root, *name));
    free(entries);
    identities_free_names(names);
    return EXIT_DONE;
}
