/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a program makes is its owner's alone, unless the place that makes it
 * says otherwise: the umask is 077, whatever the user's is.
 */
#ifndef DEVID_TOOLS_RIGHTS_H
#define DEVID_TOOLS_RIGHTS_H

/* At the program's start. */
void rights_tighten(void);
/* The user's umask again: in a child, before a program of his is run. */
void rights_restore(void);
/* mkdir() of one that others may enter, as far as the user's umask lets them.
 * 0, or -1 with errno. */
int rights_mkdir_open(const char *path);

#endif
