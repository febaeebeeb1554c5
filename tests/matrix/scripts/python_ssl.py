# SPDX-License-Identifier: Apache-2.0
"""Python's ssl as a server in threads, in processes or in asyncio, and as a
client by urllib, asyncio, requests or aiohttp.

python_ssl.py MODE server|client CERT KEY CA PORT [VERSION]
"""
import asyncio
import http.server
import os
import socketserver
import ssl
import sys
import urllib.request

mode, role, cert, key, ca, port, *version = sys.argv[1:]
URL = f"https://localhost:{port}/"
ANSWER = b"HTTP/1.0 200 OK\r\n\r\nserved\n"


def context():
    purpose = ssl.Purpose.CLIENT_AUTH if role == "server" else \
        ssl.Purpose.SERVER_AUTH
    made = ssl.create_default_context(purpose, cafile=ca)
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_cert_chain(cert, key)
    if version:
        made.minimum_version = made.maximum_version = {
            "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3,
        }[version[0]]
    return made


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"served\n")


def serve(mixin):
    class Server(mixin, http.server.HTTPServer):
        # The handshake belongs to the thread or process of the connection.
        def finish_request(self, request, client_address):
            with tls.wrap_socket(request, server_side=True) as wrapped:
                super().finish_request(wrapped, client_address)

    tls = context()
    Server(("127.0.0.1", int(port)), Handler).serve_forever()


async def serve_asyncio():
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", int(port),
                                        ssl=context())
    await server.serve_forever()


async def ask_asyncio():
    reader, writer = await asyncio.open_connection(
        "localhost", int(port), ssl=context())
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    print((await reader.read()).decode())


async def ask_aiohttp():
    import aiohttp

    async with aiohttp.ClientSession() as session:
        async with session.get(URL, ssl=context()) as response:
            print(await response.text())


def ask_requests():
    import requests

    print(requests.get(URL, cert=(cert, key), verify=ca, timeout=20).text)


def ask_urllib():
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=context()))
    print(opener.open(URL, timeout=20).read().decode())


os.environ["no_proxy"] = "*"
{
    ("server", "threads"): lambda: serve(socketserver.ThreadingMixIn),
    ("server", "forks"): lambda: serve(socketserver.ForkingMixIn),
    ("server", "asyncio"): lambda: asyncio.run(serve_asyncio()),
    ("client", "urllib"): ask_urllib,
    ("client", "asyncio"): lambda: asyncio.run(ask_asyncio()),
    ("client", "requests"): ask_requests,
    ("client", "aiohttp"): lambda: asyncio.run(ask_aiohttp()),
}[role, mode]()
