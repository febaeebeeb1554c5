/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of LeakSanitizer, where the program is built with it. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

#define PLACES_MAX 400u /* more than any operation has commands */
#define SENTENCE_MIN 20

static struct totals {
    unsigned trials;    /* an operation with a fault at one place */
    unsigned struck;    /* commands or calls that failed */
    unsigned recovered; /* trials whose operation came to the right result */
    unsigned said;      /* trials whose operation said why it did not */
    unsigned trusted;   /* a wrong answer that nobody could know to be wrong */
    unsigned left;      /* trials whose lost answer left something behind */
    unsigned failures;
} totals;

static bool leaked; /* it says so at every check from then on */

static void complain(const struct trial *t, const char *what,
                     const char *sentence)
{
    totals.failures++;
    (void)printf("FAIL %s, %s at %u%s: %s%s%s\n", t->op->name,
                 t->fault != NULL ? t->fault->name : "no fault", t->at,
                 t->lasting ? " and on" : "", what,
                 sentence != NULL ? ": " : "",
                 sentence != NULL ? sentence : "");
    (void)fflush(stdout);
}

void trial_forget(struct trial *t)
{
    OPENSSL_free(t->pem);
    OPENSSL_free(t->der);
    t->pem = NULL;
    t->der = NULL;
    t->der_len = 0;
    t->sig.len = 0;
    t->plain.len = 0;
    t->shared.len = 0;
}

static void trial_begin(struct trial *t)
{
    struct devid_error err = {0};

    must(devid_new(NULL, &t->engine, &err), &err, "the engine");
    t->stand->configure(t);
}

static void trial_open(struct trial *t)
{
    trial_begin(t);
    if (t->op->prepare != NULL)
        t->op->prepare(t);
    trial_forget(t);
}

static void check_left(struct trial *t, bool closed)
{
    char text[256] = "";

    t->stand->left(t, closed, text, sizeof(text));
    if (*text == '\0')
        return;
    if (t->fault != NULL && t->stand->excuses != NULL && t->stand->excuses(t))
        totals.left++;
    else
        complain(t, closed ? "left behind" : "left behind while open", text);
}

static void trial_close(struct trial *t)
{
    trial_forget(t);
    if (t->op->end != NULL)
        t->op->end(t);
    devid_key_free(&t->key);
    devid_free(&t->engine);
    devid_shutdown();
    check_left(t, true);
}

/* A sentence: it names the device, tells no secret, and is whole. */
static void check_sentence(const struct trial *t, const struct devid_error *err)
{
    const char *const *word = t->stand->words;
    size_t len = strlen(err->text);

    while (*word != NULL && strstr(err->text, *word) == NULL)
        word++;
    if (len < SENTENCE_MIN || *word == NULL)
        complain(t, "the sentence does not name the device", err->text);
    else if (len >= sizeof(err->text) - 1)
        complain(t, "the sentence is cut short", err->text);
    else if (strstr(err->text, t->stand->secret) != NULL)
        complain(t, "the sentence tells the secret", NULL);
}

static void check_result(struct trial *t, enum devid_err e,
                         const struct devid_error *err)
{
    char text[256] = "";

    if (t->stand->judge != NULL)
        t->stand->judge(t, e, err, text, sizeof(text));
    if (*text != '\0')
        complain(t, text, err->text);
    if (e != DEVID_OK) {
        totals.said++;
        check_sentence(t, err);
        if (t->pem != NULL || t->der != NULL || t->sig.len > 0 ||
            t->plain.len > 0 || t->shared.len > 0)
            complain(t, "it failed and gave a result", err->text);
    } else if (t->op->right(t)) {
        totals.recovered++;
    } else if (t->fault->spoils && t->op->trusts) {
        totals.trusted++;
    } else {
        complain(t, "a wrong result", NULL);
    }
    if (ERR_peek_error() != 0)
        complain(t, "OpenSSL's error queue is not empty",
                 ERR_reason_error_string(ERR_peek_error()));
    ERR_clear_error();
}

/* The next one in the same process, with nothing in its way. */
static void check_next(struct trial *t, enum devid_err e)
{
    struct devid_error err = {0};

    /* An auth value that was refused is not used again: start anew. */
    if (e == DEVID_ERR_AUTH) {
        devid_key_free(&t->key);
        devid_free(&t->engine);
        trial_begin(t);
    }
    if (t->op->undo != NULL)
        t->op->undo(t);
    trial_forget(t);
    if (t->op->run(t, &err) != DEVID_OK)
        complain(t, "the next one fails too", err.text);
    else if (!t->op->right(t))
        complain(t, "the next one has a wrong result", NULL);
    trial_forget(t);
    if (t->op->undo != NULL)
        t->op->undo(t);
}

/* Returns whether the fault struck. */
static bool try_at(struct trial *t, const struct sweep_options *options)
{
    struct devid_error err = {0};
    unsigned struck;
    enum devid_err e;

    t->struck = "";
    trial_open(t);
    t->stand->arm(t);
    e = t->op->run(t, &err);
    struck = t->stand->disarm(&t->struck);
    if (struck > 0) {
        totals.trials++;
        totals.struck += struck;
        if (options->verbose)
            (void)printf("%s, %s at %u%s, %s: %s\n", t->op->name,
                         t->fault->name, t->at, t->lasting ? " and on" : "",
                         t->struck, e == DEVID_OK ? "went on" : err.text);
        check_result(t, e, &err);
        /* Nobody who is lied to for good can clean up. */
        if (t->fault->spoils && t->lasting)
            check_left(t, false);
        check_next(t, e);
    } else if (e != DEVID_OK) {
        complain(t, "it fails without a fault", err.text);
    } else if (t->op->undo != NULL) {
        t->op->undo(t);
    }
    check_left(t, false);
    trial_close(t);
    return struck > 0;
}

static void check_memory(const struct trial *t)
{
    if (leaked || __lsan_do_recoverable_leak_check == NULL)
        return;
    leaked = __lsan_do_recoverable_leak_check() != 0;
    if (leaked)
        complain(t, "memory was lost, and is not looked for any more", NULL);
}

static bool is_in_part(const struct trial *t,
                       const struct sweep_options *options)
{
    const size_t fault = (size_t)(t->fault - t->stand->faults);

    return options->parts == 0 ||
           (fault + t->at + t->lasting) % options->parts == options->part;
}

/* At every place. Returns how many there are. */
static unsigned sweep_fault(const struct stand *stand,
                            const struct operation *op,
                            const struct fault *fault,
                            const struct sweep_options *options)
{
    struct trial t = {.stand = stand, .op = op, .fault = fault};
    unsigned places = 0;

    for (int lasting = 0; lasting < 2; lasting++) {
        t.lasting = lasting != 0;
        for (t.at = 1; t.at < PLACES_MAX; t.at++) {
            if (!is_in_part(&t, options))
                continue;
            if (!try_at(&t, options))
                break;
            places = t.at > places ? t.at : places;
        }
    }
    check_memory(&t);
    return places;
}

static bool is_chosen(const char *chosen, const char *name)
{
    return chosen == NULL || strcmp(chosen, name) == 0;
}

static void sweep_operation(const struct stand *stand,
                            const struct operation *op,
                            const struct sweep_options *options)
{
    const struct totals before = totals;
    unsigned most = 0;

    if ((op->tpm && stand->device != NULL) ||
        !is_chosen(options->operation, op->name) ||
        (!options->whole && !op->slice))
        return;
    for (const struct fault *f = stand->faults; f->name != NULL; f++) {
        unsigned places = 0;

        if (is_chosen(options->fault, f->name))
            places = sweep_fault(stand, op, f, options);
        most = places > most ? places : most;
    }
    (void)printf("%-20s %3u places %5u trials %5u recovered %5u said %4u "
                 "trusted %4u left\n",
                 op->name, most, totals.trials - before.trials,
                 totals.recovered - before.recovered, totals.said - before.said,
                 totals.trusted - before.trusted, totals.left - before.left);
    (void)fflush(stdout);
}

static void report(const struct stand *stand, const char *path)
{
    FILE *file = fopen(path, "ae");

    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    (void)fprintf(file,
                  "a fault at any command ends in the right result or in a "
                  "sentence\tfaults.sweep-%s\t%u operations made to fail, in "
                  "%u commands: %u came to the right result, %u said why not, "
                  "%u had an answer that nobody can check; %u failures\n",
                  stand->name, totals.trials, totals.struck, totals.recovered,
                  totals.said, totals.trusted, totals.failures);
    if (fclose(file) != 0)
        perror(path);
}

int sweep_run(const struct stand *stand, const struct sweep_options *options)
{
    for (const struct operation *op = operations; op->name != NULL; op++)
        sweep_operation(stand, op, options);
    for (const struct operation *op = stand->operations; op->name != NULL; op++)
        sweep_operation(stand, op, options);
    fixture_free();
    (void)printf("%u trials, %u commands failed: %u recovered, %u said why "
                 "not, %u trusted, %u left something; %u failures\n",
                 totals.trials, totals.struck, totals.recovered, totals.said,
                 totals.trusted, totals.left, totals.failures);
    if (options->report != NULL)
        report(stand, options->report);
    return totals.failures == 0 && totals.trials > 0 ? EXIT_SUCCESS
                                                     : EXIT_FAILURE;
}

/* "0/5" */
static bool read_part(const char *text, struct sweep_options *options)
{
    char *rest = NULL;

    options->part = (unsigned)strtoul(text, &rest, 10);
    if (*rest != '/')
        return false;
    options->parts = (unsigned)strtoul(rest + 1, &rest, 10);
    return *rest == '\0' && options->part < options->parts;
}

bool sweep_options(int *argc, char ***argv, struct sweep_options *options)
{
    static const struct option known[] = {
        {"whole", no_argument, NULL, 'w'},
        {"verbose", no_argument, NULL, 'v'},
        {"operation", required_argument, NULL, 'o'},
        {"fault", required_argument, NULL, 'f'},
        {"part", required_argument, NULL, 'p'},
        {"report", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(*argc, *argv, "", known, NULL)) != -1) {
        if (option == 'w')
            options->whole = true;
        else if (option == 'v')
            options->verbose = true;
        else if (option == 'o')
            options->operation = optarg;
        else if (option == 'f')
            options->fault = optarg;
        else if (option == 'p' && read_part(optarg, options))
            continue;
        else if (option == 'r')
            options->report = optarg;
        else
            return false;
    }
    options->whole |= options->operation != NULL;
    *argc -= optind;
    *argv += optind;
    return true;
}
