/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The station of a factory line, `devid-station`: the table of its
 * subcommands, and main.
 */
#include <openssl/crypto.h>

#include "commands.h"
#include "devid.h"
#include "keys.h"
#include "message.h"

/* A line each: clang-format fills them otherwise. */
/* clang-format off */
static const struct command *const commands[] = {
    &init_command,
    &serve_command,
    &batch_command,
    &show_command,
    &report_command,
    &manifest_command,
    &pending_command,
    &approve_command,
    &refuse_command,
    &operator_command,
    &renew_server_command,
    &revoke_command,
    &verify_log_command,
    &import_command,
    &challenge_command,
    &issue_command,
    NULL,
};
/* clang-format on */

static const struct topic topics[] = {
    {"concepts", "devid", "7"},
    {"provider", "devid-provider", "7"},
    {0},
};

static const struct program station = {
    .name = "devid-station",
    .about = "gives devices their identity, on a factory's line",
    .example = "  devid-station init --dir line --name line-1\n"
               "  devid-station serve --dir line\n",
    .see = "See devid-station(8).",
    .section = '8',
    .one_page = true,
    .commands = commands,
    .topics = topics,
};

static enum exit_code prepare(void)
{
    /* Providers are loaded by keys_begin, whatever openssl.cnf lists. */
    if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
        return fail("libcrypto cannot be initialised");
    return EXIT_DONE;
}

static void finish(void)
{
    keys_end();
    devid_shutdown();
}

int main(int argc, char **argv)
{
    return program_main(&station, argc, argv, prepare, finish);
}
