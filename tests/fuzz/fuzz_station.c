/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request to a station, whoever sends it: a line with letters of what it
 * shows, a blank and a path with its query; behind it the body. In the path @
 * is the unit's id, ^ and ~ are those of its LDevIDs; a form that begins with @
 * has a token of its page.
 *
 *     i, l, o  the certificate of the unit, of its LDevID, of an operator
 *     t        the batch's token
 *     b        a user's name and secret
 *     a        what the body's first line says in the place of these
 */
#include "fuzz.h"

#include "fake_line.h"
#include "fleet_page.h"
#include "route.h"
#include "utf8.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

enum {
    RUNS = 500, /* on one ledger */
    PATH_SIZE = 600,
};

struct asked {
    char who[16];
    char path[PATH_SIZE];
    char *query; /* in path */
    char *basic;
    char *body;
    size_t len;
};

/* ---- the request ------------------------------------------------------------
 */

static const char *id_of(const struct fake_line *line, char c)
{
    switch (c) {
    case '@':
        return line->unit.id;
    case '^':
        return line->ldevid.id;
    case '~':
        return line->pending;
    default:
        return NULL;
    }
}

static void put_path(const struct fake_line *line, struct asked *asked,
                     const char *text, size_t len)
{
    size_t used = 0;

    for (size_t i = 0; i < len && text[i] != '\0'; i++) {
        const char *id = id_of(line, text[i]);
        char one[] = {text[i], '\0'};
        if (id == NULL)
            id = one;
        if (used + strlen(id) >= sizeof(asked->path))
            break;
        memcpy(asked->path + used, id, strlen(id));
        used += strlen(id);
    }
    asked->path[used] = '\0';
    asked->query = strchr(asked->path, '?');
    if (asked->query != NULL)
        *asked->query++ = '\0';
}

/* Behind the line of who asks and for what. */
static void put_body(struct asked *asked, const char *text, size_t len)
{
    const char *end = memchr(text, '\n', len);

    if (strchr(asked->who, 'a') != NULL && end != NULL) {
        asked->basic = OPENSSL_strndup(text, (size_t)(end - text));
        must(asked->basic != NULL);
        len -= (size_t)(end - text) + 1;
        text = end + 1;
    }
    asked->body = malloc(len + FLEET_TOKEN_SIZE + sizeof("token=&"));
    must(asked->body != NULL);
    memcpy(asked->body, text, len);
    asked->len = len;
}

static int read_input(const struct fake_line *line, const char *text,
                      size_t len, struct asked *asked)
{
    const char *end = len > 0 ? memchr(text, '\n', len) : NULL;
    const char *blank = end ? memchr(text, ' ', (size_t)(end - text)) : NULL;

    *asked = (struct asked){.query = NULL};
    if (blank == NULL || (size_t)(blank - text) >= sizeof(asked->who))
        return 0;
    memcpy(asked->who, text, (size_t)(blank - text));
    put_path(line, asked, blank + 1, (size_t)(end - blank) - 1);
    put_body(asked, end + 1, len - (size_t)(end - text) - 1);
    return 1;
}

static void show(const struct fake_line *line, const struct asked *asked,
                 struct exchange *x, uint8_t **operator_der)
{
    const char *who = asked->who;
    const struct ledger_blob *own = NULL;
    int len;

    if (strchr(who, 'i') != NULL)
        own = &line->unit.idevid_cert;
    else if (strchr(who, 'l') != NULL)
        own = &line->ldevid.cert;
    if (own != NULL)
        x->client_cert = (struct devid_bytes){own->data, own->len};
    if (own == NULL && strchr(who, 'o') != NULL) {
        len = i2d_X509(line->operator_cert, operator_der);
        must(len > 0);
        x->client_cert = (struct devid_bytes){*operator_der, (size_t)len};
    }
    if (strchr(who, 't') != NULL)
        x->token = LINE_TOKEN;
    x->basic = asked->basic;
    if (asked->basic == NULL && strchr(who, 'b') != NULL)
        x->basic = "dTpzZWNyZXQ="; /* LINE_USER */
}

/* A page of this station made the form. */
static void put_token(const struct exchange *x, struct asked *asked)
{
    char token[FLEET_TOKEN_SIZE];
    char text[FLEET_TOKEN_SIZE + sizeof("token=&")];
    int len;

    if (!x->page.wanted || asked->len == 0 || asked->body[0] != '@')
        return;
    fleet_token(x, token);
    len = snprintf(text, sizeof(text), "token=%s&", token);
    memmove(asked->body + len, asked->body + 1, asked->len - 1);
    memcpy(asked->body, text, (size_t)len);
    asked->len += (size_t)len - 1;
}

/* ---- what comes of it -------------------------------------------------------
 */

static void check(const struct exchange *x, const struct asked *asked,
                  const struct route *route)
{
    const int shows = strpbrk(asked->who, "ilotba") != NULL;

    must(x->status >= 200 && x->status < 600);
    must(x->status < 400 || x->code[0] != '\0');
    must(utf8_is_clean(x->code));
    /* Nothing but an OCSP request changes or shows anything for nobody. */
    must(shows || x->status / 100 != 2 || route->method == EVHTTP_REQ_GET ||
         route->step == exchange_ocsp);
}

static void ask(const struct fake_line *line, struct asked *asked)
{
    struct exchange x = {.context = &line->context,
                         .peer = "192.0.2.7",
                         .fleet = line->fleet,
                         .query = asked->query ? asked->query : ""};
    enum evhttp_cmd_type method =
        asked->len > 0 ? EVHTTP_REQ_POST : EVHTTP_REQ_GET;
    const struct route *route = route_ocsp(asked->path, method, &x);
    uint8_t *operator_der = NULL;
    unsigned long list;

    (void)route_crl(asked->path, &list);
    if (route == NULL)
        route = route_find(asked->path, &x);
    if (route != NULL) {
        show(line, asked, &x, &operator_der);
        put_token(&x, asked);
        x.body = (struct devid_bytes){(uint8_t *)asked->body, asked->len};
        x.next = route->step;
        exchange_drive(&x);
        if (x.page.wanted && x.code[0] != '\0')
            fleet_refusal(&x);
        check(&x, asked, route);
    }
    exchange_clear(&x);
    OPENSSL_free(operator_der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fake_line *line;
    static unsigned runs;
    struct asked asked;

    if (runs++ % RUNS == 0)
        line = fake_line_begin();
    if (read_input(line, (const char *)data, size, &asked))
        ask(line, &asked);
    OPENSSL_free(asked.basic);
    free(asked.body);
    must_leave_no_error();
    return 0;
}
