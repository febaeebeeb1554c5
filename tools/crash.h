/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the tool where a PKCS#11 module crashes in it. */
#ifndef DEVID_TOOLS_CRASH_H
#define DEVID_TOOLS_CRASH_H

/*
 * From now on a signal that a module's code brings about ends the tool with a
 * sentence that names the module, and with EXIT_FAILED. One that is our own
 * fault ends it as ever.
 */
void crash_watch(void);

#endif
