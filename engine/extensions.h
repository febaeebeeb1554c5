/* SPDX-License-Identifier: Apache-2.0 */
/* What a certificate request asks for beside its subject. Pure. */
#ifndef DEVID_EXTENSIONS_H
#define DEVID_EXTENSIONS_H

#include "devid.h"

#include <openssl/x509v3.h>

/*
 * One subject alternative name: "DNS:x", "IP:1.2.3.4", "URI:..", "email:..",
 * "otherName:OID;UTF8:text".
 *
 * name  out: the caller frees it
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (the sentence names the value and what
 * would be right); _SYSTEM. Source: RFC 5280, 4.2.1.6.
 */
DEVID_CHECK enum devid_err
devid_san_parse(const char *text, GENERAL_NAME **name, struct devid_error *err);

/* Will the request have alternative names? */
bool devid_extensions_name(const struct devid_csr_spec *spec);

/*
 * The extensions that a request's spec asks for; NULL where it asks for none.
 *
 * san_critical  the subject is empty: RFC 5280 wants it so then
 * exts          out: the caller frees it
 *
 * Returns as devid_san_parse.
 */
DEVID_CHECK enum devid_err
devid_extensions_make(const struct devid_csr_spec *spec, bool san_critical,
                      STACK_OF(X509_EXTENSION) * *exts,
                      struct devid_error *err);

#endif
