/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "cmp_enrolment.h"
#include "commands.h"
#include "exits.h"
#include "message.h"
#include "renewal.h"

enum {
    IDENTITY,
    ROOT,
    REASON,
    TIMEOUT
};

static const struct option_row options[] = {
    [IDENTITY] = {"identity", "NAME", "whose certificate", true, false},
    [ROOT] = {"root", "DIRECTORY",
              "where identities are; the default is " IDENTITIES_ROOT, false,
              false},
    [REASON] = {"reason", "WORD",
                "cessation, the default, compromise, affiliation, superseded "
                "or unspecified",
                false, false},
    [TIMEOUT] = {"timeout", "SECONDS",
                 "how long the CA is tried; the default is 60", false, false},
    {0},
};

static enum exit_code read_reason(const struct args *args, int *reason)
{
    static const struct {
        const char *word;
        int reason;
    } rows[] = {
        {"cessation", CRL_REASON_CESSATION_OF_OPERATION},
        {"compromise", CRL_REASON_KEY_COMPROMISE},
        {"affiliation", CRL_REASON_AFFILIATION_CHANGED},
        {"superseded", CRL_REASON_SUPERSEDED},
        {"unspecified", CRL_REASON_UNSPECIFIED},
    };
    const char *word = args_text(args, REASON);

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (strcmp(word != NULL ? word : rows[0].word, rows[i].word) == 0) {
            *reason = rows[i].reason;
            return EXIT_DONE;
        }
    }
    return wrong_use("revoke",
                     "--reason is cessation, compromise, affiliation, "
                     "superseded or unspecified, not %s",
                     word);
}

static enum exit_code revoke(const struct args *args,
                             const struct identity *identity,
                             unsigned patience_s, int reason)
{
    X509 *cert = identity_certificate(identity);
    struct cmp_side side = {0};
    enum exit_code code = EXIT_DONE;

    if (cert == NULL)
        return fail("the identity '%s' has no certificate", identity->name);
    if (strcmp(identity->conf.protocol, "cmp") != 0)
        code = fail("the identity '%s' is of a CA that speaks %s, which has no "
                    "way to ask for that: ask who runs the CA",
                    identity->name, identity->conf.protocol);
    if (code == EXIT_DONE)
        code = cmp_side_open(args, identity, true, &side);
    side.spec.patience_s = patience_s;
    if (code == EXIT_DONE)
        code = cmp_revoke(&side.spec, cert, reason);
    if (code == EXIT_DONE)
        (void)printf("the certificate of %s is revoked; its folder stays as it "
                     "is: 'devid enroll --force' gives it a new one\n",
                     identity->name);
    cmp_side_close(&side);
    X509_free(cert);
    return code;
}

static enum exit_code run(const struct args *args)
{
    const char *root = args_text(args, ROOT);
    const char *name = args_text(args, IDENTITY);
    struct identity identity = {.lock = -1};
    unsigned patience_s = 0;
    int reason = 0;
    enum exit_code code = identity_check_name(name);

    if (code == EXIT_DONE)
        code = read_reason(args, &reason);
    if (code == EXIT_DONE)
        code = renewal_patience(args, "revoke", TIMEOUT, &patience_s);
    if (code == EXIT_DONE)
        code = identity_load(root != NULL ? root : IDENTITIES_ROOT, name,
                             &identity);
    if (code == EXIT_DONE)
        code = identity_lock(&identity);
    if (code == EXIT_DONE)
        code = revoke(args, &identity, patience_s, reason);
    identity_clear(&identity);
    return code;
}

const struct command revoke_command = {
    .name = "revoke",
    .operands = "",
    .help = "have the CA revoke an identity's certificate",
    .example = "  devid revoke --identity nginx --reason superseded\n",
    .options = options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_MODULE) | TAKES(ROW_AUTH_SOURCE),
    .exits = revoke_exits,
    .run = run,
};
