/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a subcommand is, and a program made of them. Each has a file of its own,
 * which ends in its row; the table of them stands in the program's main file.
 * Parsing and --help are both made from the row, so they cannot disagree.
 */
#ifndef DEVID_TOOLS_COMMAND_H
#define DEVID_TOOLS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum exit_code {
    /* Of every command, unless its .exits has other words for it. */
    EXIT_DONE = 0,
    EXIT_FAILED = 1,    /* what was asked for could not be done */
    EXIT_WRONG_USE = 2, /* the command line makes no sense */
    /* Of the commands whose .exits has them; for a line's own software. */
    EXIT_REFUSED = 3,     /* the station refuses; asking again does not help */
    EXIT_UNREACHABLE = 4, /* the station is not there, or not at work */
    EXIT_DEVICE = 5,      /* the TPM or token: absent, faulty, locked */
    EXIT_NO_ROOM = 6,     /* the TPM's NV does not take the certificates */
    EXIT_UNTRUSTED = 7,   /* not that station, or not this device's answer */
    EXIT_CODES,
};

struct exit_row {
    enum exit_code code;
    const char *when; /* as --help and the manual say it */
};

struct option_row {
    const char *name;     /* "algorithm", given as --algorithm */
    const char *argument; /* "NAME": stands for the value; NULL: a flag */
    const char *help;     /* one sentence, small first letter, no full stop */
    bool required;
    bool repeatable;
};

/* Options that mean the same wherever they are taken, after a command's own. */
enum common_row {
    ROW_DEVICE = 32,
    ROW_TOKEN, /* --device, where only a token will do */
    ROW_TCTI,
    ROW_MODULE,
    ROW_AUTH_SOURCE,
    ROW_PARENT_AUTH_SOURCE,
    ROW_OWNER_AUTH_SOURCE,
    ROW_ENDORSEMENT_AUTH_SOURCE,
    ROW_OUT,
    ROW_FORCE,
    ROW_DIR, /* of the station */
    ROW_JSON,
    ROW_HELP,
    ROW_END,
};
#define TAKES(row) (1U << ((row)-ROW_DEVICE))

struct args;

struct command {
    const char *name;     /* "keygen"; that of an action "token init" */
    const char *operands; /* as --help shows them, "THING..."; "": none */
    const char *help;     /* one line */
    const char *example;  /* lines, each indented by two and ended */
    /* Indexed by an enum of the command's own; ended by a NULL name. */
    const struct option_row *options;
    unsigned common; /* TAKES(ROW_...), or-ed; --help is taken by all */
    int operands_min;
    int operands_max;
    /* What its codes mean, ended by a NULL `when`; NULL: 0, 1 and 2 alone. */
    const struct exit_row *exits;
    enum exit_code (*run)(const struct args *args);
    /* What a command of two words may do, ended by NULL: it has a name, a help
     * and an example, and each of these the rest. */
    const struct command *const *actions;
};

/* A manual that is not of a command: "help provider" shows devid-provider(7).
 */
struct topic {
    const char *word; /* "provider" */
    const char *page; /* "devid-provider" */
    const char *section;
};

/* The commands of a program, and what its --help says around them. */
struct program {
    const char *name;    /* "devid": what its messages begin with */
    const char *about;   /* one line */
    const char *example; /* as a command's */
    const char *see;     /* a sentence on where more is to be read */
    char section;        /* of its manual: '1' */
    bool one_page;       /* for all its commands */
    const struct command *const *commands; /* ended by NULL */
    const struct topic *topics;            /* ended by a NULL word */
};

/*
 * What main() is: runs the command that argv names, as messages and --help of
 * `program` have it. Core dumps are switched off before anything else.
 *
 * prepare  called before the command, may be NULL: prints its own sentence
 * finish   called after it, may be NULL
 */
int program_main(const struct program *program, int argc, char **argv,
                 enum exit_code (*prepare)(void), void (*finish)(void));

#endif
