/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The word that somebody meant who has mistyped one.
 */
#ifndef DEVID_TOOLS_NEAREST_H
#define DEVID_TOOLS_NEAREST_H

struct nearest {
    const char *mistyped; /* the caller's; what follows begins as zeros */
    const char *word;     /* the nearest so far; NULL: none is near */
    const void *found;    /* what was offered with it */
    int steps;
};

/* Is this word nearer? `what` is the caller's own, may be NULL. */
void nearest_offer(struct nearest *nearest, const char *word, const void *what);

#endif
