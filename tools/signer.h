/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who signs policies: the owner of a software key, or of a key in a device.
 */
#ifndef DEVID_TOOLS_SIGNER_H
#define DEVID_TOOLS_SIGNER_H

#include <openssl/evp.h>

#include "args.h"
#include "devid.h"

struct signer {
    EVP_PKEY *software; /* own; NULL: device */
    struct devid *engine;
    struct devid_key *device; /* own */
    struct devid_public pub;
};

/*
 * Open the private key at `file_or_uri`: PEM of OpenSSL's, or anything that
 * devid_key_open takes. Its passphrase, auth value or PIN is where
 * --auth-source says. Prints the sentence on failure; closed either way.
 */
enum exit_code signer_open(const struct args *args, const char *file_or_uri,
                           struct signer *signer);
void signer_close(struct signer *signer);

/* A devid_signer_fn whose `arg` is the struct signer. */
enum devid_err signer_sign(void *arg, const struct devid_tbs *tbs,
                           struct devid_sig *sig, struct devid_error *err);

/* The public key in a PEM file. Prints the sentence on failure. */
enum exit_code signer_public(const char *path, struct devid_public *pub);

/*
 * A software private key in PEM text, from `path`. Its passphrase, where it
 * has one, is at `source`, which `option` gave; NULL: it is asked for on the
 * terminal. Prints the sentence on failure.
 */
enum exit_code signer_read_software(const char *option, const char *source,
                                    const char *path, const char *text,
                                    EVP_PKEY **pkey);

#endif
