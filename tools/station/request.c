/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From evhttp's request to an exchange. The loop's thread reads and writes; the
 * steps are run by the pool, jobs by the ledger.
 */
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "message.h"
#include "request.h"
#include "route.h"

/* ---- steps ------------------------------------------------------------- */

static void refuse_busy(struct request *r)
{
    (void)exchange_refuse(&r->x, 503, "busy",
                          "the station has too much to do; ask again");
    r->x.retry_s = 1;
}

static void on_committed(struct ledger_job *job)
{
    struct request *r = job->arg;

    pool_continue(r->loop->server->pool, &r->task);
}

/* In the pool's thread. */
static void run_step(struct task *task)
{
    struct request *r = (struct request *)(void *)task;
    struct exchange *x = &r->x;

    if (x->next(x) == STEP_COMMIT) {
        x->job.done = on_committed;
        x->job.arg = r;
        x->job.peer = x->who[0] ? x->who : r->peer;
        if (ledger_submit(x->context->ledger, &x->job))
            return;
        refuse_busy(r);
    }
    reply_post(r);
}

static void begin(struct request *r, exchange_step *step)
{
    struct server *server = r->loop->server;

    r->x.next = step;
    r->task.run = run_step;
    atomic_fetch_add(&server->pending, 1);
    if (pool_submit(server->pool, &r->task))
        return;
    atomic_fetch_sub(&server->pending, 1);
    refuse_busy(r);
    reply_send(r);
}

/* What stands behind "Bearer " or "Basic "; NULL: it is something else. */
static char *authorization(struct evhttp_request *req, const char *scheme)
{
    const char *value = evhttp_find_header(
        evhttp_request_get_input_headers(req), "Authorization");
    size_t len = strlen(scheme);

    if (!value || strncasecmp(value, scheme, len) != 0)
        return NULL;
    value += len;
    value += strspn(value, " ");
    return *value ? strdup(value) : NULL;
}

/* ---- paths ------------------------------------------------------------- */

static void send_crl(struct request *r, unsigned long number)
{
    struct crl_list *list = crl_get(r->loop->server->crl, number);

    if (list) {
        reply_send_list(r, list);
        return;
    }
    (void)exchange_refuse(&r->x, 404, "path",
                          "there is no list of revoked certificates %lu",
                          number);
    reply_send(r);
}

static void dispatch(struct request *r)
{
    struct exchange *x = &r->x;
    enum evhttp_cmd_type method = evhttp_request_get_command(r->req);
    const struct route *route;
    unsigned long number = 0;

    if (route_crl(r->path, &number) && method == EVHTTP_REQ_GET) {
        send_crl(r, number);
        return;
    }
    route = route_ocsp(r->path, method, x);
    if (!route && !r->plain)
        route = route_find(r->path, x);
    if (!route)
        (void)exchange_refuse(x, 404, "path", "there is no such path here%s",
                              r->plain ? " without TLS" : "");
    else if (route->method != method)
        (void)exchange_refuse(x, 405, "method", "this path takes %s alone",
                              route->method == EVHTTP_REQ_GET ? "GET" : "POST");
    else if (route->step == exchange_station)
        (void)exchange_station(x);
    else {
        begin(r, route->step);
        return;
    }
    reply_send(r);
}

/* ---- evhttp's callback ------------------------------------------------- */

static struct request *new_request(struct evhttp_request *req,
                                   struct loop *loop)
{
    struct request *r = calloc(1, sizeof(*r));
    struct evbuffer *body = evhttp_request_get_input_buffer(req);
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *path = evhttp_uri_get_path(uri);
    const char *query = evhttp_uri_get_query(uri);
    char *peer = NULL;
    uint16_t port = 0;

    if (!r)
        return NULL;
    evhttp_connection_get_peer(evhttp_request_get_connection(req), &peer,
                               &port);
    r->req = req;
    r->loop = loop;
    r->began_ms = now_ms();
    r->method = route_method(evhttp_request_get_command(req));
    r->peer = strdup(peer ? peer : "");
    r->path = strdup(path ? path : "");
    r->query = strdup(query ? query : "");
    r->token = authorization(req, "Bearer ");
    r->basic = authorization(req, "Basic ");
    r->x.context = loop->server->context;
    r->x.peer = r->peer;
    r->x.query = r->query;
    r->x.fleet = loop->server->fleet;
    r->x.token = r->token;
    r->x.basic = r->basic;
    r->x.unique.len = connection_unique(connection_of(req), r->unique);
    r->x.unique.data = r->unique;
    r->x.client_cert.len = connection_cert(connection_of(req), &r->cert);
    r->x.client_cert.data = r->cert;
    r->x.body.len = evbuffer_get_length(body);
    r->body = malloc(r->x.body.len + 1);
    if (r->body)
        (void)evbuffer_copyout(body, r->body, r->x.body.len);
    r->x.body.data = r->body;
    return r;
}

static void handle(struct evhttp_request *req, struct loop *loop, bool plain)
{
    struct connection *connection = connection_of(req);
    struct request *r = new_request(req, loop);
    const char *why;

    connection_arrived(connection);
    if (!r || !r->peer || !r->path || !r->query || !r->body) {
        evhttp_send_error(req, 503, NULL);
        if (r)
            request_free(r);
        return;
    }
    r->plain = plain;
    r->closing = plain; /* one request a connection */
    why = route_check_head(req);
    if (why) {
        (void)exchange_refuse(&r->x, 400, "malformed", "%s", why);
        r->closing = true;
        reply_send(r);
        return;
    }
    if (connection_is_over(connection)) {
        (void)exchange_refuse(&r->x, 429, "rate",
                              "there are too many connections from %s",
                              r->peer);
        r->closing = true;
        r->x.retry_s = 5;
        reply_send(r);
        return;
    }
    dispatch(r);
}

void request_handle(struct evhttp_request *req, void *arg)
{
    handle(req, arg, false);
}

void request_handle_plain(struct evhttp_request *req, void *arg)
{
    handle(req, arg, true);
}
