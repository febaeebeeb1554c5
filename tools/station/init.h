/* SPDX-License-Identifier: Apache-2.0 */
/* What init.c and init_files.c share: the making of a station. */
#ifndef DEVID_STATION_INIT_H
#define DEVID_STATION_INIT_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "args.h"
#include "authority.h"

/* The rows of the command's options. */
enum init_row {
    NAME,
    CA_KEY,
    CA_CERT,
    CA_DEVICE,
    HOST,
    PORT,
    ESCROW,
    LEDGER
};

/* What station.conf says of it; absolute, or in the folder. */
struct plan {
    const struct args *args;
    char *dir;
    char *ca_key;
    char *ca_cert;
    struct authority ca;
};

/* Files of the folder; each prints the sentence on failure. */
enum exit_code init_write(const char *dir, const char *name, const void *data,
                          size_t len);
enum exit_code init_write_cert(const char *dir, const char *name, X509 *cert);
enum exit_code init_write_public(const char *dir, const char *name,
                                 EVP_PKEY *key);
/* A new key in software, and its file. */
enum exit_code init_make_key(const char *dir, const char *name, EVP_PKEY **key);
/* station.conf */
enum exit_code init_write_conf(const struct plan *plan);

/* The names of this machine, ended by NULL; the caller frees the list. */
const char **init_hosts(const struct args *args);

#endif
