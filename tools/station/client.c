/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    PREFIX = 8 /* bytes of IPv6 */
};

static struct in6_addr of_ipv4(const struct in_addr *ip)
{
    struct in6_addr client = IN6ADDR_ANY_INIT;

    client.s6_addr[10] = client.s6_addr[11] = 0xff;
    memcpy(&client.s6_addr[12], ip, sizeof(*ip));
    return client;
}

static struct in6_addr of_ipv6(const struct in6_addr *ip)
{
    struct in6_addr client = *ip;

    if (!IN6_IS_ADDR_V4MAPPED(ip))
        memset(&client.s6_addr[PREFIX], 0, sizeof(client) - PREFIX);
    return client;
}

struct in6_addr client_of_peer(const struct sockaddr_storage *peer)
{
    const void *address = peer;

    if (peer->ss_family == AF_INET)
        return of_ipv4(&((const struct sockaddr_in *)address)->sin_addr);
    if (peer->ss_family == AF_INET6)
        return of_ipv6(&((const struct sockaddr_in6 *)address)->sin6_addr);
    return (struct in6_addr)IN6ADDR_ANY_INIT;
}

struct in6_addr client_of_text(const char *peer)
{
    char text[INET6_ADDRSTRLEN] = "";
    size_t len = peer ? strcspn(peer, "%") : 0;
    struct in6_addr ipv6;
    struct in_addr ipv4;

    if (len > 0 && len < sizeof(text))
        memcpy(text, peer, len);
    if (inet_pton(AF_INET, text, &ipv4) == 1)
        return of_ipv4(&ipv4);
    if (inet_pton(AF_INET6, text, &ipv6) == 1)
        return of_ipv6(&ipv6);
    return (struct in6_addr)IN6ADDR_ANY_INIT;
}
