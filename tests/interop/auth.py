#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Logins at real registries: passwords (htpasswd), tokens, credential helpers: auth.py PLUMB [REGISTRY]"""
import json
import os
import pty
import sys

from stage import kits, registries, tokens

DENIED = 6
NOT_LOGGED_IN = 3

# Keeps secrets in a file named after nobody; says what it is asked.
HELPER = """#!/usr/bin/env python3
import json, os, sys
path, action = os.environ["HELPER_FILE"], sys.argv[1]
kept = json.load(open(path)) if os.path.exists(path) else {}
text = sys.stdin.read()
open(path + ".log", "a").write(action + "\\n")
if action == "store":
    entry = json.loads(text)
    kept[entry["ServerURL"]] = entry
elif text.strip() not in kept:
    print("credentials not found in native keychain")
    sys.exit(1)
elif action == "get":
    print(json.dumps(kept[text.strip()]))
else:
    del kept[text.strip()]
json.dump(kept, open(path, "w"))
"""


def log_in(home, host, secret="secret", **options):
    return home.plumb("login", host, "-u", "me", "--password-stdin", "--plain-http", input=secret, **options)


def log_in_at_terminal(home, host):
    """As a person does: asked for both, and the password is not shown."""
    process, terminal = pty.fork()
    if process == 0:
        os.execve(home.program, [home.program, "login", host, "--plain-http"], home.environment)
    seen = b""

    def read_until(part):
        nonlocal seen
        while part not in seen:
            seen += os.read(terminal, 1024)

    read_until(b"Username: ")
    os.write(terminal, b"me\n")
    read_until(b"Password: ")
    os.write(terminal, b"secret\n")
    read_until(b"Log in successful")
    kits.same(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), 0, "a login at a terminal")
    os.close(terminal)
    kits.same(b"secret" in seen, False, "a password that is shown")


def check_password(author, work, kind):
    directory = work / "password"
    directory.mkdir()
    entry = kits.run("htpasswd", "-nbB", "me", "secret")
    (directory / "htpasswd").write_text(entry)
    auth = f"auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}\n"
    with registries.registry(directory, kind, auth) as host:
        place = f"{host}/models/kit:v1"
        said = author.plumb("push", "kit:v1", place, "--plain-http", fails_with=DENIED)
        kits.holds(said, f"hint: plumb login {host}", "a push without a login")
        said = log_in(author, host, "wrong", fails_with=DENIED)
        kits.same("wrong" in said.replace("wrong password", ""), False, "a password that is shown")
        author.plumb("logout", host, fails_with=NOT_LOGGED_IN)
        log_in_at_terminal(author, host)
        author.plumb("push", "kit:v1", place, "--plain-http")
        author.plumb("pull", place, "again:v1", "--plain-http")
        author.plumb("logout", host)
        author.plumb("pull", place, "again:v1", "--plain-http", fails_with=DENIED)

        # A login that the registry does not take any more is not tried again and again.
        auths = {host: {"auth": "bWU6b2xk"}}
        (author.directory / "docker").mkdir()
        (author.directory / "docker" / "config.json").write_text(json.dumps({"auths": auths}))
        said = author.plumb("pull", place, "again:v1", "--plain-http", fails_with=DENIED)
        kits.holds(said, f"hint: plumb login {host}", "a pull with an old login")
        check_helper(author, directory, host, place)


def check_helper(author, directory, host, place):
    """What docker keeps in a keyring, plumb finds there, and keeps there too."""
    programs = directory / "bin"
    programs.mkdir()
    (programs / "docker-credential-interop").write_text(HELPER)
    (programs / "docker-credential-interop").chmod(0o755)
    author.environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "HELPER_FILE": str(directory / "kept")}
    config = author.directory / "docker" / "config.json"
    config.write_text(json.dumps({"credsStore": "interop", "auths": {host: {}}}))
    before = config.read_text()
    own = author.directory / "plumb" / "credentials.json"

    author.plumb("pull", place, "again:v1", "--plain-http", fails_with=DENIED)
    (directory / "kept").write_text(json.dumps({host: {"ServerURL": host, "Username": "me", "Secret": "secret"}}))
    author.plumb("pull", place, "again:v1", "--plain-http")
    (directory / "kept").unlink()
    log_in(author, host)
    kits.holds((directory / "kept").read_text(), "secret", "what the helper keeps")
    kits.same(json.loads(own.read_text())["credHelpers"], {host: "interop"}, "what is in our file")
    kits.same(host in json.loads(own.read_text())["auths"], False, "a login in our file too")
    author.plumb("pull", place, "again:v1", "--plain-http")
    author.plumb("logout", host)
    kits.same(json.loads((directory / "kept").read_text()), {}, "what the helper keeps after the logout")
    author.plumb("pull", place, "again:v1", "--plain-http", fails_with=DENIED)
    kits.same(config.read_text(), before, "docker's own file")

    # A helper that is not there: said, with a way out that needs none.
    config.write_text(json.dumps({"credHelpers": {host: "gone"}}))
    said = author.plumb("pull", place, "again:v1", "--plain-http", fails_with=DENIED)
    kits.holds(said, "docker-credential-gone", "a pull with a helper that is not there")
    log_in(author, host)
    author.plumb("pull", place, "again:v1", "--plain-http")
    author.plumb("logout", host)
    config.unlink()


def check_tokens(author, work, kind):
    directory = work / "tokens"
    directory.mkdir()
    with tokens.token_service(directory) as service:
        with registries.registry(directory, kind, service.config()) as host:
            author.plumb("push", "kit:v1", f"{host}/public/kit:v1", "--plain-http", fails_with=DENIED)
            log_in(author, host, "wrong", fails_with=DENIED)
            log_in(author, host)
            author.plumb("push", "kit:v1", f"{host}/public/kit:v1", "--plain-http")
            kits.same(("me", ["repository:public/kit:pull,push"]) in service.asked, True, "the scope of a push")

            # Who is nobody pulls what is public, and nothing else.
            stranger = kits.Home(author.program, directory / "stranger")
            stranger.plumb("pull", f"{host}/public/kit:v1", "--plain-http")
            stranger.plumb("push", f"{host}/public/kit:v1", "--plain-http", fails_with=DENIED)

            # To a sibling repository nothing is sent: the token says that it may be read there.
            author.plumb("tag", "kit:v1", f"{host}/public/kit:v1")
            pushed = json.loads(author.plumb("push", "kit:v1", f"{host}/private/kit:v1", "--plain-http", "--json"))
            kits.same((pushed["bytesMoved"], pushed["bytesMounted"] > 0), (0, True), "bytes of a mounted kit")
            both = ["repository:private/kit:pull,push", "repository:public/kit:pull"]
            kits.same(("me", both) in service.asked, True, "the scope of a mount")
            stranger.plumb("pull", f"{host}/private/kit:v1", "--plain-http", fails_with=DENIED)

            # A token that has expired in the registry's eyes is asked for once more, and then all goes on.
            service.stale_scopes = set()
            pushed = json.loads(author.plumb("push", "kit:v1", f"{host}/later/kit:v1", "--plain-http", "--json"))
            kits.same((pushed["bytesMoved"], pushed["bytesMounted"] > 0), (0, True), "bytes of a mounted kit")
            mounts = [scopes for who, scopes in service.asked
                      if who == "me" and len(scopes) > 1 and "repository:later/kit:pull,push" in scopes]
            kits.same((len(mounts), mounts[0]), (2, mounts[-1]), "tokens for a mount, of which one had expired")
            author.plumb("logout", host)

            service.stale_scopes = None
            # An identity token, as some keep instead of a password, gets tokens by a form.
            config = author.directory / "docker" / "config.json"
            config.write_text(json.dumps({"auths": {host: {"identitytoken": "id-token"}}}))
            author.plumb("pull", f"{host}/private/kit:v1", "by-token:v1", "--plain-http")
            kits.same(("id", ["repository:private/kit:pull"]) in service.asked, True, "a form for a token")
            config.unlink()

        # A registry that names another host for its tokens does not get the login sent there.
        with registries.registry(directory, kind, service.config("localhost")) as host:
            author.directory.joinpath("docker", "config.json").write_text(
                json.dumps({"auths": {host: {"auth": "bWU6c2VjcmV0"}}}))
            asked = len(service.asked)
            said = author.plumb("pull", f"{host}/public/kit:v1", "x:v1", "--plain-http", fails_with=DENIED)
            kits.holds(said, "refused", "a realm on another host")
            kits.same(len(service.asked), asked, "requests to a realm on another host")


def main():
    with kits.workplace() as work:
        author = kits.Author(sys.argv[1], work)
        check_password(author, work, registries.chosen())
        check_tokens(author, work, registries.chosen())
        print("logged in by password, token and helper")


if __name__ == "__main__":
    main()
