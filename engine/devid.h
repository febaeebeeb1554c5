/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity engine: keys that live in a TPM 2.0 or a PKCS#11 token.
 *
 * This header is all that provider/ and tools/ see of the engine. Numbers on
 * it are big endian and of fixed width; DER appears only in key files,
 * requests and certificates. No function prints, exits or aborts.
 */
#ifndef DEVID_H
#define DEVID_H

#define DEVID_VERSION "0.1.0"

#include "face/device.h"

#endif
