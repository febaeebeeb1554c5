/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_TOOLS_TRUST_CERT_FILE_H
#define DEVID_TOOLS_TRUST_CERT_FILE_H

#include <openssl/x509.h>

#include "command.h"

/*
 * All certificates of a PEM file, in its order, or the one of a DER file: at
 * least one. Prints the sentence on failure; the caller frees them either way.
 */
enum exit_code certs_read(const char *path, STACK_OF(X509) * *certs);

#endif
