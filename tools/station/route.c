/* SPDX-License-Identifier: Apache-2.0 */
/* What a request's head must be, and whither its path leads. */
#include "route.h"

#include <sys/queue.h>

#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what evhttp lets pass --------------------------------------------- */

static bool is_name(const char *name)
{
    return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789!#$%&'*+-.^_`|~")] == '\0';
}

/* A sentence; NULL where the head is as RFC 9112 has it. */
const char *route_check_head(const struct evhttp_request *req)
{
    const struct evkeyval *header;
    unsigned lengths = 0;
    unsigned hosts = 0;

    if (req->major != 1 || (req->minor != 0 && req->minor != 1))
        return "the version of HTTP is neither 1.0 nor 1.1";
    TAILQ_FOREACH(header, req->input_headers, next)
    {
        if (!is_name(header->key))
            return "a header's name is empty, or holds what no name does";
        lengths += strcasecmp(header->key, "Content-Length") == 0;
        hosts += strcasecmp(header->key, "Host") == 0;
        if (strcasecmp(header->key, "Transfer-Encoding") == 0)
            return "a body comes with Content-Length alone";
    }
    if (lengths > 1)
        return "there is more than one Content-Length";
    if (hosts > 1)
        return "there is more than one Host";
    return NULL;
}

static const struct route routes[] = {
    {"/v1/station", NULL, EVHTTP_REQ_GET, exchange_station},
    {"/v1/units", NULL, EVHTTP_REQ_POST, exchange_units},
    {"/v1/units/", "/activate", EVHTTP_REQ_POST, exchange_activate},
    {"/v1/units/", "/state", EVHTTP_REQ_POST, exchange_state},
    {"/v1/units/", "/retire", EVHTTP_REQ_POST, exchange_retire},
};

static bool matches(const struct route *route, const char *path,
                    char id[LEDGER_ID_SIZE])
{
    size_t prefix = strlen(route->prefix);
    size_t len;

    if (strncmp(path, route->prefix, prefix) != 0)
        return false;
    path += prefix;
    if (!route->suffix)
        return *path == '\0';
    len = strspn(path, "0123456789abcdef");
    if (len == 0 || len >= LEDGER_ID_SIZE ||
        strcmp(path + len, route->suffix) != 0)
        return false;
    memcpy(id, path, len);
    id[len] = '\0';
    return true;
}

const struct route *route_find(const char *path, char id[LEDGER_ID_SIZE])
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (matches(&routes[i], path, id))
            return &routes[i];
    }
    return NULL;
}

/* "/v1/crl/7.crl" */
bool route_crl(const char *path, unsigned long *number)
{
    static const char prefix[] = "/v1/crl/";
    char *end = NULL;

    if (strncmp(path, prefix, sizeof(prefix) - 1) != 0)
        return false;
    path += sizeof(prefix) - 1;
    if (*path < '0' || *path > '9' || strlen(path) > 12)
        return false;
    *number = strtoul(path, &end, 10);
    return strcmp(end, ".crl") == 0;
}

const char *route_method(enum evhttp_cmd_type method)
{
    switch (method) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_OPTIONS:
        return "OPTIONS";
    case EVHTTP_REQ_TRACE:
        return "TRACE";
    case EVHTTP_REQ_CONNECT:
        return "CONNECT";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    }
    return "?";
}
