#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small EST server for tests, with openssl as its CA: RFC 7030.

Usage: est_server.py DIR [--tls12] [--client-required]

DIR has server.pem and server.key for TLS, clients.pem whose holders may come,
and the CA: ca.pem, ca.key. It listens on 127.0.0.1, at the port that it writes
to DIR/port; with DIR/want-port, at that one.

DIR/mode says how it behaves, read anew for each request, a line a word:
    wrap              base64 in lines of 64
    binary            DER instead of base64
    lifetime=SECONDS  of certificates, 3600; begun=SECONDS ago
    user=NAME:SECRET  is asked of who has no certificate
    pending=N,SECONDS 202 and Retry-After, N times for each request
    status=CODE       instead of an enrolment
    garbage, type, empty, cut, otherkey, otherroot, expired
                      what is wrong with an enrolment's answer
    attrs=HEX         what csrattrs answers
    cacerts=WORD      garbage: what is wrong with that
    hold=PATH         a request for that is held back while DIR/hold is there;
                      DIR/held says so
    drop=PATH         it is carried out, and the connection ends without answer

DIR/log has a line a request: path, subject of the client, user, the TLS version
and a digest of what was sent.
"""
import base64
import hashlib
import http.server
import os
import socket
import ssl
import subprocess
import sys
import threading
import time

ROOT = sys.argv[1]
LOCK = threading.Lock()
SEEN = {}


def path_of(name):
    return os.path.join(ROOT, name)


def mode():
    try:
        with open(path_of("mode")) as file:
            lines = file.read().split("\n")
    except FileNotFoundError:
        return {}
    return dict((line + "=").split("=")[:2] for line in lines if line)


def openssl(*arguments, data=None):
    environment = dict(os.environ, OPENSSL_CONF="/dev/null")
    run = subprocess.run(["openssl", *arguments], input=data, check=True,
                         env=environment, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    return run.stdout


def when(seconds):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))


CONF = """[ca]
default_ca = c
[c]
database = {d}/index
new_certs_dir = {d}
certificate = {d}/ca.pem
private_key = {d}/ca.key
rand_serial = yes
unique_subject = no
default_md = sha256
copy_extensions = copy
policy = p
x509_extensions = e
[p]
commonName = optional
organizationName = optional
serialNumber = optional
[e]
basicConstraints = critical,CA:FALSE
"""


def issue(directory, csr, how):
    """The certificate of a request, in PEM, by the CA of a directory."""
    lifetime = int(how.get("lifetime", "3600"))
    begun = int(how.get("begun", "0"))
    if "expired" in how:
        begun = lifetime + 10
    name = os.path.join(directory, "issue-%d" % threading.get_ident())
    with open(name + ".csr", "wb") as file:
        file.write(csr)
    with LOCK:
        with open(name + ".conf", "w") as file:
            file.write(CONF.format(d=directory))
        with open(os.path.join(directory, "index"), "w"):
            pass
        openssl("ca", "-batch", "-preserveDN", "-config", name + ".conf", "-notext", "-in",
                name + ".csr", "-inform", "DER", "-out", name + ".pem",
                "-startdate", when(-begun), "-enddate", when(lifetime - begun))
    with open(name + ".pem", "rb") as file:
        return file.read()


def other_request():
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-out", path_of("other.key"))
    return openssl("req", "-new", "-key", path_of("other.key"), "-subj",
                   "/CN=other", "-outform", "DER")


def certs_only(*pems):
    name = path_of("certs-%d.pem" % threading.get_ident())
    with open(name, "wb") as file:
        file.write(b"".join(pems))
    return openssl("crl2pkcs7", "-nocrl", "-certfile", name, "-outform", "DER")


def content(name):
    with open(path_of(name), "rb") as file:
        return file.read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def setup(self):
        self.request.settimeout(30)
        try:
            self.request.do_handshake()
        except (OSError, ssl.SSLError) as error:
            print("handshake:", error, flush=True)
            self.failed = True
            self.linger()
        super().setup()

    def linger(self):
        """Read what comes, else a reset takes the alert from the client."""
        self.request = socket.socket(fileno=self.request.detach())
        self.request.settimeout(30)
        try:
            self.request.shutdown(socket.SHUT_WR)
            while self.request.recv(4096):
                pass
        except OSError:
            pass

    def handle(self):
        if not hasattr(self, "failed"):
            try:
                super().handle()
            except (OSError, ssl.SSLError) as error:
                print("request:", error, flush=True)

    def subject(self):
        parts = (self.request.getpeercert() or {}).get("subject", ())
        return "/".join(v for part in parts for _, v in part) or "-"

    def user(self):
        text = self.headers.get("Authorization", "")
        if not text.startswith("Basic "):
            return "-"
        return base64.b64decode(text[6:]).decode()

    def note(self, body):
        digest = hashlib.sha256(body).hexdigest()[:16] if body else "-"
        with LOCK, open(path_of("log"), "a") as file:
            print(self.path.rsplit("/", 1)[1], self.subject(), self.user(),
                  self.request.version(), digest, file=file)

    def hold(self, how):
        if how.get("hold") == self.path.rsplit("/", 1)[1]:
            with open(path_of("held"), "w"):
                pass
            while os.path.exists(path_of("hold")):
                time.sleep(0.01)

    def answer(self, status, data=b"", kind=None, **headers):
        how = mode()
        if how.get("drop") == self.path.rsplit("/", 1)[1]:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:len(data) // 2] if "cut" in how else data)
        if "cut" in how:
            self.close_connection = True

    def encoded(self, der):
        how = mode()
        if "binary" in how:
            return der
        if "wrap" in how:
            text = base64.b64encode(der)
            return b"\r\n".join(text[i:i + 64]
                                for i in range(0, len(text), 64)) + b"\r\n"
        return base64.b64encode(der)

    def do_GET(self):
        self.note(None)
        how = mode()
        self.hold(how)
        if self.path.endswith("/cacerts"):
            der = b"x" if how.get("cacerts") == "garbage" else \
                certs_only(content("ca.pem"))
            self.answer(200, self.encoded(der),
                        "application/pkcs7-mime; smime-type=certs-only")
        elif self.path.endswith("/csrattrs") and "attrs" in how:
            self.answer(200, self.encoded(bytes.fromhex(how["attrs"])),
                        "application/csrattrs")
        elif self.path.endswith("/csrattrs"):
            self.answer(204)
        else:
            self.answer(404)

    def refused(self, how):
        """Has he shown who he is?"""
        if self.path.endswith("/simplereenroll"):
            return self.subject() == "-"
        return self.subject() == "-" and ("user" not in how or
                                          self.user() != how["user"])

    def is_pending(self, how, csr):
        if "pending" not in how:
            return False
        count, seconds = how["pending"].split(",")
        SEEN[csr] = SEEN.get(csr, 0) + 1
        if SEEN[csr] > int(count):
            return False
        self.answer(202, Retry_After=seconds)
        return True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.note(body)
        how = mode()
        self.hold(how)
        csr = base64.b64decode(body)
        if not self.path.startswith("/.well-known/est/" + how.get("label", "")):
            self.answer(404)
        elif self.refused(how):
            self.answer(401, WWW_Authenticate='Basic realm="est"')
        elif "status" in how:
            self.answer(int(how["status"]), b"the CA is\nnot well",
                        "text/plain")
        elif not self.is_pending(how, csr):
            self.enroll(how, csr)

    def enroll(self, how, csr):
        openssl("req", "-verify", "-noout", "-inform", "DER", data=csr)
        directory = path_of("elsewhere") if "otherroot" in how else ROOT
        if "otherkey" in how:
            csr = other_request()
        pems = [issue(directory, csr, how)]
        if "otherroot" in how:
            pems.append(content("elsewhere/ca.pem"))
        der = certs_only(*pems)
        if "garbage" in how:
            der = b"0123"
        if "empty" in how:
            der = certs_only()
        kind = "text/html" if "type" in how else "application/pkcs7-mime"
        self.answer(200, self.encoded(der), kind)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path_of("server.pem"), path_of("server.key"))
    context.load_verify_locations(path_of("clients.pem"))
    context.verify_mode = ssl.CERT_OPTIONAL
    if "--client-required" in sys.argv:
        context.verify_mode = ssl.CERT_REQUIRED
    if "--no-client" in sys.argv:
        context.verify_mode = ssl.CERT_NONE
    if "--tls12" in sys.argv:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    port = 0
    if os.path.exists(path_of("want-port")):
        with open(path_of("want-port")) as file:
            port = int(file.read())
    server = Server(("127.0.0.1", port), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    with open(path_of("port.new"), "w") as file:
        file.write("%d\n" % server.server_address[1])
    os.rename(path_of("port.new"), path_of("port"))
    server.serve_forever()


main()
