/* SPDX-License-Identifier: Apache-2.0 */
/* Does a rule of an advisory hold? Pure: of facts and of the data file. */
#ifndef DEVID_DOCTOR_RULE_H
#define DEVID_DOCTOR_RULE_H

#include "doctor.h"

enum verdict {
    VERDICT_NONE,  /* the rule is not about this */
    VERDICT_CLEAR, /* not affected, or mended */
    VERDICT_MAY,   /* no public source says it exactly */
    VERDICT_AFFECTED,
};

/* The chip as rules see it. */
struct chip {
    char maker[8];     /* "IFX" */
    char firmware[64]; /* as the vendor writes it */
    char revision[16]; /* of the specification: "1.38" */
    const char *csme;  /* of Intel's management engine; "" if not known */
    const char *sleep; /* /sys/power/mem_sleep; "" if not known */
};
/* False where no TPM was seen. */
bool chip_of(const struct doctor *doctor, struct chip *chip);

/* The first rule that holds decides. */
enum verdict rules_on_chip(const json_t *advisory, const struct chip *chip);
enum verdict rules_on_package(const json_t *advisory, const json_t *packages,
                              const char **name);
/* `key` has a modulus, in hexadecimal. */
enum verdict rules_on_key(const json_t *advisory, const json_t *key);

#endif
