/* SPDX-License-Identifier: Apache-2.0 */
/* bash(1), "Programmable Completion". */
#include <stdio.h>

#include "args.h"
#include "completion.h"
#include "help.h"

static void begin(const struct program *program)
{
    printf("# bash completion of %s, made by %s --completion bash\n"
           "_%s()\n{\n"
           "    local word=${COMP_WORDS[COMP_CWORD]}\n"
           "    local before=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "    local command=${COMP_WORDS[1]} first=2 words='' kind=words\n"
           "    COMPREPLY=()\n"
           "    if ((COMP_CWORD == 1)); then\n"
           "        words='",
           program->name, program->name, program->name);
    for (const struct command *const *at = program->commands; *at; at++)
        printf("%s ", (*at)->name);
    printf("help --help --version'\n"
           "    elif [[ $command == help ]]; then\n"
           "        words='");
    for (const struct command *const *at = program->commands; *at; at++)
        printf("%s ", (*at)->name);
    for (const struct topic *at = program->topics; at->word; at++)
        printf("%s%s", at->word, at[1].word ? " " : "");
    printf("'\n    fi\n    case $command in\n");
}

static void group(const struct program *program, const struct command *command)
{
    (void)program;
    printf("    %s)\n"
           "        first=3\n"
           "        if ((COMP_CWORD == 2)); then\n"
           "            words='",
           command->name);
    for (const struct command *const *at = command->actions; *at; at++)
        printf("%s ", command_word(*at));
    printf("--help'\n"
           "        else\n"
           "            command+=\" ${COMP_WORDS[2]}\"\n"
           "        fi\n"
           "        ;;\n"
           "    esac\n"
           "    case $command in\n");
}

static void group_end(void)
{
    puts("    esac\n    case $command in");
}

static void print_value(const struct value *value)
{
    static const char *const kinds[] = {
        [VALUE_ANY] = "none",
        [VALUE_FILE] = "file",
        [VALUE_FOLDER] = "directory",
        [VALUE_WORDS] = "words",
    };

    printf("kind=%s words='%s'", kinds[value->kind], value->words);
}

static void leaf(const struct program *program, const struct command *command)
{
    struct value operand = completion_value(command, NULL);

    (void)program;
    printf("    '%s')\n"
           "        ((COMP_CWORD < first)) || case $before in\n",
           command->name);
    for (int row = 0; row < ARGS_ROWS_MAX; row++) {
        const struct option_row *option = command_option(command, row);
        if (!option || !option->argument)
            continue;
        struct value value = completion_value(command, option);
        printf("        --%s) ", option->name);
        print_value(&value);
        puts(" ;;");
    }
    printf("        *)\n"
           "            if [[ $word == -* ]]; then\n"
           "                words='");
    for (int row = 0; row < ARGS_ROWS_MAX; row++) {
        const struct option_row *option = command_option(command, row);
        if (option)
            printf("--%s%s", option->name, row == ROW_HELP ? "" : " ");
    }
    printf("'\n            else\n                ");
    print_value(&operand);
    puts("\n            fi\n"
         "            ;;\n"
         "        esac\n"
         "        ;;");
}

static void end(const struct program *program)
{
    printf("    esac\n"
           "    case $kind in\n"
           "    words) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
           "\"$word\") ;;\n"
           "    file | directory)\n"
           "        compopt -o filenames 2>/dev/null || :\n"
           "        mapfile -t COMPREPLY < <(compgen -A \"$kind\" -- "
           "\"$word\")\n"
           "        ;;\n"
           "    esac\n"
           "}\n"
           "complete -F _%s %s\n",
           program->name, program->name);
}

const struct shell bash_shell = {
    .name = "bash",
    .begin = begin,
    .group = group,
    .group_end = group_end,
    .leaf = leaf,
    .end = end,
};
