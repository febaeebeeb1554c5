/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signatures that TLS 1.2 and 1.3 may ask a key for.
 * Source: RFC 8446, 4.2.3; RFC 5246, 7.4.1.4.1.
 */
#ifndef DEVID_TOOLS_SIGALGS_H
#define DEVID_TOOLS_SIGALGS_H

#include "devid.h"

struct sigalg {
    const char *name;    /* IANA's */
    const char *openssl; /* in OpenSSL's SignatureAlgorithms */
    enum devid_key_type type;
    enum devid_scheme scheme;
    const char *hash;    /* a name of devid_hashes(); PSS: MGF1's too, and
                            the salt is as long; NULL: none */
    unsigned tls13_bits; /* TLS 1.3: for curves of this size; RSA: 1, any;
                            0: never */
};

/* Ended by a row whose name is NULL. */
extern const struct sigalg sigalgs[];

/* A key of this type, bound to a hash or not, may be asked for it. */
bool sigalg_fits(const struct sigalg *sigalg, const struct devid_public *pub);

/* TLS 1.3 may ask this key for it. */
bool sigalg_in_tls13(const struct sigalg *sigalg,
                     const struct devid_public *pub);

/* Without it a server with this key cannot speak TLS 1.3. */
bool sigalg_needed_by_tls13(const struct sigalg *sigalg,
                            const struct devid_public *pub);

#endif
