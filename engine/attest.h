/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a station must know to trust a device's request: the TCG's request for
 * an IDevID, certificates of endorsement keys, what a TPM certifies of its
 * keys, the challenge that only that TPM answers, the certificates at the end.
 *
 * All of it is pure: no device, no network, no clock but where it is said.
 * Names of fields are those of the TCG's documents. What is handed out as
 * `borrowed` lies in the bytes that were handed in. No function prints, exits
 * or aborts; any number of threads may call any of them.
 */
#ifndef DEVID_ATTEST_H
#define DEVID_ATTEST_H

#include "devid.h"

#include "face/issue.h"

#endif
