/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who counts as one client where there are limits: an address of IPv4, in
 * IPv6's form (::ffff:192.0.2.1) whichever socket it comes by, or the first 64
 * bits of one of IPv6, since all the others are one client's.
 */
#ifndef DEVID_STATION_CLIENT_H
#define DEVID_STATION_CLIENT_H

#include <netinet/in.h>
#include <sys/socket.h>

/* Of a peer's address; what is none is the client ::. */
struct in6_addr client_of_peer(const struct sockaddr_storage *peer);
/* Of one as text, or NULL. A zone behind '%' is this host's affair. */
struct in6_addr client_of_text(const char *peer);

#endif
