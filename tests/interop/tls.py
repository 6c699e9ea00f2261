#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""TLS with a private authority and client certificates, and proxies: tls.py PLUMB [REGISTRY]"""
import base64
import contextlib
import http.server
import select
import shutil
import socket
import subprocess
import sys
import threading

from stage import kits, registries

DENIED = 6


def make_certificates(directory):
    """An authority; a server and a client whom it vouches for; another authority's client."""
    directory.mkdir()

    def sign(name, subject, extensions, authority):
        request = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", directory / f"{name}.key",
                   "-out", directory / f"{name}.csr", "-subj", f"/CN={subject}"]
        kits.run(*request)
        (directory / "extensions").write_text(extensions)
        kits.run("openssl", "x509", "-req", "-in", directory / f"{name}.csr", "-days", "2", "-CA",
                 directory / f"{authority}.pem", "-CAkey", directory / f"{authority}.key", "-CAcreateserial",
                 "-extfile", directory / "extensions", "-out", directory / f"{name}.pem")

    for authority in ("authority", "other"):
        kits.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory / f"{authority}.key",
                 "-out", directory / f"{authority}.pem", "-days", "2", "-subj", f"/CN={authority}")
    sign("server", "registry", "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n", "authority")
    sign("client", "me", "extendedKeyUsage=clientAuth\n", "authority")
    sign("stranger", "you", "extendedKeyUsage=clientAuth\n", "other")


@contextlib.contextmanager
def proxy(login):
    """A proxy for people with that login; gives its port and the list of what it was asked."""
    asked = []
    wanted = "Basic " + base64.b64encode(login.encode()).decode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self):
            asked.append(self.path)
            if self.headers.get("Proxy-Authorization") != wanted:
                self.send_response(407)
                self.send_header("Proxy-Authenticate", "Basic realm=proxy")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            host, port = self.path.rsplit(":", 1)
            with socket.create_connection((host, int(port))) as target:
                self.send_response(200)
                self.end_headers()
                ends = [self.connection, target]
                while ends:
                    for end in select.select(ends, [], [])[0]:
                        content = end.recv(65536)
                        if not content:
                            ends = []
                            break
                        (target if end is self.connection else self.connection).sendall(content)
            self.close_connection = True

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def check_certificates(author, host, certificates):
    place = f"{host}/models/kit:v1"
    trusting = ["--ca-file", certificates / "authority.pem"]
    me = ["--cert", certificates / "client.pem", "--key", certificates / "client.key"]
    stranger = ["--cert", certificates / "stranger.pem", "--key", certificates / "stranger.key"]
    author.plumb("push", "kit:v1", place, *me, fails_with=DENIED)  # nobody vouches for the registry
    author.plumb("push", "kit:v1", place, "--ca-file", certificates / "other.pem", *me, fails_with=DENIED)
    # Whether the refusal arrives before the connection is gone is a matter of chance.
    for identity in ([], stranger):
        said = author.fails("push", "kit:v1", place, *trusting, *identity)
        kits.holds(said, "--cert", "a push without a good client certificate")
    author.plumb("push", "kit:v1", place, *trusting, "--cert", certificates / "client.pem", fails_with=2)
    author.plumb("push", "kit:v1", place, *trusting, *me)
    author.plumb("pull", place, "unverified:v1", "--tls-verify=false", *me)
    author.plumb("inspect", place, "--remote", *trusting, *me)

    # A key with a passphrase is refused, and nobody is asked.
    kits.run("openssl", "rsa", "-aes256", "-passout", "pass:word", "-in", certificates / "client.key", "-out",
             certificates / "locked.key")
    author.plumb("pull", place, "x:v1", *trusting, "--cert", certificates / "client.pem", "--key",
                 certificates / "locked.key", fails_with=DENIED, stdin=subprocess.DEVNULL)

    # Where docker has them nothing need be said.
    places = author.directory / ".docker" / "certs.d" / host
    places.mkdir(parents=True)
    shutil.copy(certificates / "authority.pem", places / "ca.crt")
    kits.holds(author.fails("pull", place, "x:v1"), "--cert", "a pull with half of what it needs")
    shutil.copy(certificates / "client.pem", places / "client.cert")
    author.plumb("pull", place, "x:v1", fails_with=2)
    shutil.copy(certificates / "client.key", places / "client.key")
    author.plumb("pull", place, "found:v1")
    kits.same(author.inspect("found:v1")["digest"], author.id, "a kit pulled with docker's certificates")


def check_proxies(author, host):
    place = f"{host}/models/kit:v1"
    with proxy("user:hiddenword") as (port, asked):
        address = f"127.0.0.1:{port}"
        # This machine itself is not reached by a proxy unless it is asked for.
        author.environment |= {"HTTPS_PROXY": f"http://{address}", "https_proxy": f"http://{address}"}
        author.plumb("pull", place, "x:v1")
        kits.same(asked, [], "what a proxy was asked for this machine")
        author.plumb("pull", place, "proxied:v1", "--proxy", f"http://user:hiddenword@{address}")
        kits.same(set(asked), {host}, "what the proxy was asked")
        kits.same(author.inspect("proxied:v1")["digest"], author.id, "a kit pulled through a proxy")
        for wrong, code in ((f"http://user:badsecret@{address}", DENIED), (f"http://user:badsecret@{address}:1:2", None),
                            (f"ftp://user:badsecret@{address}", 2), ("http://user:badsecret@256.1.1.1:x", None)):
            done = author.plumb("pull", place, "y:v1", "--proxy", wrong, fails_with=code) if code else \
                author.fails("pull", place, "y:v1", "--proxy", wrong)
            kits.same("badsecret" in done, False, "a proxy's password that is shown")


def main():
    with kits.workplace() as work:
        author = kits.Author(sys.argv[1], work)
        certificates = work / "certificates"
        make_certificates(certificates)
        settings = (f"  tls:\n    certificate: {certificates}/server.pem\n    key: {certificates}/server.key\n"
                    f"    clientcas: [{certificates}/authority.pem]\n")
        with registries.registry(work, registries.chosen(), http=settings) as host:
            check_certificates(author, host, certificates)
            check_proxies(author, host)
        print("certificates and proxies are as they should be")


if __name__ == "__main__":
    main()
