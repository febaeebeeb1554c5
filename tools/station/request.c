/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From evhttp's request to an exchange, and its answer back. The loop's thread
 * reads and writes; the steps are run by the pool, jobs by the ledger.
 */
#include <event2/buffer.h>
#include <event2/http.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "message.h"
#include "route.h"
#include "server.h"

struct request {
    struct task task; /* the first: the pool hands it back */
    struct exchange x;
    struct loop *loop;
    struct evhttp_request *req;
    struct request *next; /* among the replies */
    int64_t began_ms;
    const char *method;
    bool closing; /* nothing more is to be read from this connection */
    const char *retry_after;
    char *peer;
    char *token;
    char *path;
    uint8_t *cert;
    uint8_t *body; /* evhttp frees its own where the client goes */
};

/* ---- answers ----------------------------------------------------------- */

static void free_request(struct request *r)
{
    exchange_clear(&r->x);
    free(r->peer);
    if (r->token)
        OPENSSL_cleanse(r->token, strlen(r->token));
    free(r->token);
    free(r->path);
    OPENSSL_free(r->cert);
    free(r->body);
    free(r);
}

static void log_request(const struct request *r)
{
    const struct exchange *x = &r->x;
    char now[TIME_TEXT_SIZE];
    json_t *line;

    time_text(now_ms(), now);
    line = json_pack("{s:s,s:s*,s:s,s:s*,s:i,s:I}", "time", now, "peer",
                     r->peer, "method", r->method, "path", r->path, "status",
                     x->status, "ms", (json_int_t)(now_ms() - r->began_ms));
    if (line && x->serial[0])
        (void)json_object_set_new(line, "serial", json_string(x->serial));
    if (line && x->code[0])
        (void)json_object_set_new(line, "code", json_string(x->code));
    if (line && x->message[0])
        (void)json_object_set_new(line, "message", json_string(x->message));
    log_line(line);
}

/* The next request of the connection has a deadline of its own. */
static void on_complete(struct evhttp_request *req, void *arg)
{
    (void)arg;
    connection_deadline(connection_of(req), REQUEST_S);
}

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 429:
        return "Too Many Requests";
    case 503:
        return "Service Unavailable";
    default:
        return status < 500 ? "Refused" : "Failed";
    }
}

static void add_header(struct request *r, const char *name, const char *value)
{
    (void)evhttp_add_header(evhttp_request_get_output_headers(r->req), name,
                            value);
}

/* In the loop's thread; frees the request. */
static void send_reply(struct request *r)
{
    struct evbuffer *body = evbuffer_new();
    char *text = r->x.answer ? json_dumps(r->x.answer, JSON_COMPACT) : NULL;

    if (text && body)
        (void)evbuffer_add_printf(body, "%s\n", text);
    free(text);
    add_header(r, "Content-Type", "application/json");
    add_header(r, "Cache-Control", "no-store");
    if (r->retry_after)
        add_header(r, "Retry-After", r->retry_after);
    if (r->closing)
        add_header(r, "Connection", "close");
    log_request(r);
    connection_deadline(connection_of(r->req), REPLY_S);
    evhttp_request_set_on_complete_cb(r->req, on_complete, NULL);
    /* Where the client has gone, evhttp frees its request here. */
    evhttp_send_reply(r->req, r->x.status, reason_of(r->x.status), body);
    if (body)
        evbuffer_free(body);
    free_request(r);
}

void request_send_replies(struct loop *loop)
{
    struct request *r;

    pthread_mutex_lock(&loop->lock);
    r = loop->replies;
    loop->replies = NULL;
    pthread_mutex_unlock(&loop->lock);
    while (r) {
        struct request *next = r->next;
        send_reply(r);
        atomic_fetch_sub(&loop->server->pending, 1);
        r = next;
    }
}

/* In any thread. */
static void post_reply(struct request *r)
{
    struct loop *loop = r->loop;

    if (r->x.revoked)
        crl_renew(loop->server->crl);
    pthread_mutex_lock(&loop->lock);
    r->next = loop->replies;
    loop->replies = r;
    pthread_mutex_unlock(&loop->lock);
    event_active(loop->wake, EV_TIMEOUT, 0);
}

/* ---- steps ------------------------------------------------------------- */

static void refuse_busy(struct request *r)
{
    (void)exchange_refuse(&r->x, 503, "busy",
                          "the station has too much to do; ask again");
    r->retry_after = "1";
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
        x->job.peer = r->peer;
        if (ledger_submit(x->context->ledger, &x->job))
            return;
        refuse_busy(r);
    }
    post_reply(r);
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
    send_reply(r);
}

static char *bearer(struct evhttp_request *req)
{
    const char *value = evhttp_find_header(
        evhttp_request_get_input_headers(req), "Authorization");

    if (!value || strncasecmp(value, "Bearer ", 7) != 0)
        return NULL;
    value += 7;
    value += strspn(value, " ");
    return *value ? strdup(value) : NULL;
}

/* ---- paths ------------------------------------------------------------- */

static void drop_crl(const void *data, size_t len, void *arg)
{
    struct crl_list *list = arg;

    (void)data;
    (void)len;
    crl_list_free(list);
}

static void send_crl(struct request *r, unsigned long number)
{
    struct crl_list *list = crl_get(r->loop->server->crl, number);
    struct evbuffer *body = evbuffer_new();

    if (!list || !body ||
        evbuffer_add_reference(body, list->der, list->len, drop_crl, list)) {
        crl_list_free(list);
        (void)exchange_refuse(&r->x, 404, "path",
                              "there is no list of revoked certificates %lu",
                              number);
        send_reply(r);
    } else {
        r->x.status = 200;
        add_header(r, "Content-Type", "application/pkix-crl");
        log_request(r);
        connection_deadline(connection_of(r->req), REPLY_S);
        evhttp_request_set_on_complete_cb(r->req, on_complete, NULL);
        evhttp_send_reply(r->req, 200, "OK", body);
        free_request(r);
    }
    if (body)
        evbuffer_free(body);
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
    route = route_find(r->path, x->unit_id);
    if (!route)
        (void)exchange_refuse(x, 404, "path", "there is no such path here");
    else if (route->method != method)
        (void)exchange_refuse(x, 405, "method", "this path takes %s alone",
                              route->method == EVHTTP_REQ_GET ? "GET" : "POST");
    else if (route->step == exchange_station)
        (void)exchange_station(x);
    else {
        begin(r, route->step);
        return;
    }
    send_reply(r);
}

/* ---- evhttp's callback ------------------------------------------------- */

static struct request *new_request(struct evhttp_request *req,
                                   struct loop *loop)
{
    struct request *r = calloc(1, sizeof(*r));
    struct evbuffer *body = evhttp_request_get_input_buffer(req);
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));
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
    r->token = bearer(req);
    r->x.context = loop->server->context;
    r->x.peer = r->peer;
    r->x.token = r->token;
    r->x.client_cert.len = connection_cert(connection_of(req), &r->cert);
    r->x.client_cert.data = r->cert;
    r->x.body.len = evbuffer_get_length(body);
    r->body = malloc(r->x.body.len + 1);
    if (r->body)
        (void)evbuffer_copyout(body, r->body, r->x.body.len);
    r->x.body.data = r->body;
    return r;
}

void request_handle(struct evhttp_request *req, void *arg)
{
    struct connection *connection = connection_of(req);
    struct request *r = new_request(req, arg);
    const char *why;

    connection_arrived(connection);
    if (!r || !r->peer || !r->path || !r->body) {
        evhttp_send_error(req, 503, NULL);
        if (r)
            free_request(r);
        return;
    }
    why = route_check_head(req);
    if (why) {
        (void)exchange_refuse(&r->x, 400, "malformed", "%s", why);
        r->closing = true;
        send_reply(r);
        return;
    }
    if (connection_is_over(connection)) {
        (void)exchange_refuse(&r->x, 429, "rate",
                              "there are too many connections from %s",
                              r->peer);
        r->closing = true;
        r->retry_after = "5";
        send_reply(r);
        return;
    }
    dispatch(r);
}
