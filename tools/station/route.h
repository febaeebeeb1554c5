/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_STATION_ROUTE_H
#define DEVID_STATION_ROUTE_H

#include <event2/http.h>

#include "exchange.h"

struct route {
    const char *prefix;
    const char *suffix; /* behind a unit's id; NULL: there is none */
    enum evhttp_cmd_type method;
    exchange_step *step;
};

/* A sentence; NULL where the head is as RFC 9112 has it. */
const char *route_check_head(const struct evhttp_request *req);

/* Whither a path leads; what it says of a unit or label goes into the exchange.
 * NULL: nowhere. */
const struct route *route_find(const char *path, struct exchange *x);
/* "/ocsp" and "/ocsp/BASE64": likewise. */
const struct route *route_ocsp(const char *path, enum evhttp_cmd_type method,
                               struct exchange *x);
/* "/v1/crl/7.crl": its number. */
bool route_crl(const char *path, unsigned long *number);

/* "GET" */
const char *route_method(enum evhttp_cmd_type method);

#endif
