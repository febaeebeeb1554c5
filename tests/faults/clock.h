/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_TESTS_FAULTS_CLOCK_H
#define DEVID_TESTS_FAULTS_CLOCK_H

/* As if so long had gone by. */
void clock_pass(unsigned seconds);

#endif
