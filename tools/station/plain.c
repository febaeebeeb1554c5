/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP without TLS, for lists of revoked certificates and OCSP alone, which are
 * signed, and which their clients ask for in no other way: one request a
 * connection, which ends with the answer or after LIFE_S.
 */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "message.h"
#include "route.h"
#include "server.h"

enum {
    LIFE_S = 60,
    HEAD_MAX = 4096,
    PLAIN_BODY_MAX = 4096
};

struct plain {
    struct task task; /* the first: the pool hands it back */
    struct exchange x;
    struct loop *loop;
    struct bufferevent *bev;
    struct event *timer;
    struct plain *next; /* among the loop's connections */
    struct plain **at;
    struct plain *next_reply;
    struct in6_addr ip;
    int64_t began_ms;
    enum evhttp_cmd_type method;
    bool head;  /* it was read */
    bool busy;  /* the pool has it */
    bool gone;  /* nobody is there to be answered */
    bool ended; /* the answer is being sent */
    size_t body_len;
    char peer[INET6_ADDRSTRLEN];
    char *path;
    uint8_t *body;
};

/* ---- its life ---------------------------------------------------------- */

static void free_plain(struct plain *p)
{
    struct server *server = p->loop->server;

    *p->at = p->next;
    if (p->next)
        p->next->at = p->at;
    connection_uncount(server, &p->ip);
    atomic_fetch_sub(&server->connections, 1);
    exchange_clear(&p->x);
    bufferevent_free(p->bev);
    event_free(p->timer);
    free(p->path);
    free(p->body);
    free(p);
}

/* The pool's thread may have it still. */
static void end(struct plain *p)
{
    if (p->busy) {
        p->gone = true;
        (void)bufferevent_disable(p->bev, EV_READ | EV_WRITE);
    } else {
        free_plain(p);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    end(arg);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    (void)what;
    end(arg);
}

static void on_write(struct bufferevent *bev, void *arg)
{
    struct plain *p = arg;

    (void)bev;
    if (p->ended)
        end(p);
}

/* ---- answers ----------------------------------------------------------- */

static void send_head(struct plain *p, const char *type, size_t len)
{
    const struct exchange *x = &p->x;
    struct evbuffer *out = bufferevent_get_output(p->bev);
    const struct log_request request = {p->peer, route_method(p->method),
                                        p->path, p->began_ms};

    log_answer(&request, x);
    p->ended = true;
    (void)evbuffer_add_printf(
        out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n",
        x->status, x->status == 200 ? "OK" : "Refused", type, len);
    if (x->max_age_s > 0 && x->status == 200)
        (void)evbuffer_add_printf(out, "Cache-Control: public, max-age=%u\r\n",
                                  x->max_age_s);
    (void)evbuffer_add_printf(out, "Connection: close\r\n\r\n");
}

static void send_answer(struct plain *p)
{
    const struct exchange *x = &p->x;
    struct evbuffer *out = bufferevent_get_output(p->bev);

    if (x->bytes) {
        send_head(p, x->type, x->bytes_len);
        (void)evbuffer_add(out, x->bytes, x->bytes_len);
    } else {
        char *text = x->answer ? json_dumps(x->answer, JSON_COMPACT) : NULL;
        send_head(p, "application/json", text ? strlen(text) : 0);
        (void)evbuffer_add(out, text ? text : "", text ? strlen(text) : 0);
        free(text);
    }
}

static void drop_list(const void *data, size_t len, void *arg)
{
    (void)data;
    (void)len;
    crl_list_free(arg);
}

static void send_list(struct plain *p, unsigned long number)
{
    struct crl_list *list = crl_get(p->loop->server->crl, number);

    if (!list) {
        (void)exchange_refuse(&p->x, 404, "path",
                              "there is no list of revoked certificates %lu",
                              number);
        send_answer(p);
        return;
    }
    p->x.status = 200;
    send_head(p, "application/pkix-crl", list->len);
    if (evbuffer_add_reference(bufferevent_get_output(p->bev), list->der,
                               list->len, drop_list, list))
        crl_list_free(list);
}

void plain_send_replies(struct loop *loop)
{
    struct plain *p;

    pthread_mutex_lock(&loop->lock);
    p = loop->plain_replies;
    loop->plain_replies = NULL;
    pthread_mutex_unlock(&loop->lock);
    while (p) {
        struct plain *next = p->next_reply;
        p->busy = false;
        if (p->gone)
            free_plain(p);
        else
            send_answer(p);
        atomic_fetch_sub(&loop->server->pending, 1);
        p = next;
    }
}

/* ---- the request ------------------------------------------------------- */

/* In the pool's thread. */
static void run_step(struct task *task)
{
    struct plain *p = (struct plain *)(void *)task;
    struct loop *loop = p->loop;

    (void)p->x.next(&p->x); /* nothing is written for OCSP */
    pthread_mutex_lock(&loop->lock);
    p->next_reply = loop->plain_replies;
    loop->plain_replies = p;
    pthread_mutex_unlock(&loop->lock);
    event_active(loop->wake, EV_TIMEOUT, 0);
}

static void begin(struct plain *p, exchange_step *step)
{
    struct server *server = p->loop->server;

    p->x.next = step;
    p->task.run = run_step;
    p->busy = true;
    atomic_fetch_add(&server->pending, 1);
    if (pool_submit(server->pool, &p->task))
        return;
    p->busy = false;
    atomic_fetch_sub(&server->pending, 1);
    (void)exchange_refuse(&p->x, 503, "busy",
                          "the station has too much to do; ask again");
    send_answer(p);
}

static void dispatch(struct plain *p)
{
    const struct route *route;
    unsigned long number = 0;

    (void)bufferevent_disable(p->bev, EV_READ);
    if (route_crl(p->path, &number) && p->method == EVHTTP_REQ_GET) {
        send_list(p, number);
        return;
    }
    route = route_ocsp(p->path, p->method, &p->x);
    if (route && route->method == p->method) {
        begin(p, route->step);
        return;
    }
    if (route)
        (void)exchange_refuse(&p->x, 405, "method", "this path takes %s alone",
                              route_method(route->method));
    else
        (void)exchange_refuse(&p->x, 404, "path",
                              "there is no such path here without TLS");
    send_answer(p);
}

static void refuse(struct plain *p, const char *why)
{
    (void)bufferevent_disable(p->bev, EV_READ);
    (void)exchange_refuse(&p->x, 400, "malformed", "%s", why);
    send_answer(p);
}

/* "GET /ocsp/... HTTP/1.1" */
static bool take_line(struct plain *p, char *line)
{
    char *path = strchr(line, ' ');
    char *version = path ? strchr(path + 1, ' ') : NULL;

    if (!version || path[1] != '/' ||
        (strcmp(version, " HTTP/1.1") != 0 &&
         strcmp(version, " HTTP/1.0") != 0))
        return false;
    *path++ = '\0';
    *version = '\0';
    path[strcspn(path, "?#")] = '\0';
    p->method = strcmp(line, "POST") == 0  ? EVHTTP_REQ_POST
                : strcmp(line, "GET") == 0 ? EVHTTP_REQ_GET
                                           : EVHTTP_REQ_OPTIONS;
    p->path = strdup(path);
    return p->path != NULL;
}

/* A sentence; NULL: the header is well, or none that counts. */
static const char *take_header(struct plain *p, const char *line)
{
    static const char length[] = "Content-Length:";
    const char *value = line + sizeof(length) - 1;
    char *after = NULL;

    if (strncasecmp(line, "Transfer-Encoding:", 18) == 0)
        return "a body comes with Content-Length alone";
    if (strncasecmp(line, length, sizeof(length) - 1) != 0)
        return NULL;
    value += strspn(value, " ");
    if (p->body_len > 0 || *value < '0' || *value > '9' || strlen(value) > 9)
        return "Content-Length is no number, or there is more than one";
    p->body_len = strtoul(value, &after, 10);
    if (*after != '\0' || p->body_len > PLAIN_BODY_MAX)
        return "the body is too large for a request of OCSP";
    return NULL;
}

/* A sentence; NULL: the head is read. */
static const char *read_head(struct plain *p, struct evbuffer *in)
{
    const char *why = NULL;
    char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF_STRICT);

    if (!line || !take_line(p, line))
        why = "this is no request of HTTP/1.0 or 1.1";
    free(line);
    while (!why &&
           (line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF_STRICT)) &&
           *line != '\0') {
        why = take_header(p, line);
        free(line);
        line = NULL;
    }
    if (!why)
        free(line);
    p->head = true;
    return why;
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct plain *p = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    const char *why = NULL;

    if (!p->head) {
        if (evbuffer_search(in, "\r\n\r\n", 4, NULL).pos >= 0)
            why = read_head(p, in);
        else if (evbuffer_get_length(in) >= HEAD_MAX)
            why = "the headers are too large";
        else
            return;
    }
    if (why) {
        refuse(p, why);
        return;
    }
    if (evbuffer_get_length(in) < p->body_len)
        return;
    p->body = malloc(p->body_len + 1);
    if (!p->body) {
        end(p);
        return;
    }
    (void)evbuffer_remove(in, p->body, p->body_len);
    p->x.body = (struct devid_bytes){p->body, p->body_len};
    dispatch(p);
}

/* ---- connections ------------------------------------------------------- */

static struct plain *new_plain(struct loop *loop, evutil_socket_t fd)
{
    const struct timeval life = {.tv_sec = LIFE_S};
    struct plain *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->loop = loop;
    p->began_ms = now_ms();
    p->x.context = loop->server->context;
    p->timer = evtimer_new(loop->base, on_timer, p);
    p->bev = bufferevent_socket_new(loop->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (p->timer && p->bev && event_add(p->timer, &life) == 0)
        return p;
    if (p->timer)
        event_free(p->timer);
    if (p->bev)
        bufferevent_free(p->bev);
    free(p);
    return NULL;
}

void plain_accept(struct evconnlistener *listener, evutil_socket_t fd,
                  struct sockaddr *address, int len, void *arg)
{
    struct loop *loop = arg;
    struct server *server = loop->server;
    const struct config *config = &server->context->config;
    struct plain *p = NULL;

    (void)listener;
    (void)address;
    (void)len;
    if (atomic_load(&server->connections) < config->connections)
        p = new_plain(loop, fd);
    if (!p) {
        evutil_closesocket(fd);
        return;
    }
    atomic_fetch_add(&server->connections, 1);
    p->at = &loop->plains;
    p->next = loop->plains;
    if (p->next)
        p->next->at = &p->next;
    loop->plains = p;
    connection_address(fd, &p->ip);
    (void)inet_ntop(AF_INET6, &p->ip, p->peer, sizeof(p->peer));
    p->x.peer = p->peer;
    bufferevent_setcb(p->bev, on_read, on_write, on_event, p);
    bufferevent_setwatermark(p->bev, EV_READ, 0, HEAD_MAX + PLAIN_BODY_MAX);
    if (connection_count(server, &p->ip) > config->address_connections ||
        bufferevent_enable(p->bev, EV_READ | EV_WRITE))
        free_plain(p);
}

void plain_close_all(struct loop *loop)
{
    struct plain *next;

    for (struct plain *p = loop->plains; p; p = next) {
        next = p->next;
        free_plain(p);
    }
}
