# SPDX-License-Identifier: Apache-2.0
"""A mail server that takes mail after STARTTLS alone, from clients that have a
certificate. smtp_peer.py CERT KEY CA PORT VERSION"""
import socket
import ssl
import sys
import threading

cert, key, ca, port, version = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
context.verify_mode = ssl.CERT_REQUIRED
context.load_cert_chain(cert, key)
context.minimum_version = context.maximum_version = {
    "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]


def talk(connection):
    """One client, until it quits or starts TLS; then the socket to go on."""
    lines = connection.makefile("rwb", buffering=0)
    secure = isinstance(connection, ssl.SSLSocket)
    if not secure:
        lines.write(b"220 localhost ESMTP\r\n")
    while True:
        word = lines.readline().strip().upper()
        if word.startswith(b"EHLO"):
            lines.write(b"250 localhost\r\n" if secure else
                        b"250-localhost\r\n250 STARTTLS\r\n")
        elif word == b"STARTTLS":
            lines.write(b"220 go on\r\n")
            return context.wrap_socket(connection, server_side=True)
        elif word == b"DATA" and secure:
            lines.write(b"354 go on\r\n")
            while lines.readline() != b".\r\n":
                pass
            lines.write(b"250 taken\r\n")
        elif word == b"QUIT" or not word:
            lines.write(b"221 bye\r\n")
            return None
        else:
            lines.write(b"250 fine\r\n" if secure else b"530 TLS first\r\n")


def serve(connection):
    while connection:
        connection = talk(connection)


listener = socket.create_server(("127.0.0.1", int(port)))
while True:
    threading.Thread(target=serve, args=listener.accept()[:1]).start()
