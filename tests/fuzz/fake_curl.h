/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of libcurl, whose parsers are not ours: an answer, as it would
 * hand it over. */
#ifndef DEVID_FUZZ_FAKE_CURL_H
#define DEVID_FUZZ_FAKE_CURL_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

struct fake_answer {
    CURLcode rc;
    long status;
    const char *type; /* Content-Type; NULL: none */
    const char *body; /* handed over in two pieces; where it fails: why */
    size_t len;
    /* makes body and len of what was posted; NULL: they are there */
    void (*make)(struct fake_answer *answer, const uint8_t *sent, size_t len);
};

extern struct fake_answer fake_answer;

#endif
