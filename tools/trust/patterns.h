/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server compares a client's certificate with, and the files for it.
 * Keys are text; a serial number stands before its issuer: "0A1B/CN=line".
 */
#ifndef DEVID_TOOLS_TRUST_PATTERNS_H
#define DEVID_TOOLS_TRUST_PATTERNS_H

#include "crls.h"
#include "folder.h"
#include "trust.h"

/* Objects whose members' names are the keys, in the list's order. */
struct patterns {
    json_t *sha256;
    json_t *sha1;
    json_t *sha1_alone; /* of entries that have no SHA-256 */
    json_t *subjects;
    json_t *serials;
    json_t *revoked;
    size_t without_sha1; /* entries that nginx cannot know */
};

/*
 * Prints the sentence where that would not work: no CA, a root that is missing,
 * a CA that is revoked, a list that was never fetched. Cleared either way.
 */
enum exit_code patterns_make(const struct trust *trust, const struct crls *crls,
                             struct patterns *patterns);
void patterns_clear(struct patterns *patterns);

/* A folder of files that are made one after the other. */
struct pages {
    const char *folder; /* absolute */
    struct pages_one {
        const char *name;
        BIO *text;
    } all[8];
    size_t count;
};
BIO *pages_add(struct pages *pages, const char *name);
enum exit_code pages_write(const struct pages *pages, bool *changed);
void pages_clear(struct pages *pages);

/* ca.pem, and crl.pem where there is one: both programs have them. */
void pages_certificates(struct pages *pages, const struct trust *trust,
                        const struct crls *crls);

/* ---- a file each --------------------------------------------------------- */

enum exit_code nginx_pages(const struct patterns *patterns,
                           struct pages *pages);
void nginx_lines(const char *folder, bool crl);
enum exit_code haproxy_pages(const struct patterns *patterns,
                             struct pages *pages);
void haproxy_lines(const char *folder, bool crl);

#endif
