/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The new identity at work, as programs will use it: its folder's files, read
 * by OpenSSL with the provider devid, in a TLS handshake.
 */
#ifndef DEVID_TOOLS_HANDSHAKE_H
#define DEVID_TOOLS_HANDSHAKE_H

#include "args.h"
#include "http.h"

struct handshake {
    struct http_identity identity; /* for http_set_identity */
    void *provider;                /* OSSL_PROVIDER */
};

/*
 * Read key and chain of the folder. The provider opens a connection of its own
 * to the device, where --tcti and others say: the caller's should be closed.
 * Prints the sentence on failure; closed either way, after http_close.
 */
enum exit_code handshake_open(const struct args *args, const char *folder,
                              struct handshake *handshake);
/* The same of a key and a chain in PEM; `name` is theirs in the sentence. */
enum exit_code handshake_open_pem(const struct args *args, const char *name,
                                  const char *key, const char *chain,
                                  struct handshake *handshake);
/* Of a key in PEM alone, which has no certificate yet. */
enum exit_code handshake_open_key(const struct args *args, const char *name,
                                  const char *key, struct handshake *handshake);
void handshake_close(struct handshake *handshake);

/* What OpenSSL or the provider said last, in words. */
const char *handshake_says(void);

/* At the program's end: let go of what OpenSSL needed meanwhile. */
void handshake_finish(void);

#endif
