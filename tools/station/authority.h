/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates that a station makes for itself: its CA's and its server's.
 * Those of devices are devid_issuer's.
 */
#ifndef DEVID_STATION_AUTHORITY_H
#define DEVID_STATION_AUTHORITY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "command.h"

/* A CA for devices alone, which lives as long as their certificates: for ever.
 * Prints the sentence on failure. */
enum exit_code authority_make(const char *name, EVP_PKEY *key, X509 **cert);

/*
 * A server's certificate for ten years.
 *
 * hosts  DNS names and addresses, ended by NULL
 */
struct authority {
    X509 *cert; /* NULL: what the key signs is signed by itself */
    EVP_PKEY *key;
};
enum exit_code authority_serve(const struct authority *ca, EVP_PKEY *key,
                               const char *const *hosts, X509 **cert);

/* One for the key that answers for certificates' state, which is not looked up
 * itself: for a year. */
#define AUTHORITY_OCSP_DAYS 365
enum exit_code authority_ocsp(const struct authority *ca, EVP_PKEY *key,
                              const char *station, X509 **cert);

/* One for the key that signs manifests, of the station of that name. */
enum exit_code authority_list(const struct authority *ca, EVP_PKEY *key,
                              const char *station, X509 **cert);

/* One for an operator, by its own key alone. */
enum exit_code authority_operator(const char *name, EVP_PKEY *key, long days,
                                  X509 **cert);

#endif
