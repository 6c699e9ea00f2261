# SPDX-License-Identifier: MIT OR Apache-2.0
"""A token service as docker's registries know it ("Token Authentication Specification"), with RS256 keys that
openssl made. "me" with "secret" may do all; others may pull what is beneath "public/".
Who has the identity token "id-token" is "me" too."""
import base64
import contextlib
import http.server
import json
import subprocess
import threading
import time
import urllib.parse

from stage import kits

SERVICE = "interop"
ISSUER = "plumb-interop"


def encode(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class TokenService:
    def __init__(self, work):
        self.key = work / "token-key.pem"
        self.certificate = work / "token-cert.pem"
        kits.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out",
                 self.certificate, "-days", "2", "-subj", "/CN=tokens")
        self.asked = []  # (who or "", scopes)
        self.stale_scopes = None  # a set: from the second scope on, the first token for each has expired
        self.port = 0

    def config(self, host="127.0.0.1"):
        """The part of a registry's configuration that sends people here."""
        return (f"auth:\n  token:\n    realm: http://{host}:{self.port}/token\n    service: {SERVICE}\n"
                f"    issuer: {ISSUER}\n    rootcertbundle: {self.certificate}\n")

    def token(self, who, scopes):
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            granted = [action for action in actions.split(",")
                       if who or (action == "pull" and name.startswith("public/"))]
            access.append({"type": kind, "name": name, "actions": granted})
        expires = time.time() + 300
        if self.stale_scopes is not None and str(scopes) not in self.stale_scopes:
            is_second = bool(self.stale_scopes)
            self.stale_scopes.add(str(scopes))
            expires -= 600 * is_second  # registries allow for clocks that differ by a minute
        der = kits.run("openssl", "x509", "-in", self.certificate, "-outform", "pem")
        der = "".join(line for line in der.splitlines() if not line.startswith("-----"))
        header = {"typ": "JWT", "alg": "RS256", "x5c": [der]}
        claims = {"iss": ISSUER, "sub": who, "aud": SERVICE, "exp": int(expires), "nbf": int(expires - 310),
                  "iat": int(expires - 310), "jti": str(len(self.asked)), "access": access}
        signed = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=signed.encode(),
                                   capture_output=True, check=True).stdout
        return f"{signed}.{encode(signature)}"

    def answer(self, authorization, query):
        """Status and body."""
        who = ""
        if authorization:
            if authorization != "Basic " + base64.b64encode(b"me:secret").decode():
                self.asked.append(("?", query.get("scope", [])))
                return 401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]}
            who = "me"
        scopes = query.get("scope", [])
        self.asked.append((who, scopes))
        return 200, {"token": self.token(who, scopes), "expires_in": 300}


    def answer_form(self, form):
        """As "Oauth2 Token Authentication" has it, for people with an identity token."""
        if form.get("grant_type") != ["refresh_token"] or form.get("refresh_token") != ["id-token"]:
            return 401, {"errors": [{"code": "UNAUTHORIZED", "message": "unknown identity token"}]}
        scopes = form.get("scope", [""])[0].split()
        self.asked.append(("id", scopes))
        return 200, {"access_token": self.token("me", scopes), "expires_in": 300}


@contextlib.contextmanager
def token_service(work):
    service = TokenService(work)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            self.say(*service.answer(self.headers.get("Authorization", ""), query))

        def do_POST(self):
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.say(*service.answer_form(urllib.parse.parse_qs(form)))

        def say(self, status, body):
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
