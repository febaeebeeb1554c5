/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The station's own keys, which may be software, in a TPM or on a token: they
 * sign through OpenSSL and the provider devid.
 */
#ifndef DEVID_STATION_KEYS_H
#define DEVID_STATION_KEYS_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "config.h"

/*
 * Load the provider, with settings as [device] has them; NULL: none. Once, and
 * before there is a second thread. Prints the sentence on failure.
 */
enum exit_code keys_begin(const struct config_pair *settings);

/* Let go of what keys_begin loaded: at the program's end. */
void keys_end(void);

/*
 * The private key in a file, or at a URI. A passphrase is asked for nowhere: a
 * software key has none. Prints the sentence on failure.
 */
enum exit_code keys_private(const char *file_or_uri, EVP_PKEY **key);

/* Does a device sign with it? */
bool keys_in_hardware(const EVP_PKEY *key);

/*
 * What verifies the chain of a station on the ledger: of this one the public
 * half of chain_key, of others the file in [stations]. NULL where the
 * configuration does not know the station, or the file does not serve, which
 * prints the sentence. The caller frees it.
 */
EVP_PKEY *keys_of_station(const struct config *config, const char *station);

/*
 * Certificates in a PEM file, in its order; at least one. Prints the sentence
 * on failure.
 */
enum exit_code keys_certificates(const char *path, STACK_OF(X509) * *certs);

/*
 * A context to sign with the key, by the hash that fits it: for X509_sign_ctx
 * and its like. NULL, with libcrypto's reason, where the key does not sign.
 */
EVP_MD_CTX *keys_signer(EVP_PKEY *key);

/* What the queue of libcrypto's errors says first, ": text"; or "". Empties
 * it. */
const char *keys_reason(char *text, size_t size);

#endif
