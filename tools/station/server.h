/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The station's server: HTTP/1.1 on libevent's evhttp, over TLS and, for what
 * is signed and asked for in no other way, without; in several loops with a
 * socket each on one port. A loop reads, checks and writes; what takes longer
 * is the pool's and the ledger's.
 */
#ifndef DEVID_STATION_SERVER_H
#define DEVID_STATION_SERVER_H

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "context.h"
#include "crl.h"
#include "exchange.h"
#include "fleet.h"
#include "pool.h"

enum {
    BODY_MAX = 64 * 1024,
    PLAIN_BODY_MAX = 4 * 1024, /* of OCSP */
    HEADERS_MAX = 8 * 1024,
    IDLE_S = 10,     /* without a byte */
    PLAIN_S = 60,    /* a whole connection without TLS */
    REQUEST_S = 15,  /* from the first byte to a whole request */
    REPLY_S = 60,    /* until an answer is taken */
    SLOW_LOOPS = 16, /* where a device signs handshakes */
    FULL_MS = 200,   /* before more is accepted, where there is no room */
    ADDRESS_BUCKETS = 1024
};

struct server;
struct request;

/* How one comes in. */
enum door {
    DOOR_TLS,
    DOOR_PLAIN,
    DOORS
};

struct loop {
    struct server *server;
    pthread_t thread;
    bool started;
    struct event_base *base;
    struct evhttp *http[DOORS]; /* NULL: that door is shut */
    struct evconnlistener *listener[DOORS];
    struct event *wake;   /* replies wait */
    struct event *resume; /* accept again */
    struct event *quit;
    pthread_mutex_t lock; /* guards the replies */
    struct request *replies;
};

/* How many connections an address has. */
struct address {
    struct in6_addr ip; /* of IPv4 mapped */
    unsigned count;
    struct address *next;
};

struct server {
    struct context *context;
    pthread_mutex_t tls_lock; /* guards tls */
    SSL_CTX *tls;
    struct stat tls_files[2]; /* certificate and key, as they were read */
    struct pool *pool;
    struct crl *crl;
    struct fleet *fleet;
    int64_t ocsp_look_ms; /* not before */
    bool unsigned_log;    /* and that was said */
    unsigned loop_count;
    struct loop *loops;
    atomic_uint connections;
    atomic_uint pending; /* requests that are not answered yet */
    pthread_mutex_t addresses_lock;
    struct address *addresses[ADDRESS_BUCKETS];
};

/* ---- listener.c -------------------------------------------------------- */

/* Bind the port and prepare the loops. Prints the sentence on failure. */
enum exit_code server_listen(struct server *server);
/* Start the loops' threads. */
enum exit_code server_start(struct server *server);
/* Accept no more, wait for what is pending, for at most `seconds`, and end. */
void server_stop(struct server *server, unsigned seconds);
void server_close(struct server *server);

/* ---- connection.c ------------------------------------------------------ */

/* Once, before the first of them. */
bool connection_index(void);
/* evhttp's callbacks for a new connection; `arg` is the loop. */
struct bufferevent *connection_new(struct event_base *base, void *arg);
struct bufferevent *connection_new_plain(struct event_base *base, void *arg);
/* Of a request; NULL where it is closed, or without TLS: there it has one
 * deadline, and is closed where its address has too many. */
struct connection;
struct connection *connection_of(struct evhttp_request *req);
/* A request came in whole: no deadline until it is answered. */
void connection_arrived(struct connection *connection);
/* It is being answered, or was: from here on, the next deadline. */
void connection_deadline(struct connection *connection, unsigned seconds);
/* Has its address too many connections? */
bool connection_is_over(const struct connection *connection);
/* TLS 1.2's tls-unique (RFC 5929), of at most EVP_MAX_MD_SIZE bytes; 0: the
 * connection has none. */
size_t connection_unique(const struct connection *connection, uint8_t *unique);
/* The client's certificate in DER, OPENSSL_free; 0 where it has none. */
size_t connection_cert(const struct connection *connection, uint8_t **der);

/* ---- tls.c ------------------------------------------------------------- */

/* The TLS settings of all loops. Prints the sentence on failure. */
enum exit_code tls_open(struct server *server);
/* Read the server's certificate and key again, where the files are others or
 * somebody has asked. What does not serve is said, and changes nothing. */
void tls_refresh(struct server *server, bool asked);
/* For a new connection; the caller frees it. From any thread. */
SSL_CTX *tls_now(struct server *server);
void tls_close(struct server *server);

/* ---- request.c --------------------------------------------------------- */

/* evhttp's callbacks for a request; `arg` is the loop. */
void request_handle(struct evhttp_request *req, void *arg);
void request_handle_plain(struct evhttp_request *req, void *arg);
/* Replies that other threads have left for a loop. */
void request_send_replies(struct loop *loop);

/* ---- log.c ------------------------------------------------------------- */

/* One line of JSON on standard output; takes over `line`. */
void log_line(json_t *line);
/* The line of a request that is being answered. */
struct log_request {
    const char *peer;
    const char *method;
    const char *path;
    int64_t began_ms;
};
void log_answer(const struct log_request *request, const struct exchange *x);

#endif
