/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of libcurl, whose parsers are not ours: an answer, as it would
 * hand it over. */
#ifndef DEVID_FUZZ_FAKE_CURL_H
#define DEVID_FUZZ_FAKE_CURL_H

#include <curl/curl.h>
#include <stddef.h>

struct fake_answer {
    CURLcode rc;
    long status;
    const char *body; /* handed over in two pieces */
    size_t len;
};

extern struct fake_answer fake_answer;

#endif
