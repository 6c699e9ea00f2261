# SPDX-License-Identifier: MIT OR Apache-2.0
"""People who use plumb, a kit, and what must be true of it wherever it has been."""
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TIMEOUT_S = 120


@contextlib.contextmanager
def workplace():
    """A directory that goes away."""
    work = pathlib.Path(tempfile.mkdtemp(prefix="plumb-interop-"))
    try:
        yield work
    finally:
        shutil.rmtree(work)


def environment(home):
    """As of a person who has nothing but this directory, and no proxy."""
    plain = {name: value for name, value in os.environ.items()
             if not name.lower().endswith("_proxy") and not name.startswith("XDG_")}
    return plain | {"PLUMB_HOME": str(home / "plumb"), "HOME": str(home), "LC_ALL": "C.UTF-8",
                    "DOCKER_CONFIG": str(home / "docker")}


def run(*command, fails_with=0, **options):
    """What the command prints (on standard error, if it is to fail); ends the test if it exits otherwise."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=TIMEOUT_S, **options)
    if done.returncode != fails_with:
        sys.exit(f"{' '.join(map(str, command))}\nexits with {done.returncode}, not {fails_with}:\n"
                 f"{done.stdout}{done.stderr}")
    return done.stderr if fails_with else done.stdout


def without_root(inspected):
    """What builds know of a kit's files, those who pull it do not."""
    return {name: value for name, value in inspected.items() if name != "filesRoot"}


def same(got, wanted, what):
    if got != wanted:
        sys.exit(f"{what}: {got!r} is not {wanted!r}")


def holds(text, part, what):
    if part not in text:
        sys.exit(f"{what}: {part!r} is not in {text!r}")


def sha256(content):
    return "sha256:" + hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()


class Home:
    """A person who uses plumb, in a home of their own."""

    def __init__(self, program, directory):
        directory.mkdir()
        self.program = str(pathlib.Path(program).resolve())
        self.directory = directory
        self.environment = environment(directory)

    def plumb(self, *arguments, **options):
        return run(self.program, *arguments, env=self.environment, **options)

    def fails(self, *arguments):
        """What it says on standard error; ends the test if it does not fail."""
        done = subprocess.run([self.program, *map(str, arguments)], env=self.environment, capture_output=True,
                              text=True, timeout=TIMEOUT_S)
        same(done.returncode not in (0, -6, -11, 134, 139), True, f"that {arguments} fails")
        return done.stderr

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


class Author(Home):
    """Has built the kit "kit:v1"."""

    def __init__(self, program, work):
        super().__init__(program, work / "author")
        self.context = work / "context"
        make_context(self.context)
        self.plumb("build", self.context, "-t", "kit:v1")
        self.kit = self.inspect("kit:v1")
        self.id = self.kit["digest"]


def check_layout(layout, tag, manifest_id):
    """As any reader of image-spec sees it; gives the config."""
    def blob(descriptor):
        algorithm, digest = descriptor["digest"].split(":")
        content = (layout / "blobs" / algorithm / digest).read_bytes()
        same(sha256(content), descriptor["digest"], "digest of a blob")
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


class Reader:
    """Pulls the author's kit from places where others have put it, each time into an empty home, and
    compares all of it to the byte."""

    def __init__(self, author, work):
        self.author = author
        self.work = work
        self.count = 0

    def check(self, place, *flags):
        self.check_after("pull", place, "pulled:v1", *flags)

    def check_import(self, bundle):
        self.check_after("import", bundle, "--tag", "pulled:v1")

    def check_after(self, *command):
        self.count += 1
        home = Home(self.author.program, self.work / f"reader{self.count}")
        home.plumb(*command)
        same(without_root(home.inspect("pulled:v1")), without_root(self.author.kit), str(command))
        target = home.directory / "unpacked"
        home.plumb("unpack", "pulled:v1", "-d", target)
        for path in sorted(self.author.context.rglob("*")):
            if path.is_file() and path.name != "Kitfile":
                other = target / path.relative_to(self.author.context)
                same(sha256(other.read_bytes()), sha256(path.read_bytes()), str(other))

    def report(self):
        print(f"{self.author.id} came through {self.count} ways unchanged")
