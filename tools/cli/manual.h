/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_TOOLS_MANUAL_H
#define DEVID_TOOLS_MANUAL_H

/*
 * Become man(1), which shows that page: the one that belongs to this program,
 * where it is in a build tree or below another prefix. Returns only where there
 * is no man, which is said.
 */
void manual_show(const char *page, const char *section);

#endif
