/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tool `devid`: the table of its subcommands, and main.
 */
#include <openssl/crypto.h>

#include "commands.h"
#include "crash.h"
#include "devid.h"
#include "handshake.h"
#include "message.h"

/* A line each: clang-format fills them otherwise. */
/* clang-format off */
static const struct command *const commands[] = {
    &keygen_command,
    &csr_command,
    &show_command,
    &list_command,
    &delete_command,
    &cert_command,
    &import_command,
    &convert_command,
    &policy_command,
    &token_command,
    &whoami_command,
    &provision_command,
    &install_command, &decommission_command,
    &enroll_command,
    &renew_command,
    &revoke_command,
    &status_command,
    &request_command,
    &activate_command,
    &trust_command,
    &conf_command,
    &test_command,
    &doctor_command,
    NULL,
};
/* clang-format on */

static const struct topic topics[] = {
    {"concepts", "devid", "7"},
    {"provider", "devid-provider", "7"},
    {"station", "devid-station", "8"},
    {0},
};

static const struct program devid = {
    .name = "devid",
    .about = "a hardware-bound identity for every OpenSSL program",
    .example =
        "  devid keygen --out key.pem\n"
        "  devid csr --key key.pem --subject /CN=unit-0001 --out unit.csr\n",
    .see = "See devid(1), and devid-provider(7) for nginx, curl and others.",
    .section = '1',
    .commands = commands,
    .topics = topics,
};

static enum exit_code prepare(void)
{
    /*
     * The user's openssl.cnf may list the provider devid, or nothing that
     * works; the tool needs neither.
     */
    if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
        return fail("libcrypto cannot be initialised");
    crash_watch();
    return EXIT_DONE;
}

static void finish(void)
{
    devid_shutdown();
    handshake_finish();
}

int main(int argc, char **argv)
{
    return program_main(&devid, argc, argv, prepare, finish);
}
