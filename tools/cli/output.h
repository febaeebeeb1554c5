/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that the tool writes: whole or not at all, for their owner alone, never
 * over another file unless asked, never through a symbolic link.
 */
#ifndef DEVID_TOOLS_OUTPUT_H
#define DEVID_TOOLS_OUTPUT_H

#include "command.h"
#include "devid.h"

struct output {
    const char *path; /* borrowed */
    const char *name; /* its last component, borrowed from path */
    int directory;    /* open; -1: standard output */
    bool force;
    unsigned mode; /* 0600, unless the caller sets another */
    bool inherit;  /* written by root, it is its directory's owner's */
};

/*
 * Find out, before anything is made in a device, whether `path` can be
 * written: the directory takes a new file, and nothing stands in the way.
 * "-" is standard output. Prints the sentence on failure; on success the
 * caller closes it.
 */
enum exit_code output_open(struct output *out, const char *path, bool force);

/*
 * Write the file: under another name, synced, then given its own name. Who
 * made a file of that name since output_open keeps it, unless `force`.
 */
enum exit_code output_write(const struct output *out, const void *data,
                            size_t len);

/* Write the key's file, in PEM. */
enum exit_code output_write_key(const struct output *out,
                                const struct devid_key *key);

/* Also right for what is zeroed apart from directory = -1. */
void output_close(struct output *out);

#endif
