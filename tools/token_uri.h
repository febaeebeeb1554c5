/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URIs of tokens, RFC 7512: what names a token and nothing of what is on it.
 */
#ifndef DEVID_TOOLS_TOKEN_URI_H
#define DEVID_TOOLS_TOKEN_URI_H

#include <p11-kit/uri.h>

#include "command.h"

/*
 * Parse. p11-kit passes over what it does not know or finds twice; here each
 * is an error, since the wrong token may be erased. Prints the sentence on
 * failure, without values, which may be PINs; freed by p11_kit_uri_free.
 */
enum exit_code token_uri_parse(const char *text, P11KitUri **uri);

/* The module-path of any token's URI, OPENSSL_malloc; NULL: it has none. */
char *token_uri_module(const char *text);

#endif
