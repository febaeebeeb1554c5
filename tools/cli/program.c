/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "args.h"
#include "command.h"
#include "completion.h"
#include "devid.h"
#include "help.h"
#include "manual.h"
#include "message.h"
#include "rights.h"

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
static enum exit_code unknown_command(const struct program *program,
                                      const struct command *group,
                                      const char *name)
{
    const char *of = group ? group->name : "command";
    const struct command *near =
        nearest_command(group ? group->actions : program->commands, name);

    if (near)
        return wrong_use(group ? group->name : NULL,
                         "there is no %s %s; did you mean %s?", of, name,
                         command_word(near));
    return wrong_use(group ? group->name : NULL, "there is no %s %s", of, name);
}

/* argv[0] is the last word of the command. */
static enum exit_code run_words(const struct program *program,
                                const struct command *command, int argc,
                                char **argv)
{
    struct args args;
    enum exit_code code = EXIT_DONE;

    switch (args_parse(command, argc, argv, &args)) {
    case ARGS_RUN:
        code = command->run(&args);
        break;
    case ARGS_HELP:
        print_command_help(program, command);
        break;
    case ARGS_WRONG:
        code = EXIT_WRONG_USE;
        break;
    }
    args_clear(&args);
    return code;
}

static enum exit_code run_command(const struct program *program, int argc,
                                  char **argv)
{
    const struct command *command = command_by_name(program->commands, argv[0]);
    const struct command *action;

    if (!command)
        return unknown_command(program, NULL, argv[0]);
    if (!command->actions)
        return run_words(program, command, argc, argv);
    if (argc < 2)
        return wrong_use(command->name, "what %s is to do is missing",
                         command->name);
    if (strcmp(argv[1], "--help") == 0) {
        print_command_help(program, command);
        return EXIT_DONE;
    }
    action = command_by_name(command->actions, argv[1]);
    if (!action)
        return unknown_command(program, command, argv[1]);
    return run_words(program, action, argc - 1, argv + 1);
}

/* Of a topic there is a manual alone. */
static enum exit_code show_topic(const struct program *program,
                                 const char *word)
{
    for (const struct topic *topic = program->topics; topic->word; topic++) {
        if (strcmp(topic->word, word) != 0 && strcmp(topic->page, word) != 0)
            continue;
        manual_show(topic->page, topic->section);
        return fail("man is not installed, so %s(%s) cannot be shown",
                    topic->page, topic->section);
    }
    return unknown_command(program, NULL, word);
}

/* The manual of a command; where there is no man its --help. */
static enum exit_code run_help(const struct program *program, int argc,
                               char **argv)
{
    const char section[] = {program->section, '\0'};
    const struct command *command;
    char page[64];

    if (argc < 2 || strcmp(argv[1], program->name) == 0) {
        manual_show(program->name, section);
        print_program_help(program);
        return EXIT_DONE;
    }
    command = command_by_name(program->commands, argv[1]);
    if (!command)
        return show_topic(program, argv[1]);
    if (command->actions && argc > 2 &&
        !command_by_name(command->actions, argv[2]))
        return unknown_command(program, command, argv[2]);
    (void)snprintf(page, sizeof(page), "%s%s%s", program->name,
                   program->one_page ? "" : "-",
                   program->one_page ? "" : command->name);
    manual_show(page, section);
    if (command->actions && argc > 2)
        command = command_by_name(command->actions, argv[2]);
    print_command_help(program, command);
    return EXIT_DONE;
}

static enum exit_code run(const struct program *program, int argc, char **argv)
{
    if (argc < 1)
        return wrong_use(NULL, "a command is missing");
    if (strcmp(argv[0], "--help") == 0) {
        print_program_help(program);
        return EXIT_DONE;
    }
    if (strcmp(argv[0], "help") == 0)
        return run_help(program, argc, argv);
    /* Of the build, and so in no help. */
    if (strcmp(argv[0], "--completion") == 0)
        return print_completion(program, argc > 1 ? argv[1] : "none");
    if (strcmp(argv[0], "--version") == 0) {
        printf("%s " DEVID_VERSION "\n", program->name);
        return EXIT_DONE;
    }
    if (argv[0][0] == '-')
        return wrong_use(NULL, "unknown option %s", argv[0]);
    return run_command(program, argc, argv);
}

/* No core file may hold what a user typed or a file held. */
static int forbid_core_dumps(void)
{
    const struct rlimit none = {0, 0};

    return setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int program_main(const struct program *program, int argc, char **argv,
                 enum exit_code (*prepare)(void), void (*finish)(void))
{
    enum exit_code code = EXIT_DONE;

    program_name = program->name;
    rights_tighten();
    if (forbid_core_dumps())
        return (int)fail("core dumps cannot be switched off");
    if (prepare)
        code = prepare();
    if (code != EXIT_DONE)
        return (int)code;
    code = run(program, argc - 1, argv + 1);
    if (finish)
        finish();
    if (fflush(stdout) || ferror(stdout))
        return (int)fail("standard output cannot be written");
    return (int)code;
}
