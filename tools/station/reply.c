/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers, from an exchange to evhttp. What a request was about is one line of
 * the log.
 */
#include <event2/buffer.h>
#include <event2/http.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

void request_free(struct request *r)
{
    exchange_clear(&r->x);
    free(r->peer);
    if (r->token)
        OPENSSL_cleanse(r->token, strlen(r->token));
    free(r->token);
    if (r->basic)
        OPENSSL_cleanse(r->basic, strlen(r->basic));
    free(r->basic);
    free(r->path);
    free(r->query);
    OPENSSL_free(r->cert);
    free(r->body);
    free(r);
}

static void log_request(const struct request *r)
{
    const struct log_request request = {r->peer, r->method, r->path,
                                        r->began_ms};

    log_answer(&request, &r->x);
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
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 303:
        return "See Other";
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

/* The sentence of a refusal; of what went wrong here, not what the log has. */
static const char *sentence_of(const struct exchange *x)
{
    const char *text = json_string_value(
        json_object_get(json_object_get(x->answer, "error"), "message"));

    return text ? text : "";
}

/* What an exchange answers, and its type; NULL: nothing. */
static const char *put_answer(const struct exchange *x, struct evbuffer *body)
{
    char *text;

    if (x->bytes) {
        (void)evbuffer_add(body, x->bytes, x->bytes_len);
        return x->type;
    }
    if (!x->answer)
        return NULL;
    if (x->plain) {
        (void)evbuffer_add_printf(body, "%s\n", sentence_of(x));
        return "text/plain; charset=utf-8";
    }
    text = json_dumps(x->answer, JSON_COMPACT);
    if (text)
        (void)evbuffer_add_printf(body, "%s\n", text);
    free(text);
    return "application/json";
}

static void add_headers(struct request *r, const char *type)
{
    const struct exchange *x = &r->x;
    char value[48];

    if (type)
        add_header(r, "Content-Type", type);
    /* What RFC 8951 calls superfluous; clients from before it look for it. */
    if (x->bytes && x->plain)
        add_header(r, "Content-Transfer-Encoding", "base64");
    if (x->plain && x->status == 401)
        add_header(r, "WWW-Authenticate", "Basic realm=\"EST\"");
    if (x->retry_s > 0) {
        snprintf(value, sizeof(value), "%u", x->retry_s);
        add_header(r, "Retry-After", value);
    }
    if (!r->closing)
        return;
    /* What HTTP/1.0 asks for would be promised besides. */
    (void)evhttp_remove_header(evhttp_request_get_input_headers(r->req),
                               "Connection");
    add_header(r, "Connection", "close");
}

static void add_cache_control(struct request *r)
{
    const struct exchange *x = &r->x;
    char value[48] = "no-store";

    if (x->page.keeps)
        snprintf(value, sizeof(value), "max-age=300");
    else if (x->max_age_s > 0 && x->status == 200)
        snprintf(value, sizeof(value), "public, max-age=%u", x->max_age_s);
    add_header(r, "Cache-Control", value);
}

/*
 * Nothing runs, is loaded or is sent but by the station's own paths; no other
 * site shows the page in a frame, or learns from where somebody came.
 */
static void add_page_headers(struct request *r)
{
    static const struct {
        const char *name;
        const char *value;
    } rows[] = {
        {"Content-Security-Policy",
         "default-src 'none'; style-src 'self'; script-src 'self'; "
         "connect-src 'self'; img-src 'self'; form-action 'self'; "
         "base-uri 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        add_header(r, rows[i].name, rows[i].value);
    if (r->x.page.location[0])
        add_header(r, "Location", r->x.page.location);
}

/* HTTP/1.0 has it, too: who asks learns whether the answer is whole. */
static void add_length(struct request *r, size_t len)
{
    char value[24];

    snprintf(value, sizeof(value), "%zu", len);
    add_header(r, "Content-Length", value);
}

/* Frees the body and the request. */
static void send_body(struct request *r, struct evbuffer *body)
{
    if (body && evbuffer_get_length(body) > 0)
        add_length(r, evbuffer_get_length(body));
    log_request(r);
    connection_deadline(connection_of(r->req), REPLY_S);
    evhttp_request_set_on_complete_cb(r->req, on_complete, NULL);
    /* Where the client has gone, evhttp frees its request here. */
    evhttp_send_reply(r->req, r->x.status, reason_of(r->x.status), body);
    if (body)
        evbuffer_free(body);
    request_free(r);
}

void reply_send(struct request *r)
{
    const struct page *page = &r->x.page;
    struct evbuffer *body = evbuffer_new();

    if (page->wanted && !r->x.bytes)
        fleet_refusal(&r->x);
    add_headers(r, body ? put_answer(&r->x, body) : NULL);
    if (page->wanted)
        add_page_headers(r);
    add_cache_control(r);
    send_body(r, body);
}

static void drop_list(const void *data, size_t len, void *arg)
{
    struct crl_list *list = arg;

    (void)data;
    (void)len;
    crl_list_free(list);
}

void reply_send_list(struct request *r, struct crl_list *list)
{
    struct evbuffer *body = evbuffer_new();

    r->x.status = 200;
    if (!body ||
        evbuffer_add_reference(body, list->der, list->len, drop_list, list)) {
        r->x.status = 503;
        crl_list_free(list);
    }
    add_headers(r, "application/pkix-crl");
    send_body(r, body);
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
        reply_send(r);
        atomic_fetch_sub(&loop->server->pending, 1);
        r = next;
    }
}

/* In any thread. */
void reply_post(struct request *r)
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
