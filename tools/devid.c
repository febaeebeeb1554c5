/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tool `devid`: the table of its subcommands, and main.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "args.h"
#include "command.h"
#include "devid.h"
#include "help.h"
#include "message.h"

static const struct command *const commands[] = {
    &keygen_command, &csr_command,    &show_command,
    &list_command,   &delete_command, &whoami_command,
    &conf_command,   &test_command,   NULL,
};

static const struct command *command_by_name(const char *name)
{
    for (const struct command *const *at = commands; *at; at++) {
        if (strcmp((*at)->name, name) == 0)
            return *at;
    }
    return NULL;
}

static enum exit_code unknown_command(const char *name)
{
    const struct command *near = nearest_command(commands, name);

    if (near)
        return wrong_use(NULL, "there is no command %s; did you mean %s?", name,
                         near->name);
    return wrong_use(NULL, "there is no command %s", name);
}

static enum exit_code run_command(int argc, char **argv)
{
    const struct command *command = command_by_name(argv[0]);
    struct args args;
    enum exit_code code = EXIT_DONE;

    if (!command)
        return unknown_command(argv[0]);
    switch (args_parse(command, argc, argv, &args)) {
    case ARGS_RUN:
        code = command->run(&args);
        break;
    case ARGS_HELP:
        print_command_help(command);
        break;
    case ARGS_WRONG:
        code = EXIT_WRONG_USE;
        break;
    }
    args_clear(&args);
    return code;
}

static enum exit_code run_help(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        print_tool_help(commands);
        return EXIT_DONE;
    }
    command = command_by_name(argv[1]);
    if (!command)
        return unknown_command(argv[1]);
    print_command_help(command);
    return EXIT_DONE;
}

static enum exit_code run(int argc, char **argv)
{
    if (argc < 1)
        return wrong_use(NULL, "a command is missing");
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "help") == 0)
        return run_help(argc, argv);
    if (strcmp(argv[0], "--version") == 0) {
        puts("devid " DEVID_VERSION);
        return EXIT_DONE;
    }
    if (argv[0][0] == '-')
        return wrong_use(NULL, "unknown option %s", argv[0]);
    return run_command(argc, argv);
}

/* No core file may hold what a user typed or a file held. */
static int forbid_core_dumps(void)
{
    const struct rlimit none = {0, 0};

    return setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int main(int argc, char **argv)
{
    int code;

    if (forbid_core_dumps())
        return (int)fail("core dumps cannot be switched off");
    /*
     * The user's openssl.cnf may list the provider devid, or nothing that
     * works; the tool needs neither.
     */
    if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
        return (int)fail("libcrypto cannot be initialised");
    code = (int)run(argc - 1, argv + 1);
    devid_shutdown();
    if (fflush(stdout) || ferror(stdout))
        return (int)fail("standard output cannot be written");
    return code;
}
