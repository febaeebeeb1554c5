/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_TESTS_ALLOCATIONS_H
#define DEVID_TESTS_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

/* How a process ends. */
enum end {
    END_TOLD,   /* it failed, and there is an error in the queue */
    END_RIGHT,  /* it came to the right result */
    END_UNTOLD, /* it failed, and the queue is empty */
    END_WRONG,  /* a wrong result */
    END_AFTER,  /* what came next failed, too */
    END_LEAK,   /* memory was lost */
    END_CRASH,  /* a signal */
    END_BROKEN, /* what comes before the fault failed */
    END_COUNT
};

/* Ours come with the whole path, of which the tree's own part stays; OpenSSL's
 * with "../". */
const char *place_in_tree(const char *file);
/* Is the place, "engine/key.c:12", in code of devid's? */
bool place_is_ours(const char *place);
/* Is it known that this happens there, where `entry` was called? Never of code
 * of devid's. */
bool place_is_known(const char *place, enum end end, const char *entry);

/* The function of OpenSSL's that was called from outside of it, and by whom:
 * "EVP_DigestSignInit by others", "EVP_Q_digest by devid"; "?" for one that has
 * no name any more, since it went on by a jump. */
void stack_entry(char *entry, size_t size);
/* The handler of a signal that kills: says where, and dies of it. */
void stack_crashed(int signal_number);

#endif
