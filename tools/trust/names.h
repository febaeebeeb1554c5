/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a certificate is known by: subject, serial number under an issuer, or
 * fingerprint. Each in the spelling that nginx and haproxy compare with.
 */
#ifndef DEVID_TOOLS_TRUST_NAMES_H
#define DEVID_TOOLS_TRUST_NAMES_H

#include <jansson.h>
#include <openssl/x509.h>

#include "command.h"

enum by {
    BY_FINGERPRINT,
    BY_SERIAL,
    BY_SUBJECT,
    BY_ANY, /* of an entry that is looked for */
};

/* Of a certificate, or what the user said of one; NULL: not known. */
struct names {
    char *subject; /* RFC 4514, as OpenSSL prints it */
    char *issuer;  /* the same */
    char *serial;  /* "0A1B", in pairs */
    char *sha256;  /* "0a1b..." */
    char *sha1;    /* the same: what nginx has */
};

void names_of_cert(const X509 *cert, struct names *names);
void names_clear(struct names *names);

/* A name, or a serial number, as above; by malloc. */
char *name_text(const X509_NAME *name);
char *serial_text(const ASN1_INTEGER *serial);

/* The same from what somebody typed. Prints the sentence, as `command`. */
enum exit_code name_read(const char *command, const char *typed, char **text);
enum exit_code serial_read(const char *command, const char *typed, char **text);
/* Which of the two hashes its length says. */
enum exit_code fingerprint_read(const char *command, const char *typed,
                                struct names *names);

/* "fingerprint", "serial" and "subject"; BY_ANY where it is none of them. */
enum by by_of_word(const char *word);

/* An entry of the list. */
json_t *device_new(const struct names *names, enum by by, const char *note);
/* NULL, or what is wrong with it, a part of a sentence. */
const char *device_wrong(const json_t *device);
enum by device_by(const json_t *device);
/* Does the entry name that certificate? What is not known is not compared. */
bool device_names(const json_t *device, const struct names *names, enum by by);
/* What it goes by, for people; in `room`. */
const char *device_text(const json_t *device, char *room, size_t size);

#endif
