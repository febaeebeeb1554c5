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
#include "crash.h"
#include "devid.h"
#include "help.h"
#include "message.h"

static const struct command *const commands[] = {
    &keygen_command,   &csr_command,   &show_command,   &list_command,
    &delete_command,   &cert_command,  &import_command, &convert_command,
    &policy_command,   &token_command, &whoami_command, &request_command,
    &activate_command, &conf_command,  &test_command,   NULL,
};

static const struct command *command_by_name(const struct command *const *table,
                                             const char *name)
{
    for (; *table; table++) {
        if (strcmp(command_word(*table), name) == 0)
            return *table;
    }
    return NULL;
}

/* `group` is the command whose action it was to be; NULL: none. */
static enum exit_code unknown_command(const struct command *group,
                                      const char *name)
{
    const char *of = group ? group->name : "command";
    const struct command *near =
        nearest_command(group ? group->actions : commands, name);

    if (near)
        return wrong_use(group ? group->name : NULL,
                         "there is no %s %s; did you mean %s?", of, name,
                         command_word(near));
    return wrong_use(group ? group->name : NULL, "there is no %s %s", of, name);
}

/* argv[0] is the last word of the command. */
static enum exit_code run_words(const struct command *command, int argc,
                                char **argv)
{
    struct args args;
    enum exit_code code = EXIT_DONE;

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

static enum exit_code run_command(int argc, char **argv)
{
    const struct command *command = command_by_name(commands, argv[0]);
    const struct command *action;

    if (!command)
        return unknown_command(NULL, argv[0]);
    if (!command->actions)
        return run_words(command, argc, argv);
    if (argc < 2)
        return wrong_use(command->name, "what %s is to do is missing",
                         command->name);
    if (strcmp(argv[1], "--help") == 0) {
        print_command_help(command);
        return EXIT_DONE;
    }
    action = command_by_name(command->actions, argv[1]);
    if (!action)
        return unknown_command(command, argv[1]);
    return run_words(action, argc - 1, argv + 1);
}

static enum exit_code run_help(int argc, char **argv)
{
    const struct command *command;
    const struct command *action;

    if (argc < 2) {
        print_tool_help(commands);
        return EXIT_DONE;
    }
    command = command_by_name(commands, argv[1]);
    if (!command)
        return unknown_command(NULL, argv[1]);
    if (command->actions && argc > 2) {
        action = command_by_name(command->actions, argv[2]);
        if (!action)
            return unknown_command(command, argv[2]);
        command = action;
    }
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
    crash_watch();
    code = (int)run(argc - 1, argv + 1);
    devid_shutdown();
    if (fflush(stdout) || ferror(stdout))
        return (int)fail("standard output cannot be written");
    return code;
}
