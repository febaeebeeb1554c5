/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two ports that tpm-proxy listens on: data, and control on the next one.
 * What cannot be had ends the program with a sentence.
 */
#ifndef DEVID_SWTPM_CI_PORTS_H
#define DEVID_SWTPM_CI_PORTS_H

#include <stdint.h>

enum {
    LISTENERS = 2 /* data, control */
};

/* The value of --port; 0: any. */
uint16_t ports_parse(const char *text);

/* Listens on 127.0.0.1, ports `wanted` (0: any) and the next one. Fills
 * listeners with sockets; returns the data port. */
uint16_t ports_open(int listeners[LISTENERS], uint16_t wanted);

/* Writes the port to a file. */
void ports_write(const char *path, uint16_t port);

#endif
