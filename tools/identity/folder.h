/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder that is replaced as a whole: its path is a symbolic link to a
 * version of it beside it, PATH.1, PATH.2, ..., and the link is switched when
 * all of the next one is on disk. Who reads by the path sees the old or the
 * new, also after a power cut.
 */
#ifndef DEVID_TOOLS_FOLDER_H
#define DEVID_TOOLS_FOLDER_H

#include "command.h"

struct folder_file {
    const char *name;
    const char *data;
    size_t len;
};

/*
 * Make the folder hold these files and no others, each for all to read. Folders
 * above it are made. Where it holds them already nothing is done. What another
 * run left behind is removed.
 *
 * changed  out: false where nothing was done
 *
 * Prints the sentence on failure; the folder is then what it was.
 */
enum exit_code folder_replace(const char *path, const struct folder_file *files,
                              size_t count, bool *changed);

/* Remove it with all its versions; done where it is not there. */
enum exit_code folder_remove(const char *path);

#endif
