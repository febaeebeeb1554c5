/* SPDX-License-Identifier: Apache-2.0 */
/* Time, and waiting for a device that others are using. */
#ifndef DEVID_WAIT_H
#define DEVID_WAIT_H

#include <stdint.h>

uint64_t devid_now_ms(void);
/* Between half and all of it, so that waiters do not march in step. */
unsigned devid_jittered_us(unsigned ms);
void devid_sleep_jittered(unsigned ms);

#endif
