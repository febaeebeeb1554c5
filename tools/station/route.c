/* SPDX-License-Identifier: Apache-2.0 */
/* What a request's head must be, and whither its path leads. */
#include "route.h"

#include <sys/queue.h>

#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fleet.h"

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

/* For browsers. */
static const struct route page_routes[] = {
    {"/", NULL, EVHTTP_REQ_GET, fleet_overview},
    {"/fleet", NULL, EVHTTP_REQ_GET, fleet_overview},
    {"/fleet/units", NULL, EVHTTP_REQ_GET, fleet_units},
    {"/fleet/units/", "", EVHTTP_REQ_GET, fleet_unit},
    {"/fleet/units/", "/retire", EVHTTP_REQ_POST, fleet_retire},
    {"/fleet/renewals", NULL, EVHTTP_REQ_GET, fleet_renewals},
    {"/fleet/approvals", NULL, EVHTTP_REQ_GET, fleet_approvals},
    {"/fleet/ldevids/", "/approve", EVHTTP_REQ_POST, fleet_approve},
    {"/fleet/ldevids/", "/refuse", EVHTTP_REQ_POST, fleet_refuse},
    {"/fleet/ldevids/", "/revoke", EVHTTP_REQ_POST, fleet_revoke},
    {"/fleet/style.css", NULL, EVHTTP_REQ_GET, fleet_style},
    {"/fleet/live.js", NULL, EVHTTP_REQ_GET, fleet_script},
    {"/fleet/icon.svg", NULL, EVHTTP_REQ_GET, fleet_icon},
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

/* ---- EST ---------------------------------------------------------------- */

#define EST_ROOT "/.well-known/est/"
#define RENEW "simplereenroll"

static const struct route est_routes[] = {
    {"cacerts", NULL, EVHTTP_REQ_GET, exchange_cacerts},
    {"csrattrs", NULL, EVHTTP_REQ_GET, exchange_csrattrs},
    {"simpleenroll", NULL, EVHTTP_REQ_POST, exchange_est},
    {RENEW, NULL, EVHTTP_REQ_POST, exchange_est},
};

static bool take_label(const char *at, size_t len, struct exchange *x)
{
    if (len == 0 || len >= sizeof(x->label) || memchr(at, '/', len))
        return false;
    memcpy(x->label, at, len);
    x->label[len] = '\0';
    return true;
}

/* A label stands behind the well-known part, as RFC 7030, 3.2.2, has it, or
 * before it, where clients put what belongs to the server's address. */
static const struct route *find_est(const char *path, struct exchange *x)
{
    const char *root = strstr(path, EST_ROOT);
    const char *operation;
    const char *slash;

    if (!root ||
        (root > path && !take_label(path + 1, (size_t)(root - path) - 1, x)))
        return NULL;
    operation = root + sizeof(EST_ROOT) - 1;
    slash = strchr(operation, '/');
    if (slash &&
        (root > path || !take_label(operation, (size_t)(slash - operation), x)))
        return NULL;
    if (slash)
        operation = slash + 1;
    for (size_t i = 0; i < sizeof(est_routes) / sizeof(est_routes[0]); i++) {
        if (strcmp(est_routes[i].prefix, operation) != 0)
            continue;
        x->again = strcmp(operation, RENEW) == 0;
        x->plain = true;
        return &est_routes[i];
    }
    return NULL;
}

/* ---- OCSP --------------------------------------------------------------- */

#define OCSP_ROOT "/ocsp"

/* The request in a path that GET asks for may have slashes in it. */
const struct route *route_ocsp(const char *path, enum evhttp_cmd_type method,
                               struct exchange *x)
{
    static const struct route post = {OCSP_ROOT, NULL, EVHTTP_REQ_POST,
                                      exchange_ocsp};
    static const struct route get = {OCSP_ROOT, NULL, EVHTTP_REQ_GET,
                                     exchange_ocsp};
    size_t len = sizeof(OCSP_ROOT) - 1;

    if (strncmp(path, OCSP_ROOT, len) != 0)
        return NULL;
    if (path[len] == '\0' || (path[len] == '/' && path[len + 1] == '\0'))
        return &post;
    if (path[len] != '/' || method != EVHTTP_REQ_GET)
        return NULL;
    x->ocsp_path = path + len + 1;
    return &get;
}

const struct route *route_find(const char *path, struct exchange *x)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (matches(&routes[i], path, x->unit_id))
            return &routes[i];
    }
    for (size_t i = 0; i < sizeof(page_routes) / sizeof(page_routes[0]); i++) {
        if (!matches(&page_routes[i], path, x->unit_id))
            continue;
        x->page.wanted = true;
        return &page_routes[i];
    }
    return find_est(path, x);
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
