/* SPDX-License-Identifier: Apache-2.0 */
/* What a try of a request came to: whether it may pass, and in words. */
#include "http_internal.h"

#include <stdio.h>
#include <string.h>

#include "message.h"

/* OpenSSL names who could not sign: "error:4D00000B:devid::device error". */
static bool device_failed(const struct http *http)
{
    return http->identity.key != NULL &&
           strstr(http->curl_says, ":devid:") != NULL;
}

/* The peer names what it does not like: "sslv3 alert certificate expired". */
static bool identity_refused(const struct http *http)
{
    return http->identity.key != NULL &&
           strstr(http->curl_says, " alert ") != NULL &&
           (strstr(http->curl_says, "certificate") != NULL ||
            strstr(http->curl_says, "unknown ca") != NULL ||
            strstr(http->curl_says, "access denied") != NULL);
}

/*
 * Who breaks off as soon as the handshake is over may have said in an alert
 * that he does not like the certificate; with TLS 1.3 that is lost where the
 * request was on its way.
 */
static bool cut_off_once_shown(const struct http *http, CURLcode rc)
{
    return http->identity.key != NULL && http->identity_asked &&
           (rc == CURLE_COULDNT_CONNECT || rc == CURLE_SEND_ERROR);
}

bool http_identity_failed(const struct http *http)
{
    return http->identity_wrong || device_failed(http) ||
           identity_refused(http);
}

bool http_may_pass(const struct http *http, CURLcode rc, long status)
{
    if (identity_refused(http))
        return false;
    switch ((int)rc) {
    case CURLE_OK:
        return status == 503 || status == 502 || status == 504 ||
               (status == 429 && strcmp(http->refusal, "quota") != 0);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return true;
    case CURLE_SSL_CONNECT_ERROR: /* cut off in the handshake, or refused */
        return !http->identity_wrong && !device_failed(http);
    default: /* of a hundred */
        return false;
    }
}

enum exit_code http_transfer_failed(const struct http *http, CURLcode rc)
{
    const char *why =
        *http->curl_says ? http->curl_says : curl_easy_strerror(rc);

    if (device_failed(http))
        return fail_with(EXIT_DEVICE,
                         "the device did not sign the handshake with the "
                         "%s at %s: %s",
                         http->peer->name, http->url, why);
    if (http->identity_wrong)
        return fail("the key and the certificate of this device's identity do "
                    "not belong together");
    if (identity_refused(http))
        return fail_with(EXIT_REFUSED,
                         "the %s at %s refuses the certificate of this "
                         "device's identity: %s",
                         http->peer->name, http->url, why);
    switch ((int)rc) {
    case CURLE_PEER_FAILED_VERIFICATION:
        if (http->fingerprint != NULL)
            return fail_with(EXIT_UNTRUSTED,
                             "what answers at %s is not the station with the "
                             "certificate of --station-fingerprint",
                             http->url);
        return fail_with(
            EXIT_UNTRUSTED,
            "what answers at %s has no certificate for that name from "
            "an authority that this device trusts (%s): %s",
            http->url, why, http->peer->trust);
    case CURLE_SSL_CACERT_BADFILE:
        return fail("the file of --ca cannot be read, or holds no certificate "
                    "in PEM");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return fail("'%s' is no %s: that is %s", http->url, http->peer->name,
                    http->peer->form);
    case CURLE_WRITE_ERROR:
        return fail_with(EXIT_UNTRUSTED,
                         "what answers at %s is no %s: its answer has more "
                         "than %d bytes",
                         http->url, http->peer->name, (int)HTTP_ANSWER_MAX);
    default: /* of a hundred */
        return fail_with(EXIT_UNREACHABLE,
                         "the %s at %s cannot be reached: %s%s",
                         http->peer->name, http->url, why,
                         cut_off_once_shown(http, rc)
                             ? "; it broke off when it had seen the "
                               "certificate of this device's identity, which "
                               "it may not accept"
                             : "");
    }
}

const char *http_read_refusal(struct http *http, const json_t *answer)
{
    const json_t *error = json_object_get(answer, "error");
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *text = json_string_value(json_object_get(error, "message"));

    (void)snprintf(http->refusal, sizeof(http->refusal), "%s",
                   code != NULL ? code : "");
    return text != NULL ? text : "it does not say why";
}

enum exit_code http_status_failed(struct http *http, const char *path,
                                  long status, const json_t *answer)
{
    const char *text = http_read_refusal(http, answer);

    if (status >= 400 && status < 500)
        return fail_with(EXIT_REFUSED,
                         "the station refuses: %s (%s, HTTP status %ld)", text,
                         *http->refusal ? http->refusal : "no code", status);
    if (status >= 500)
        return fail_with(EXIT_UNREACHABLE,
                         "the station at %s fails: %s (HTTP status %ld)",
                         http->url, text, status);
    return fail_with(EXIT_UNTRUSTED,
                     "what answers at %s%s is no station: HTTP status %ld",
                     http->url, path, status);
}
