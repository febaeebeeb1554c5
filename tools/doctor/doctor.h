/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devid doctor: themes, each of which looks at the machine and then judges what
 * it has seen. Looking only fills in facts, one JSON object a theme; judging
 * reads facts and asks nobody, so that a dump of them is judged as the machine
 * itself is. What cannot be looked at is a fact too, and no failure.
 */
#ifndef DEVID_DOCTOR_H
#define DEVID_DOCTOR_H

#include <jansson.h>
#include <stdint.h>
#include <time.h>

#include "args.h"
#include "devid.h"

struct doctor {
    const struct args *args;
    struct devid *engine; /* NULL: there is none, see `engine_error` */
    const char *engine_error;
    const char *root;        /* before the paths of files; "": this system */
    const char **identities; /* folders that were named; NULL-ended */
    const char **accepted;   /* ids of findings; NULL-ended */
    const char *ek_roots;    /* vendors' certificates; or NULL */
    json_t *facts;           /* of all themes, by name */
    json_t *advisories;      /* the data file; or NULL */
    json_t *findings;        /* array */
    json_t *kept;            /* strings that words() has made */
};

struct theme {
    const char *name;
    void (*look)(struct doctor *doctor, json_t *facts); /* may be NULL */
    void (*judge)(struct doctor *doctor, const json_t *facts);
};

/* In the order of the output. */
extern const struct theme access_theme;
extern const struct theme tpm_theme;
extern const struct theme ek_theme;
extern const struct theme token_theme;
extern const struct theme identity_theme;
extern const struct theme openssl_theme;
extern const struct theme p11kit_theme;
extern const struct theme service_theme;
extern const struct theme package_theme;
extern const struct theme advisory_theme;

/* ---- finding.c --------------------------------------------------------- */

enum level {
    LEVEL_OK,
    LEVEL_NOTE,
    LEVEL_WARNING,
    LEVEL_BAD,
};

struct finding {
    const char *id; /* "tpm.lockout.counter"; stays the same for ever */
    enum level level;
    const char *what;   /* what is */
    const char *means;  /* what it means; or NULL */
    const char *type;   /* what to type; or NULL */
    const char *source; /* where that is known from; or NULL */
};

/* What is accepted on the command line becomes a note. */
void add_finding(struct doctor *doctor, const struct finding *finding);
/* The same in one line; `means` and `type` may be NULL. */
void is_ok(struct doctor *doctor, const char *id, const char *what);
void is_note(struct doctor *doctor, const char *id, const char *what,
             const char *means, const char *type);
void is_warning(struct doctor *doctor, const char *id, const char *what,
                const char *means, const char *type);
void is_bad(struct doctor *doctor, const char *id, const char *what,
            const char *means, const char *type);

/* A text that lives as long as the run. */
const char *words(struct doctor *doctor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

size_t count_findings(const struct doctor *doctor, enum level level);
/* For people: a line a finding, and a last line that counts. */
void print_findings(const struct doctor *doctor, bool colour);
/* Members of JSON are documented in devid-doctor(1). */
json_t *findings_report(const struct doctor *doctor);

/* ---- fact.c ------------------------------------------------------------ */

/* The facts of a theme, NULL where there are none; borrowed. */
const json_t *facts_of(const struct doctor *doctor, const char *theme);
bool fact_flag(const json_t *facts, const char *name);
json_int_t fact_number(const json_t *facts, const char *name);
/* The time of looking, in seconds since 1970. */
time_t fact_now(const struct doctor *doctor);

/* A small text file, NUL-ended, by malloc; NULL: errno says why. */
char *read_text(const struct doctor *doctor, const char *path);
/* The next line of a text, ended in place, blanks around it cut off; or NULL.
 */
char *next_line(char **rest);

/*
 * {path, exists, mode, uid, gid, owner, group, error}: of a file, not of what
 * a link names.
 */
json_t *look_at_file(const struct doctor *doctor, const char *path);
unsigned file_mode(const json_t *file);

/* Who a user is by the files of the root: his uid, and his groups. */
struct user {
    char name[64];
    uint32_t uid;
    uint32_t gids[64];
    size_t gid_count;
};
bool user_by_name(const struct doctor *doctor, const char *name,
                  struct user *user);
/* Whether a file's mode lets a user read and write. */
bool user_reaches(const struct user *user, const json_t *file);
/* The members of a group, by their names, "root" apart. */
json_t *members_of_group(const struct doctor *doctor, uint32_t gid);

/* Bytes as a text member, in hexadecimal. */
void put_hex(json_t *report, const char *name, const uint8_t *data, size_t len);

/* {type, bits, sha256, modulus}; modulus of RSA alone, in hexadecimal. */
json_t *look_at_public(const struct devid_public *pub);

/* ---- path.c ------------------------------------------------------------ */

/*
 * Where a file of the root is, PATH_MAX bytes: no symbolic link leads out of
 * it. "" where its links go round in circles.
 */
void path_below(const struct doctor *doctor, const char *path, char *full);
/* The same of a link itself, not of what it names. */
void path_of_link_below(const struct doctor *doctor, const char *path,
                        char *full);

/* ---- advisory.c -------------------------------------------------------- */

/* Read the data file; prints the sentence on failure. */
enum exit_code advisories_load(struct doctor *doctor, const char *path);

#endif
