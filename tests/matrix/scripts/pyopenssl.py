# SPDX-License-Identifier: Apache-2.0
"""pyOpenSSL. pyopenssl.py server|client CERT KEY CA PORT [VERSION]"""
import socket
import sys

from OpenSSL import SSL

role, cert, key, ca, port, *version = sys.argv[1:]
context = SSL.Context(SSL.TLS_METHOD)
context.use_certificate_file(cert)
context.use_privatekey_file(key)
context.check_privatekey()
context.load_verify_locations(ca)
context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
                   lambda _c, _x, _e, _d, ok: ok)
if version:
    wanted = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}[version[0]]
    context.set_min_proto_version(wanted)
    context.set_max_proto_version(wanted)


def read_all(tls):
    got = b""
    try:
        while True:
            got += tls.recv(4096)
    except (SSL.ZeroReturnError, SSL.SysCallError):
        return got


if role == "server":
    listener = socket.create_server(("127.0.0.1", int(port)))
    while True:
        connection, _ = listener.accept()
        tls = SSL.Connection(context, connection)
        tls.set_accept_state()
        tls.recv(4096)
        tls.sendall(b"HTTP/1.0 200 OK\r\n\r\nserved\n")
        tls.shutdown()
        connection.close()
else:
    tls = SSL.Connection(context,
                         socket.create_connection(("localhost", int(port))))
    tls.set_tlsext_host_name(b"localhost")
    tls.set_connect_state()
    tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
    print(read_all(tls).decode())
