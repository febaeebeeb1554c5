/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into PostgreSQL's server where tests run as root: the server
 * refuses to run as root, and another user may not get to the tests' files, as
 * in a root directory that is closed to all others. It is told that it is
 * nobody.
 */
#include <sys/types.h>
#include <unistd.h>

#define NOBODY 65534

__attribute__((visibility("default"))) uid_t getuid(void)
{
    return NOBODY;
}

__attribute__((visibility("default"))) uid_t geteuid(void)
{
    return NOBODY;
}
