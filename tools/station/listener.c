/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops and their sockets: each loop has one of its own on the same port,
 * among which the kernel deals connections out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/http.h>
#include <event2/thread.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "message.h"
#include "server.h"

enum {
    BACKLOG = 512,
    WAIT_MS = 20
};

/* ---- sockets ----------------------------------------------------------- */

static bool parse_address(const struct config *config, unsigned port,
                          struct sockaddr_storage *address, socklen_t *len)
{
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)address;
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)address;

    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET6, config->address, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)port);
        *len = sizeof(*six);
        return true;
    }
    memset(address, 0, sizeof(*address));
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)port);
    *len = sizeof(*four);
    return inet_pton(AF_INET, config->address, &four->sin_addr) == 1;
}

/* A connection's socket inherits TCP_NODELAY from the one that listens. */
static int open_socket(const struct sockaddr_storage *address, socklen_t len,
                       bool shared)
{
    const int on = 1;
    const int off = 0;
    int fd = socket(address->ss_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
        (!shared ||
         setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0) &&
        (address->ss_family != AF_INET6 ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0) &&
        bind(fd, (const struct sockaddr *)address, len) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    close(fd);
    return -1;
}

/*
 * Sockets that share a port also share it with another station that this user
 * has started there; one that does not share finds that out.
 */
static enum exit_code check_port(const struct config *config, unsigned port,
                                 const struct sockaddr_storage *address,
                                 socklen_t len)
{
    int fd = open_socket(address, len, false);

    if (fd < 0)
        return fail("cannot listen on %s, port %u: %s", config->address, port,
                    strerror(errno));
    close(fd);
    return EXIT_DONE;
}

/* ---- a loop ------------------------------------------------------------ */

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    request_send_replies(arg);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;

    (void)fd;
    (void)what;
    for (enum door door = 0; door < DOORS; door++) {
        if (loop->listener[door])
            (void)evconnlistener_enable(loop->listener[door]);
    }
}

/*
 * Without descriptors accept fails at once, again and again: it is let be for
 * a while. The argument is evhttp's, so that the loop is looked for.
 */
static struct server *the_server;

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    const struct timeval later = {.tv_usec = FULL_MS * 1000L};

    (void)arg;
    for (unsigned i = 0; i < the_server->loop_count; i++) {
        struct loop *loop = &the_server->loops[i];
        if (loop->listener[DOOR_TLS] != listener &&
            loop->listener[DOOR_PLAIN] != listener)
            continue;
        (void)evconnlistener_disable(listener);
        (void)event_add(loop->resume, &later);
    }
}

static void on_quit(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;

    (void)fd;
    (void)what;
    (void)event_base_loopbreak(loop->base);
}

enum {
    LISTEN_FLAGS =
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_THREADSAFE
};

static const struct {
    struct bufferevent *(*accept)(struct event_base *base, void *loop);
    void (*handle)(struct evhttp_request *req, void *loop);
    int body_max;
} doors[DOORS] = {
    [DOOR_TLS] = {connection_new, request_handle, BODY_MAX},
    [DOOR_PLAIN] = {connection_new_plain, request_handle_plain, PLAIN_BODY_MAX},
};

/* The socket listens already, so that libevent need not. */
static bool open_door(struct loop *loop, enum door door, int fd)
{
    struct evhttp *http = evhttp_new(loop->base);
    struct evconnlistener *listener =
        evconnlistener_new(loop->base, NULL, NULL, LISTEN_FLAGS, 0, fd);

    loop->http[door] = http;
    loop->listener[door] = listener;
    if (!http || !listener)
        return false;
    evhttp_set_bevcb(http, doors[door].accept, loop);
    evhttp_set_gencb(http, doors[door].handle, loop);
    evhttp_set_timeout(http, IDLE_S);
    evhttp_set_max_headers_size(http, HEADERS_MAX);
    evhttp_set_max_body_size(http, doors[door].body_max);
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST |
                                         EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
                                         EVHTTP_REQ_DELETE |
                                         EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
    if (!evhttp_bind_listener(http, listener))
        return false;
    evconnlistener_set_error_cb(listener, on_accept_error);
    return true;
}

static bool prepare(struct loop *loop)
{
    pthread_mutex_init(&loop->lock, NULL);
    loop->base = event_base_new();
    /* A new connection is begun before any of its bytes is read. */
    if (!loop->base || event_base_priority_init(loop->base, 2))
        return false;
    loop->wake = event_new(loop->base, -1, EV_PERSIST, on_wake, loop);
    loop->quit = event_new(loop->base, -1, EV_PERSIST, on_quit, loop);
    loop->resume = evtimer_new(loop->base, on_resume, loop);
    return loop->wake && loop->quit && loop->resume;
}

/* A socket of its own for each loop, all on one port. */
static enum exit_code listen_on(struct server *server, unsigned port,
                                enum door door)
{
    const struct config *config = &server->context->config;
    struct sockaddr_storage address;
    enum exit_code code;
    socklen_t len;

    if (!parse_address(config, port, &address, &len))
        return fail("address in [server] is a number such as 0.0.0.0 or ::, "
                    "not '%s'",
                    config->address);
    code = check_port(config, port, &address, len);
    if (code != EXIT_DONE)
        return code;
    for (unsigned i = 0; i < server->loop_count; i++) {
        int fd = open_socket(&address, len, true);
        if (fd < 0)
            return fail("cannot listen on %s, port %u: %s", config->address,
                        port, strerror(errno));
        if (!open_door(&server->loops[i], door, fd))
            return fail("libevent cannot be set up");
    }
    return EXIT_DONE;
}

enum exit_code server_listen(struct server *server)
{
    const struct config *config = &server->context->config;
    enum exit_code code;

    the_server = server;
    if (evthread_use_pthreads())
        die_no_memory();
    server->loops = calloc(server->loop_count, sizeof(*server->loops));
    if (!server->loops)
        die_no_memory();
    for (unsigned i = 0; i < server->loop_count; i++) {
        server->loops[i].server = server;
        if (!prepare(&server->loops[i]))
            return fail("libevent cannot be set up");
    }
    code = listen_on(server, config->port, DOOR_TLS);
    if (code == EXIT_DONE && config->http_port > 0)
        code = listen_on(server, config->http_port, DOOR_PLAIN);
    return code;
}

static void *run(void *arg)
{
    struct loop *loop = arg;

    (void)event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

enum exit_code server_start(struct server *server)
{
    for (unsigned i = 0; i < server->loop_count; i++) {
        struct loop *loop = &server->loops[i];
        if (pthread_create(&loop->thread, NULL, run, loop))
            return fail("a thread for the server cannot be started");
        loop->started = true;
    }
    return EXIT_DONE;
}

static void shut_doors(struct loop *loop)
{
    for (enum door door = 0; door < DOORS; door++) {
        if (loop->listener[door])
            (void)evconnlistener_disable(loop->listener[door]);
    }
}

void server_stop(struct server *server, unsigned seconds)
{
    if (!server->loops)
        return;
    for (unsigned i = 0; i < server->loop_count; i++)
        shut_doors(&server->loops[i]);
    for (unsigned waited = 0; atomic_load(&server->pending) > 0;
         waited += WAIT_MS) {
        /* What is not answered is not promised; the device asks again. */
        if (waited >= seconds * 1000)
            _exit(EXIT_FAILED);
        (void)usleep(WAIT_MS * 1000);
    }
    for (unsigned i = 0; i < server->loop_count; i++) {
        struct loop *loop = &server->loops[i];
        if (!loop->started)
            continue;
        event_active(loop->quit, EV_TIMEOUT, 0);
        pthread_join(loop->thread, NULL);
    }
}

/* Replies of requests that the end has overtaken are freed with the rest. */
static void close_loop(struct loop *loop)
{
    if (!loop->base)
        return;
    request_send_replies(loop);
    for (enum door door = 0; door < DOORS; door++) {
        if (loop->http[door])
            evhttp_free(loop->http[door]); /* and its listener */
    }
    if (loop->wake)
        event_free(loop->wake);
    if (loop->quit)
        event_free(loop->quit);
    if (loop->resume)
        event_free(loop->resume);
    event_base_free(loop->base);
    pthread_mutex_destroy(&loop->lock);
}

void server_close(struct server *server)
{
    for (unsigned i = 0; server->loops && i < server->loop_count; i++)
        close_loop(&server->loops[i]);
    free(server->loops);
    server->loops = NULL;
    tls_close(server);
}
