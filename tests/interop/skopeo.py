#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What plumb writes, other people's programs read, and the other way round: skopeo.py PLUMB

A kit is pushed to Debian's docker-registry, copied by skopeo into an OCI layout and from there into
another repository, and pulled back from all of them: same ModelKitID, same bytes. umoci lists what is
in the layouts, plumb's own included.
"""
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

START_TIMEOUT_S = 30


def run(*command, **options):
    """What the command prints; ends the test if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nfailed with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def same(got, wanted, what):
    if got != wanted:
        sys.exit(f"{what}: {got!r} is not {wanted!r}")


@contextlib.contextmanager
def registry(work):
    """Debian's docker-registry on a free port; gives HOST:PORT."""
    for _ in range(5):  # somebody else may take the port before it is used
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        config = work / "registry.yml"
        config.write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {work}/registry}}}}\n"
            f"http: {{addr: '127.0.0.1:{port}'}}\n")
        server = subprocess.Popen(["docker-registry", "serve", str(config)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + START_TIMEOUT_S
            while server.poll() is None and time.monotonic() < deadline:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        yield f"127.0.0.1:{port}"
                        return
                time.sleep(0.01)
        finally:
            server.kill()
            server.wait()
    sys.exit("docker-registry does not start")


class Home:
    """A person who uses plumb."""

    def __init__(self, program, directory):
        self.program = program
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.lower().endswith("_proxy")}
        self.environment |= {"PLUMB_HOME": str(directory), "HOME": str(directory),
                             "DOCKER_CONFIG": str(directory / "docker")}

    def plumb(self, *arguments):
        return run(self.program, *arguments, env=self.environment)

    def inspect(self, *arguments):
        return json.loads(self.plumb("inspect", *arguments, "--json"))


def make_context(directory):
    """Weights, text, an empty file and a directory; what a kit is made of."""
    (directory / "docs" / "deep").mkdir(parents=True)
    (directory / "weights.bin").write_bytes(b"".join(
        hashlib.sha256(str(i).encode()).digest() for i in range(100_000)))
    (directory / "docs" / "README.md").write_text("# read me\n")
    (directory / "docs" / "deep" / "empty").touch()
    (directory / "Kitfile").write_text(
        "manifestVersion: 1.0.0\npackage: {name: interop, version: 1.0.0}\n"
        "model: {name: weights, path: weights.bin}\ndocs: [{path: docs}]\n")


def check_layout(layout, tag, manifest_id):
    """As umoci and any reader of the specification see it."""
    same(run("umoci", "ls", "--layout", str(layout)).split(), [tag], f"tags of {layout}")
    def blob(descriptor):
        algorithm, digest = descriptor["digest"].split(":")
        content = (layout / "blobs" / algorithm / digest).read_bytes()
        same(hashlib.sha256(content).hexdigest(), digest, "digest of a blob")
        same(len(content), descriptor["size"], "size of a blob")
        return content
    index = json.loads((layout / "index.json").read_text())
    named = [entry for entry in index["manifests"]
             if entry.get("annotations", {}).get("org.opencontainers.image.ref.name") == tag]
    same([entry["digest"] for entry in named], [manifest_id], f"manifest in {layout}")
    manifest = json.loads(blob(named[0]))
    for layer in manifest["layers"]:
        blob(layer)
    return json.loads(blob(manifest["config"]))


def check_kit(home, kit, wanted, context, target):
    """The kit that was pulled is the one that was built, to the byte."""
    got = home.inspect(kit)
    same(got["digest"], wanted["digest"], f"ModelKitID of {kit}")
    same(got, wanted, kit)
    home.plumb("unpack", kit, "-d", str(target))
    for path in sorted(context.rglob("*")):
        if path.is_file() and path.name != "Kitfile":
            other = target / path.relative_to(context)
            same(hashlib.sha256(other.read_bytes()).digest(),
                 hashlib.sha256(path.read_bytes()).digest(), str(other))


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    work = pathlib.Path(tempfile.mkdtemp(prefix="plumb-interop-"))
    try:
        context = work / "context"
        make_context(context)
        author = Home(program, work / "author")
        author.plumb("build", str(context), "-t", "kit:v1")
        wanted = author.inspect("kit:v1")
        skopeo = ["skopeo", "--insecure-policy", "--tmpdir", str(work)]
        with registry(work) as host:
            author.plumb("push", "kit:v1", f"{host}/models/kit:v1", "--plain-http")
            raw = run(*skopeo, "inspect", "--raw", "--tls-verify=false",
                      f"docker://{host}/models/kit:v1")
            same("sha256:" + hashlib.sha256(raw.encode()).hexdigest(), wanted["digest"],
                 "the manifest that skopeo sees")
            config = run(*skopeo, "inspect", "--config", "--raw", "--tls-verify=false",
                         f"docker://{host}/models/kit:v1")
            same(json.loads(config), wanted["kitfile"], "the config that skopeo sees")

            copied = work / "copied"
            run(*skopeo, "copy", "--src-tls-verify=false", f"docker://{host}/models/kit:v1",
                f"oci:{copied}:v1")
            same(check_layout(copied, "v1", wanted["digest"]), wanted["kitfile"], "its config")
            run(*skopeo, "copy", "--dest-tls-verify=false", f"oci:{copied}:v1",
                f"docker://{host}/others/copy:v2")

            reader = Home(program, work / "reader")
            reader.plumb("pull", f"oci:{copied}:v1", "from-layout:v1")
            check_kit(reader, "from-layout:v1", wanted, context, work / "from-layout")
            other = Home(program, work / "other")
            other.plumb("pull", f"{host}/others/copy:v2", "from-copy:v2", "--plain-http")
            check_kit(other, "from-copy:v2", wanted, context, work / "from-copy")

            # And what plumb writes as a layout, skopeo takes.
            own = work / "own"
            author.plumb("push", "kit:v1", f"oci:{own}:v3")
            same(check_layout(own, "v3", wanted["digest"]), wanted["kitfile"], "its config")
            run(*skopeo, "copy", "--dest-tls-verify=false", f"oci:{own}:v3",
                f"docker://{host}/others/own:v3")
            last = Home(program, work / "last")
            last.plumb("pull", f"{host}/others/own:v3", "from-own:v3", "--plain-http")
            check_kit(last, "from-own:v3", wanted, context, work / "from-own")
            # One file: ours read by skopeo, and skopeo's by plumb.
            bundle, archive, unpacked = work / "ours.tar", work / "theirs.tar", work / "unpacked"
            author.plumb("export", "kit:v1", str(bundle))
            run(*skopeo, "copy", f"oci-archive:{bundle}:kit:v1", f"oci:{unpacked}:v4")
            same(check_layout(unpacked, "v4", wanted["digest"]), wanted["kitfile"], "its config")
            run(*skopeo, "copy", f"oci:{unpacked}:v4", f"oci-archive:{archive}:v5")
            guest = Home(program, work / "guest")
            guest.plumb("import", str(archive), "--tag", "from-archive:v5")
            check_kit(guest, "from-archive:v5", wanted, context, work / "from-archive")
            print(f"{wanted['digest']} came through {len(list(work.glob('from-*')))} ways unchanged")
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
