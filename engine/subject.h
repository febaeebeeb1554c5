/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects as people type them. Pure. */
#ifndef DEVID_SUBJECT_H
#define DEVID_SUBJECT_H

#include "devid.h"

/*
 * "/O=Acme/CN=unit-0001" in UTF-8: each "/" begins an attribute, "+" joins
 * one to the one before it, a backslash takes the next character as it is.
 * Attributes by OpenSSL's names or as dotted OIDs. "/" and NULL are the empty
 * name.
 *
 * name  out: the caller frees it
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (the sentence says at which character,
 * from 1, and what would be right); _SYSTEM.
 */
DEVID_CHECK enum devid_err devid_subject_parse(const char *text,
                                               X509_NAME **name,
                                               struct devid_error *err);

#endif
