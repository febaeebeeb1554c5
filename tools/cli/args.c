/* SPDX-License-Identifier: Apache-2.0 */
#include "args.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

static const struct option_row common_rows[] = {
    [ROW_DEVICE -
     ROW_DEVICE] = {"device", "URI",
                    "the device, as a URI: tpm2:, the default, or a "
                    "token's, such as pkcs11:token=factory",
                    false, false},
    [ROW_TOKEN - ROW_DEVICE] = {"device", "URI",
                                "the token, such as pkcs11:token=factory; not "
                                "needed where there is only one",
                                false, false},
    [ROW_TCTI - ROW_DEVICE] =
        {"tcti", "STRING",
         "how to reach the TPM, such as device:/dev/tpmrm0; the default is "
         "DEVID_TCTI, then TPM2TOOLS_TCTI, then device:/dev/tpmrm0",
         false, false},
    [ROW_MODULE - ROW_DEVICE] =
        {"module", "FILE",
         "the PKCS#11 module of tokens; the default is DEVID_PKCS11_MODULE, "
         "then the modules that p11-kit knows",
         false, false},
    [ROW_AUTH_SOURCE - ROW_DEVICE] =
        {"auth-source", "SOURCE",
         "where the key's authorisation value is, or its token's user PIN: "
         "file:PATH, env:NAME or prompt",
         false, false},
    [ROW_PARENT_AUTH_SOURCE - ROW_DEVICE] =
        {"parent-auth-source", "SOURCE",
         "where that of the key's parent is: file:PATH or env:NAME", false,
         false},
    [ROW_OWNER_AUTH_SOURCE - ROW_DEVICE] =
        {"owner-auth-source", "SOURCE",
         "where that of the owner hierarchy is: file:PATH or env:NAME", false,
         false},
    [ROW_ENDORSEMENT_AUTH_SOURCE - ROW_DEVICE] =
        {"endorsement-auth-source", "SOURCE",
         "where that of the endorsement hierarchy is: file:PATH or env:NAME",
         false, false},
    [ROW_OUT - ROW_DEVICE] = {"out", "FILE",
                              "the file to write; - is standard output", true,
                              false},
    [ROW_FORCE - ROW_DEVICE] = {"force", NULL,
                                "overwrite the file where it exists", false,
                                false},
    [ROW_DIR - ROW_DEVICE] = {"dir", "DIR",
                              "the station's folder; the default is "
                              "/var/lib/devid-station",
                              false, false},
    [ROW_JSON - ROW_DEVICE] = {"json", NULL, "print JSON instead of text",
                               false, false},
    [ROW_HELP - ROW_DEVICE] = {"help", NULL, "print this help", false, false},
};

const struct option_row *command_option(const struct command *command, int row)
{
    if (row >= ROW_DEVICE) {
        unsigned taken = command->common | TAKES(ROW_HELP);
        return taken & TAKES(row) ? &common_rows[row - ROW_DEVICE] : NULL;
    }
    for (int i = 0; command->options[i].name; i++) {
        if (i == row)
            return &command->options[i];
    }
    return NULL;
}

/* getopt's table of a command's rows: `val` is the row, above any char. */
enum {
    VAL_OF_ROW_0 = 0x100
};

static void fill_long_options(const struct command *command,
                              struct option *table)
{
    for (int row = 0; row < ARGS_ROWS_MAX; row++) {
        const struct option_row *option = command_option(command, row);
        if (!option)
            continue;
        *table++ = (struct option){
            .name = option->name,
            .has_arg = option->argument ? required_argument : no_argument,
            .val = VAL_OF_ROW_0 + row,
        };
    }
    *table = (struct option){0};
}

static enum args_result wrong_option(const struct command *command, int reason,
                                     const char *element)
{
    const struct option_row *option =
        optopt >= VAL_OF_ROW_0 ? command_option(command, optopt - VAL_OF_ROW_0)
                               : NULL;

    if (!option)
        wrong_use(command->name, "unknown option %s", element);
    else if (reason == ':')
        wrong_use(command->name, "option --%s needs a value: %s", option->name,
                  option->argument);
    else
        wrong_use(command->name, "option --%s takes no value", option->name);
    return ARGS_WRONG;
}

/* `element` is argv's element, where optarg may stand in the next one. */
static enum args_result take_option(struct args *args, int row,
                                    const struct option_row *option,
                                    const char *element)
{
    const struct command *command = args->command;
    size_t name_len = strcspn(element + 2, "=");

    /* getopt_long completes what was cut short. */
    if (name_len != strlen(option->name)) {
        wrong_use(command->name, "unknown option --%.*s; there is --%s",
                  (int)name_len, element + 2, option->name);
        return ARGS_WRONG;
    }
    if (option->argument && element[2 + name_len] == '\0' &&
        strncmp(optarg, "--", 2) == 0) {
        wrong_use(command->name,
                  "option --%s needs a value: %s, but %s follows it",
                  option->name, option->argument, optarg);
        return ARGS_WRONG;
    }
    if (!option->repeatable && args_text(args, row)) {
        wrong_use(command->name, "option --%s is given twice", option->name);
        return ARGS_WRONG;
    }
    args->given[args->given_count++] =
        (struct given){.row = row, .value = option->argument ? optarg : ""};
    return row == ROW_HELP ? ARGS_HELP : ARGS_RUN;
}

static enum args_result read_options(int argc, char **argv, struct args *args)
{
    struct option table[ARGS_ROWS_MAX + 1];
    int found;
    int at = 1;

    fill_long_options(args->command, table);
    opterr = 0;
    optind = 0;
    /* "-": operands come in their order as 1; ":": says what is missing. */
    while ((found = getopt_long(argc, argv, "-:", table, NULL)) != -1) {
        int row = found - VAL_OF_ROW_0;
        const struct option_row *option =
            row >= 0 ? command_option(args->command, row) : NULL;
        enum args_result result = ARGS_RUN;
        if (option)
            result = take_option(args, row, option, argv[at]);
        else if (found == 1)
            args->operands[args->operand_count++] = optarg;
        else
            result = wrong_option(args->command, found, argv[at]);
        if (result != ARGS_RUN)
            return result;
        at = optind;
    }
    for (int i = optind; i < argc; i++)
        args->operands[args->operand_count++] = argv[i];
    return ARGS_RUN;
}

static enum args_result check_completeness(const struct args *args)
{
    const struct command *command = args->command;

    for (int row = 0; row < ARGS_ROWS_MAX; row++) {
        const struct option_row *option = command_option(command, row);
        if (option && option->required && !args_text(args, row)) {
            wrong_use(command->name, "option --%s %s is missing", option->name,
                      option->argument);
            return ARGS_WRONG;
        }
    }
    if (args->operand_count < (size_t)command->operands_min) {
        wrong_use(command->name, "%s is missing", command->operands);
        return ARGS_WRONG;
    }
    if (args->operand_count > (size_t)command->operands_max) {
        wrong_use(command->name, "there is one argument too many: %s",
                  args->operands[command->operands_max]);
        return ARGS_WRONG;
    }
    return ARGS_RUN;
}

enum args_result args_parse(const struct command *command, int argc,
                            char **argv, struct args *args)
{
    enum args_result result;

    *args = (struct args){.command = command};
    args->given = calloc((size_t)argc + 1, sizeof(*args->given));
    args->operands = calloc((size_t)argc + 1, sizeof(*args->operands));
    if (!args->given || !args->operands)
        die_no_memory();
    result = read_options(argc, argv, args);
    if (result != ARGS_RUN)
        return result;
    return check_completeness(args);
}

void args_clear(struct args *args)
{
    free(args->given);
    free(args->operands);
    *args = (struct args){0};
}

const char *args_text(const struct args *args, int row)
{
    for (size_t i = 0; i < args->given_count; i++) {
        if (args->given[i].row == row)
            return args->given[i].value;
    }
    return NULL;
}

bool args_flag(const struct args *args, int row)
{
    return args_text(args, row) != NULL;
}

const char **args_list(const struct args *args, int row)
{
    const char **list = calloc(args->given_count + 1, sizeof(*list));
    size_t count = 0;

    if (!list)
        die_no_memory();
    for (size_t i = 0; i < args->given_count; i++) {
        if (args->given[i].row == row)
            list[count++] = args->given[i].value;
    }
    return list;
}
