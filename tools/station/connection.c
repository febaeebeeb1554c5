/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection: its deadlines, and the limits on how many there are. With TLS
 * it lives as long as its SSL object, to which it is tied; without, until
 * evhttp closes it.
 */
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client.h"
#include "server.h"

struct connection {
    struct server *server;
    struct bufferevent *bev; /* that owns the SSL object */
    SSL *ssl;                /* NULL: there is no TLS, or no room */
    struct event *timer;
    bool full;  /* there is no room for it: closed before it is read */
    bool begun; /* its address is known and counted */
    bool over;
    struct in6_addr ip;
};

static int ssl_index = -1;

/* ---- addresses --------------------------------------------------------- */

static struct address **find_address(struct server *server,
                                     const struct in6_addr *ip)
{
    struct address **at;
    unsigned hash = 0;

    for (size_t i = 0; i < sizeof(*ip); i++)
        hash = hash * 31 + ip->s6_addr[i];
    at = &server->addresses[hash % ADDRESS_BUCKETS];
    while (*at && memcmp(&(*at)->ip, ip, sizeof(*ip)) != 0)
        at = &(*at)->next;
    return at;
}

/* One connection more of a client; how many there are now. */
static unsigned count_address(struct server *server, const struct in6_addr *ip)
{
    unsigned count = 0;
    struct address **at;

    pthread_mutex_lock(&server->addresses_lock);
    at = find_address(server, ip);
    if (!*at) {
        *at = calloc(1, sizeof(**at));
        if (*at)
            (*at)->ip = *ip;
    }
    if (*at)
        count = ++(*at)->count;
    pthread_mutex_unlock(&server->addresses_lock);
    return count;
}

static void uncount_address(struct server *server, const struct in6_addr *ip)
{
    struct address **at;

    pthread_mutex_lock(&server->addresses_lock);
    at = find_address(server, ip);
    if (*at && --(*at)->count == 0) {
        struct address *gone = *at;
        *at = gone->next;
        free(gone);
    }
    pthread_mutex_unlock(&server->addresses_lock);
}

static struct in6_addr client_of(evutil_socket_t fd)
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof(peer);

    if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0)
        peer.ss_family = AF_UNSPEC;
    return client_of_peer(&peer);
}

/* ---- deadlines --------------------------------------------------------- */

static void begin(struct connection *c)
{
    unsigned count;

    c->begun = true;
    c->ip = client_of(bufferevent_getfd(c->bev));
    count = count_address(c->server, &c->ip);
    c->over = count > c->server->context->config.address_connections;
    /* Who goes on all the same does not even get the answer that says so. */
    if (count / 2 > c->server->context->config.address_connections)
        (void)shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
    connection_deadline(c, REQUEST_S);
}

static void forget(struct connection *c)
{
    if (c->begun)
        uncount_address(c->server, &c->ip);
    atomic_fetch_sub(&c->server->connections, 1);
    event_free(c->timer);
    free(c);
}

static void on_close(struct evhttp_connection *evcon, void *arg)
{
    (void)evcon;
    forget(arg);
}

/*
 * There is no SSL object to be tied to, and evhttp shows its connection to
 * nobody before there is a request: but it is what the callbacks get that
 * evhttp has set, as long as it has not closed it.
 */
static void begin_plain(struct connection *c)
{
    struct bufferevent *bev = c->bev;
    void *evcon = NULL;

    bufferevent_getcb(bev, NULL, NULL, NULL, &evcon);
    if (evcon) {
        evhttp_connection_set_closecb(evcon, on_close, c);
        begin(c);
        connection_deadline(c, PLAIN_S);
        if (c->over || c->full)
            evhttp_connection_free(evcon); /* and forgets it */
    } else {
        forget(c);
    }
    bufferevent_decref(bev);
}

/*
 * evhttp's own timeout starts anew with each byte. At the deadline the socket
 * is shut down, and evhttp closes it as if the peer had.
 */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;

    (void)fd;
    (void)what;
    if (c->begun)
        (void)shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
    else if (c->ssl)
        begin(c);
    else
        begin_plain(c);
}

void connection_deadline(struct connection *c, unsigned seconds)
{
    const struct timeval after = {.tv_sec = (time_t)seconds};

    if (c)
        (void)event_add(c->timer, &after);
}

void connection_arrived(struct connection *c)
{
    if (!c)
        return;
    (void)event_del(c->timer);
    if (!c->begun)
        begin(c);
    (void)event_del(c->timer);
}

bool connection_is_over(const struct connection *c)
{
    return c && c->over;
}

/* ---- life -------------------------------------------------------------- */

static void on_ssl_free(void *parent, void *ptr, CRYPTO_EX_DATA *data,
                        int index, long argl, void *argp)
{
    (void)parent;
    (void)data;
    (void)index;
    (void)argl;
    (void)argp;
    if (ptr)
        forget(ptr);
}

/*
 * Out of memory. For evhttp NULL means a plain connection, and a socket is put
 * into what it is given: half of a pair takes none, so that the socket is
 * closed. evhttp closes it twice, so that this is no way for what happens each
 * day: another thread's new one may have that number.
 */
static struct bufferevent *refuse(struct event_base *base)
{
    struct bufferevent *pair[2];

    if (bufferevent_pair_new(base, 0, pair))
        abort();
    bufferevent_free(pair[1]);
    return pair[0];
}

/* NULL: out of memory. */
static struct connection *make(struct loop *loop)
{
    struct server *server = loop->server;
    struct connection *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->server = server;
    c->timer = evtimer_new(loop->base, on_timer, c);
    if (!c->timer || event_priority_set(c->timer, 0)) {
        if (c->timer)
            event_free(c->timer);
        free(c);
        return NULL;
    }
    c->full = atomic_fetch_add(&server->connections, 1) >=
              server->context->config.connections;
    return c;
}

static bool make_tls(struct connection *c)
{
    SSL_CTX *tls = tls_now(c->server);

    c->ssl = SSL_new(tls);
    SSL_CTX_free(tls);
    return c->ssl && SSL_set_ex_data(c->ssl, ssl_index, c) == 1;
}

/* The socket, and so the address, is there when evhttp has returned. */
static void begin_soon(struct connection *c)
{
    event_active(c->timer, EV_TIMEOUT, 0);
}

static struct bufferevent *begin_without_tls(struct event_base *base,
                                             struct connection *c)
{
    c->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!c->bev) {
        forget(c);
        return refuse(base);
    }
    bufferevent_incref(c->bev); /* until it is begun */
    begin_soon(c);
    return c->bev;
}

struct bufferevent *connection_new_plain(struct event_base *base, void *arg)
{
    struct connection *c = make(arg);

    return c ? begin_without_tls(base, c) : refuse(base);
}

struct bufferevent *connection_new(struct event_base *base, void *arg)
{
    struct bufferevent *bev;
    struct connection *c = make(arg);

    if (!c)
        return refuse(base);
    if (c->full)
        return begin_without_tls(base, c);
    if (!make_tls(c)) {
        SSL_free(c->ssl);
        forget(c);
        return refuse(base);
    }
    bev = bufferevent_openssl_socket_new(
        base, -1, c->ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (!bev) {
        SSL_free(c->ssl);
        return refuse(base);
    }
    /* TLS without close_notify is how many clients go. */
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    c->bev = bev;
    begin_soon(c);
    return bev;
}

bool connection_index(void)
{
    ssl_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
    return ssl_index >= 0;
}

struct connection *connection_of(struct evhttp_request *req)
{
    struct evhttp_connection *evcon = evhttp_request_get_connection(req);
    struct bufferevent *bev =
        evcon ? evhttp_connection_get_bufferevent(evcon) : NULL;
    SSL *ssl = bev ? bufferevent_openssl_get_ssl(bev) : NULL;

    return ssl ? SSL_get_ex_data(ssl, ssl_index) : NULL;
}

size_t connection_cert(const struct connection *c, uint8_t **der)
{
    X509 *cert = c ? SSL_get0_peer_certificate(c->ssl) : NULL;
    int len;

    *der = NULL;
    len = cert ? i2d_X509(cert, der) : 0;
    return len > 0 ? (size_t)len : 0;
}

/* Of a handshake that is never resumed the first Finished is the client's. */
size_t connection_unique(const struct connection *c, uint8_t *unique)
{
    if (!c || SSL_version(c->ssl) != TLS1_2_VERSION)
        return 0;
    return SSL_get_peer_finished(c->ssl, unique, EVP_MAX_MD_SIZE);
}
