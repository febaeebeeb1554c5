/* SPDX-License-Identifier: Apache-2.0 */
#include "identities.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

#define CONF_END ".conf"

enum {
    NAME_LEN_MAX = 64
};

/* ---- names --------------------------------------------------------------- */

static bool is_name(const char *name, size_t len)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                  "qrstuvwxyz0123456789-_";

    return len > 0 && len <= NAME_LEN_MAX && *name != '-' &&
           strspn(name, letters) >= len;
}

enum exit_code identity_check_name(const char *name)
{
    if (is_name(name, strlen(name)))
        return EXIT_DONE;
    return fail_with(EXIT_WRONG_USE,
                     "'%s' is no name of an identity: that has 1 to %d of A to "
                     "Z, a to z, 0 to 9, - and _",
                     name, (int)NAME_LEN_MAX);
}

static int is_conf(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    size_t end = strlen(CONF_END);

    return len > end && strcmp(entry->d_name + len - end, CONF_END) == 0 &&
           is_name(entry->d_name, len - end);
}

enum exit_code identities_names(const char *root, char ***names)
{
    struct dirent **entries = NULL;
    int count = scandir(root, &entries, is_conf, alphasort);

    *names = NULL;
    if (count < 0 && errno != ENOENT)
        return fail("the directory of identities, %s, cannot be read: %s", root,
                    strerror(errno));
    if (count < 0)
        count = 0;
    *names = OPENSSL_zalloc(((size_t)count + 1) * sizeof(**names));
    if (*names == NULL)
        die_no_memory();
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;

        (*names)[i] = OPENSSL_strndup(name, strlen(name) - strlen(CONF_END));
        if ((*names)[i] == NULL)
            die_no_memory();
        free(entries[i]);
    }
    free(entries);
    return EXIT_DONE;
}

void identities_free_names(char **names)
{
    for (char **name = names; name != NULL && *name != NULL; name++)
        OPENSSL_free(*name);
    OPENSSL_free(names);
}

/* ---- one ----------------------------------------------------------------- */

void identity_init(struct identity *identity, const char *root,
                   const char *name)
{
    size_t size = strlen(root) + strlen(name) + 2;

    *identity = (struct identity){.lock = -1};
    identity->name = OPENSSL_strdup(name);
    identity->folder = OPENSSL_malloc(size);
    if (identity->name == NULL || identity->folder == NULL)
        die_no_memory();
    (void)snprintf(identity->folder, size, "%s/%s", root, name);
}

void identity_clear(struct identity *identity)
{
    if (identity->lock >= 0)
        (void)close(identity->lock); /* nothing was written to it */
    identity_conf_clear(&identity->conf);
    identity_state_clear(&identity->state);
    OPENSSL_free(identity->name);
    OPENSSL_free(identity->folder);
    *identity = (struct identity){.lock = -1};
}

enum exit_code identity_load(const char *root, const char *name,
                             struct identity *identity)
{
    bool there = false;
    enum exit_code code = identity_check_name(name);

    if (code != EXIT_DONE)
        return code;
    identity_init(identity, root, name);
    code = identity_conf_read(identity, &there);
    if (code == EXIT_DONE && !there)
        code = fail("there is no identity '%s' in %s: %s.conf is not there; "
                    "devid enroll makes one",
                    name, root, identity->folder);
    if (code == EXIT_DONE)
        code = identity_conf_check(identity);
    if (code == EXIT_DONE)
        identity_state_read(identity);
    else
        identity_clear(identity);
    return code;
}

enum exit_code identity_lock(struct identity *identity)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s.lock", identity->folder) >= PATH_MAX)
        return fail("the path of %s is too long", identity->folder);
    identity->lock =
        open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (identity->lock < 0)
        return fail("%s cannot be opened: %s", path, strerror(errno));
    if (flock(identity->lock, LOCK_EX | LOCK_NB) == 0)
        return EXIT_DONE;
    return fail("another devid is at work on the identity '%s', and holds %s",
                identity->name, path);
}

X509 *identity_certificate(const struct identity *identity)
{
    char path[PATH_MAX];
    X509 *cert = NULL;
    BIO *bio = NULL;

    if (snprintf(path, sizeof(path), "%s/cert.pem", identity->folder) <
        PATH_MAX)
        bio = BIO_new_file(path, "r");
    if (bio != NULL)
        cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return cert;
}

enum exit_code identity_key(struct devid *engine,
                            const struct identity *identity,
                            struct devid_key **key)
{
    char path[PATH_MAX];
    struct devid_error err;

    if (snprintf(path, sizeof(path), "%s/key.pem", identity->folder) >=
        PATH_MAX)
        return fail("the path of %s is too long", identity->folder);
    if (devid_key_open(engine, path, key, &err))
        return fail_engine(&err);
    return EXIT_DONE;
}
