/* SPDX-License-Identifier: Apache-2.0 */
/* Who counts as one client, by socket addresses as the kernel gives them. */
#include "client.h"
#include "support.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* A peer of an IPv4 or an IPv6 socket, by how its address is written. */
static struct sockaddr_storage peer_at(const char *text)
{
    struct sockaddr_storage peer = {0};
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
        memcpy(&peer, &four, sizeof(four));
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
        memcpy(&peer, &six, sizeof(six));
    }
    return peer;
}

static void assert_client(const char *peer, const char *client)
{
    const struct sockaddr_storage address = peer_at(peer);
    const struct in6_addr by_peer = client_of_peer(&address);
    const struct in6_addr by_text = client_of_text(peer);
    char shown[INET6_ADDRSTRLEN] = "";

    inet_ntop(AF_INET6, &by_peer, shown, sizeof(shown));
    assert_string_equal(shown, client);
    assert_memory_equal(&by_peer, &by_text, sizeof(by_peer));
}

static void two_addresses_of_one_network_are_one_client(void **state)
{
    (void)state;
    assert_client("2001:db8:1:2::1", "2001:db8:1:2::");
    assert_client("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::");
}

static void the_next_network_is_another_one(void **state)
{
    (void)state;
    assert_client("2001:db8:1:3::1", "2001:db8:1:3::");
}

static void each_address_of_ipv4_is_a_client_by_either_socket(void **state)
{
    (void)state;
    assert_client("192.0.2.1", "::ffff:192.0.2.1");
    assert_client("::ffff:192.0.2.1", "::ffff:192.0.2.1");
    assert_client("::ffff:192.0.2.2", "::ffff:192.0.2.2");
    assert_client("127.0.0.1", "::ffff:127.0.0.1");
}

static void what_is_no_address_is_one_client_too(void **state)
{
    const struct sockaddr_storage none = {.ss_family = AF_UNIX};
    const struct in6_addr by_peer = client_of_peer(&none);
    const struct in6_addr by_text = client_of_text(NULL);

    (void)state;
    assert_true(IN6_IS_ADDR_UNSPECIFIED(&by_peer));
    assert_true(IN6_IS_ADDR_UNSPECIFIED(&by_text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_addresses_of_one_network_are_one_client),
        cmocka_unit_test(the_next_network_is_another_one),
        cmocka_unit_test(each_address_of_ipv4_is_a_client_by_either_socket),
        cmocka_unit_test(what_is_no_address_is_one_client_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
