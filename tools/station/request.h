/* SPDX-License-Identifier: Apache-2.0 */
/* A request that is being answered: what request.c and reply.c share. */
#ifndef DEVID_STATION_REQUEST_H
#define DEVID_STATION_REQUEST_H

#include "server.h"

struct request {
    struct task task; /* the first: the pool hands it back */
    struct exchange x;
    struct loop *loop;
    struct evhttp_request *req;
    struct request *next; /* among the replies */
    int64_t began_ms;
    const char *method;
    bool plain;   /* without TLS: OCSP and lists alone */
    bool closing; /* nothing more is to be read from this connection */
    char *peer;
    char *token;
    char *basic;
    char *path;
    char *query;
    uint8_t *cert;
    uint8_t unique[EVP_MAX_MD_SIZE];
    uint8_t *body; /* evhttp frees its own where the client goes */
};

/* ---- reply.c ----------------------------------------------------------- */

/* In the loop's thread: send the exchange's answer, and free the request. */
void reply_send(struct request *r);
/* The same with a list of revoked certificates, which is counted down. */
void reply_send_list(struct request *r, struct crl_list *list);
/* In any thread: leave it for the loop. */
void reply_post(struct request *r);
void request_free(struct request *r);

#endif
