/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may see the station's pages, and change what they show: the certificates
 * in the file `operators`. One of a CA lets in whom it certified as a client,
 * any other lets in who has its key.
 */
#ifndef DEVID_STATION_OPERATORS_H
#define DEVID_STATION_OPERATORS_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "attest.h"
#include "command.h"

#define OPERATOR_NAME_SIZE 65

struct operators;

/*
 * Read the file; one that is not there lets nobody in.
 *
 * ca  the one that certifies devices: it is refused in the list, where it would
 *     let all of them in
 *
 * Prints the sentence on failure.
 */
enum exit_code operators_open(const char *path, X509 *ca,
                              struct operators **operators);
void operators_close(struct operators **operators);

/*
 * Is this an operator's certificate? TLS has shown that the client has its key.
 * The file is read again where it has changed since, so that who is struck off
 * is so at the next request. Any thread may ask.
 *
 * cert  DER; empty: the client has none
 * name  out: the operator's, from the certificate
 * err   out: why not, in a sentence for who asks; what is wrong with the file
 * is for the station's own log
 *
 * Returns DEVID_OK, DEVID_ERR_AUTH, or DEVID_ERR_SYSTEM (the file).
 */
enum devid_err operators_find(struct operators *operators,
                              struct devid_bytes cert,
                              char name[OPERATOR_NAME_SIZE],
                              struct devid_error *err);

/* What an operator with this certificate is called: its subject's CN, or the
 * whole of its subject; cut where longer. */
void operator_name(X509 *cert, char name[OPERATOR_NAME_SIZE]);

#endif
