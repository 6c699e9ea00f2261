#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Measures plumb beside other programs on the same files in the same run, and prints ratios.

    bench/run.py [--plumb build/release/plumb] [--rounds 5] [--size-mib 1024] [--only build,push]

Each round runs ours and the peer, in turn; what is printed is the median of the rounds' ratios, so that a
busy machine disturbs both alike. Peers: cat and openssl (coreutils, openssl), skopeo (Debian), and oras and
crane if scripts/peers has built them (loudly left out if not)."""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "interop")]
from counting_proxy import CountingProxy  # noqa: E402
from stage import peers as built_peers  # noqa: E402

FILES = 4


def make_weights(path, size, seed):
    """A safetensors file of one bf16 tensor: random mantissas, exponents of few values."""
    header_size = 4096
    header = json.dumps({"w": {"dtype": "BF16", "shape": [(size - header_size) // 2],
                               "data_offsets": [0, size - header_size]}}).encode().ljust(header_size - 8)
    exponents = bytes(0x3A + (i % 7) for i in range(256))
    stream = subprocess.Popen(["openssl", "enc", "-aes-128-ctr", "-nosalt", "-K", f"{seed:032x}", "-iv", "0" * 32,
                               "-in", "/dev/zero"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with open(path, "wb") as out:
        for _ in range(size // (1 << 20)):
            block = bytearray(stream.stdout.read(1 << 20))
            block[1::2] = block[1::2].translate(exponents)
            if out.tell() == 0:
                block[:header_size] = (header_size - 8).to_bytes(8, "little") + header
            out.write(block)
    stream.kill()
    stream.wait()


class Run:
    """One timed command: seconds, seconds of CPU, peak memory in MiB."""

    def __init__(self, command, environment=None, shell=False):
        began = time.monotonic()
        process = subprocess.Popen(command, env=environment, shell=shell, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds = time.monotonic() - began
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak_mib = usage.ru_maxrss / 1024
        if process.returncode != 0:
            sys.exit(f"{command} failed: {errors.decode()}")


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.plumb = str(arguments.plumb.resolve())
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="plumb-bench-", dir=arguments.scratch))
        self.context = self.scratch / "model"
        self.context.mkdir()
        size = arguments.size_mib * (1 << 20) // FILES
        entries = []
        for i in range(FILES):
            make_weights(self.context / f"w{i}.safetensors", size, i + 1)
            entries.append(f"    - path: w{i}.safetensors\n")
        (self.context / "Kitfile").write_text(
            "manifestVersion: 1.0.0\nmodel:\n  path: w0.safetensors\n  parts:\n" + "".join(entries[1:]))
        self.paths = [str(self.context / f"w{i}.safetensors") for i in range(FILES)]
        # Files that were just written count as racy and would be read again.
        subprocess.run(["sync"], check=True)
        time.sleep(0.1)
        self.registry = None

    def home(self, name):
        home = self.scratch / name
        shutil.rmtree(home, ignore_errors=True)
        return dict(os.environ, PLUMB_HOME=str(home))

    def ours(self, home, *words):
        return Run([self.plumb, *words, "--quiet"], home)

    def compare(self, name, ours, theirs, peer, limit):
        """Both are called once a round; each gives seconds."""
        pairs = []
        for _ in range(self.arguments.rounds):
            pairs.append((ours(), theirs()))
        ratio = statistics.median(a / b for a, b in pairs)
        mine = statistics.median(a for a, _ in pairs)
        other = statistics.median(b for _, b in pairs)
        good = "" if limit is None else ("reached" if ratio <= limit else "MISSED")
        bound = "" if limit is None else f"<= {limit:.2f}"
        print(f"{name:34} {mine:8.3f} s   {peer:36} {other:8.3f} s   ratio {ratio:5.2f} {bound:8} {good}", flush=True)

    def figure(self, name, value, unit, limit):
        good = "reached" if value <= limit else "MISSED"
        print(f"{name:36} {value:8.2f} {unit:4} {'':36} {'':10}         <= {limit:g} {unit} {good}", flush=True)

    def hash_files(self):
        pairs = " & ".join(f"(openssl dgst -sha256 {' '.join(self.paths[i::2])})" for i in range(2))
        return Run(f"{pairs} & wait", shell=True).seconds

    def cat_files(self):
        target = self.scratch / "copy"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        command = "; ".join(f"cat {path} > {target}/{i}" for i, path in enumerate(self.paths))
        seconds = Run(command, shell=True).seconds
        shutil.rmtree(target)
        return seconds

    def build(self):
        def fresh():
            home = self.home("build")
            seconds = self.ours(home, "build", str(self.context), "-t", "m:v1").seconds
            return seconds

        self.compare("build", fresh, lambda: self.hash_files() + self.cat_files(), "openssl x2 + cat", 1.0)
        self.compare("build", fresh, self.hash_files, "openssl x2 (kit 1.7, recorded: 3.7)", 1.85)
        home = self.home("build")
        self.ours(home, "build", str(self.context), "-t", "m:v1")
        before = self.disk(home)
        times = [self.ours(home, "build", str(self.context), "-t", "m:v1").seconds
                 for _ in range(self.arguments.rounds)]
        self.figure("build again, unchanged", statistics.median(times) * 1000, "ms", 50 + FILES)
        self.figure("build again, written", self.disk(home) - before, "B", 0)
        self.figure("disk beside the source", self.disk(home) / (1 << 20), "MiB", self.arguments.size_mib * 1.01)

    def files(self):
        """What it costs that a build knows the SHA-256 of files, not of layers alone: seconds of CPU, not of a clock."""
        small = self.scratch / "small"
        (small / "data").mkdir(parents=True)
        (small / "Kitfile").write_text("manifestVersion: 1.0.0\ndatasets: [{path: data}]\n")
        for i in range(self.arguments.size_mib * 4):
            (small / "data" / f"{i}.bin").write_bytes(os.urandom(64 << 10))
        for name, context, paths in (("", self.context, self.files_of(self.context, "*.safetensors")),
                                     (" of 64 KiB", small, self.files_of(small, "data/*"))):
            total = sum(os.path.getsize(path) for path in paths)
            times = []

            def build(*words):
                return self.ours(self.home("files"), "build", str(context), "-t", "m:v1", *words).cpu

            def build_listed():
                times.append(build())
                return times[-1]

            def openssl_twice():
                command = ["xargs", "-0", "-n", "1000", "openssl", "dgst", "-sha256"]
                listed = self.scratch / "listed"
                listed.write_bytes(b"\0".join(os.fsencode(path) for path in paths * 2))
                return Run(f"{' '.join(command)} < {listed}", shell=True).cpu

            # Of a raw layer the file is the layer: one digest is both.
            if not name:
                self.compare("files and layers, CPU", build_listed, lambda: build("--layer-format", "raw"),
                             "raw layers", 1.25)
            self.compare(f"files{name} and layers, CPU", build_listed, openssl_twice, "openssl, each file twice", None)
            self.figure(f"files{name} and layers, CPU a GB", statistics.median(times) / (total / 1e9), "s", 1.67)
        shutil.rmtree(small)

    @staticmethod
    def files_of(directory, pattern):
        return sorted(str(path) for path in directory.glob(pattern))

    @staticmethod
    def disk(home):
        root = pathlib.Path(home["PLUMB_HOME"])
        return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())

    def unpack(self):
        home = self.home("unpack")
        self.ours(home, "build", str(self.context), "-t", "m:v1")
        target = self.scratch / "unpacked"

        def ours():
            shutil.rmtree(target, ignore_errors=True)
            return self.ours(home, "unpack", "m:v1", "-d", str(target)).seconds

        self.compare("unpack, verified", ours, self.cat_files, "cat", 1.3)
        for path in self.paths:
            subprocess.run(["cmp", path, target / pathlib.Path(path).name], check=True)
        shutil.rmtree(target)

    def start_registry(self):
        directory = self.scratch / "registry"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        probe = socket.socket()
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        config = directory / "config.yml"
        config.write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {directory}/data}}, delete: {{enabled: true}}}}\n"
            f"http: {{addr: '127.0.0.1:{port}'}}\n")
        self.registry = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        return f"127.0.0.1:{port}"

    def stop_registry(self):
        self.registry.send_signal(signal.SIGTERM)
        self.registry.wait()
        shutil.rmtree(self.scratch / "registry")

    def peers(self):
        found = {"skopeo": shutil.which("skopeo")}
        for name in ("oras", "crane"):
            path = built_peers.path_of(name)
            if path.exists():
                found[name] = str(path)
            else:
                print(f"LEFT OUT: {name} is not there; scripts/peers builds it", flush=True)
        return found

    def transfer(self):
        peers = self.peers()
        home = self.home("push")
        self.ours(home, "build", str(self.context), "-t", "m:v1")
        layout = self.scratch / "layout"
        shutil.rmtree(layout, ignore_errors=True)
        self.ours(home, "push", "m:v1", f"oci:{layout}:v1")

        def push_ours():
            address = self.start_registry()
            seconds = self.ours(home, "push", "m:v1", f"{address}/m:v1", "--plain-http").seconds
            self.stop_registry()
            return seconds

        def push_with(command):
            def push():
                address = self.start_registry()
                seconds = Run([part.replace("REGISTRY", address) for part in command]).seconds
                self.stop_registry()
                return seconds
            return push

        pushes = {"skopeo": ["skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false",
                             f"oci:{layout}:v1", "docker://REGISTRY/m:v1"]}
        if "oras" in peers:
            pushes["oras"] = [peers["oras"], "cp", "--from-oci-layout", f"{layout}:v1", "--to-plain-http",
                              "REGISTRY/m:v1"]
        if "crane" in peers:
            single = self.scratch / "single"
            shutil.rmtree(single, ignore_errors=True)
            self.ours(home, "push", "m:v1", f"oci:{single}:v1")
            pushes["crane"] = [peers["crane"], "push", "--insecure", str(single), "REGISTRY/m:v1"]
        for name, command in pushes.items():
            self.compare("push", push_ours, push_with(command), name, 1 / 1.5 if name == "skopeo" else 1.0)

        address = self.start_registry()
        self.ours(home, "push", "m:v1", f"{address}/m:v1", "--plain-http")

        def pull_ours():
            fresh = self.home("pull")
            return self.ours(fresh, "pull", f"{address}/m:v1", "m:v1", "--plain-http").seconds

        def pull_with(command):
            def pull():
                target = self.scratch / "pulled"
                shutil.rmtree(target, ignore_errors=True)
                seconds = Run([part.replace("TARGET", str(target)) for part in command]).seconds
                shutil.rmtree(target, ignore_errors=True)
                return seconds
            return pull

        pulls = {"skopeo": ["skopeo", "--insecure-policy", "copy", "--src-tls-verify=false",
                            f"docker://{address}/m:v1", "oci:TARGET:v1"]}
        if "oras" in peers:
            pulls["oras"] = [peers["oras"], "cp", "--from-plain-http", f"{address}/m:v1", "--to-oci-layout",
                             "TARGET:v1"]
        if "crane" in peers:
            pulls["crane"] = [peers["crane"], "pull", "--insecure", "--format=oci", f"{address}/m:v1", "TARGET"]
        for name, command in pulls.items():
            self.compare("pull", pull_ours, pull_with(command), name, 1 / 1.5 if name == "skopeo" else 1.0)
        self.stop_registry()

    def wire(self):
        """Bytes, not seconds: what passes between plumb and a registry, headers included."""
        megabyte = 1_000_000
        context = self.scratch / "wire"
        context.mkdir()
        files = [context / f"w{i}.bin" for i in range(4)]
        for path in files:
            path.write_bytes(os.urandom(30 * megabyte))
        (context / "Kitfile").write_text("manifestVersion: 1.0.0\nmodel:\n  path: w0.bin\n  parts:\n" +
                                         "".join(f"    - path: w{i}.bin\n" for i in range(1, 4)))
        home = self.home("wire-home")
        address = self.start_registry()
        proxy = CountingProxy(address)

        def sent(*words):
            before = proxy.up
            self.ours(home, *words, "--plain-http")
            return (proxy.up - before) / megabyte

        self.ours(home, "build", str(context), "-t", "m:v1")
        sent("push", "m:v1", f"{proxy.address}/team/m:v1")
        self.figure("on the wire: to a sibling repository",
                    sent("push", "m:v1", f"{proxy.address}/other/m:v1"), "MB", 0.1)
        with open(files[2], "r+b") as changed:
            changed.seek(15 * megabyte)
            byte = changed.read(1)
            changed.seek(15 * megabyte)
            changed.write(bytes([byte[0] ^ 1]))
        self.ours(home, "build", str(context), "-t", "m:v2")
        self.figure("on the wire: one byte of 4 x 30 MB", sent("push", "m:v2", f"{proxy.address}/team/m:v2"),
                    "MB", 30.1)
        self.stopped_pull(address)
        proxy.close()
        self.stop_registry()
        shutil.rmtree(context)

    def stopped_pull(self, address):
        total = 120_000_000
        slow = CountingProxy(address, 30_000_000)
        fresh = self.home("wire-pull")
        command = [self.plumb, "pull", f"{slow.address}/team/m:v1", "m:v1", "--plain-http", "--quiet"]
        process = subprocess.Popen(command, env=fresh, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while slow.down < total // 2 and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        process.wait()
        time.sleep(0.5)
        had = slow.down
        Run(command, fresh)
        again = (slow.down - had) - (total - had)
        self.figure("pull killed half-way: fetched again", again / (1 << 20), "MiB", 4 + total / 100 / (1 << 20))
        slow.close()

    def memory(self):
        """Every verb on one file four times as large."""
        size = self.arguments.size_mib * 4
        context = self.scratch / "large"
        context.mkdir()
        make_weights(context / "w.safetensors", size << 20, 9)
        (context / "Kitfile").write_text("manifestVersion: 1.0.0\nmodel: {path: w.safetensors}\n")
        home = self.home("memory")
        self.figure(f"build {size} MiB, peak memory", self.ours(home, "build", str(context), "-t", "m:v1").peak_mib,
                    "MiB", 200)
        self.figure(f"unpack {size} MiB, peak memory",
                    self.ours(home, "unpack", "m:v1", "-d", str(self.scratch / "out")).peak_mib, "MiB", 200)
        shutil.rmtree(self.scratch / "out")
        address = self.start_registry()
        self.figure(f"push {size} MiB, peak memory",
                    self.ours(home, "push", "m:v1", f"{address}/m:v1", "--plain-http").peak_mib, "MiB", 200)
        fresh = self.home("memory")
        self.figure(f"pull {size} MiB, peak memory",
                    self.ours(fresh, "pull", f"{address}/m:v1", "m:v1", "--plain-http").peak_mib, "MiB", 200)
        self.stop_registry()
        shutil.rmtree(context)

    def keep(self):
        """A store of 10 000 blobs: 100 kits of 98 layers each, a config and a manifest."""
        context = self.scratch / "layers"
        context.mkdir()
        names = [f"d{i}" for i in range(98)]
        (context / "Kitfile").write_text("manifestVersion: 1.0.0\ndocs:\n" +
                                         "".join(f"  - path: {name}\n" for name in names))
        home = self.home("keep")
        for kit in range(100):
            for name in names:
                # Most are kept whole; every tenth is a recipe and an object.
                (context / name).write_bytes(os.urandom(80_000 if name.endswith("7") else 8_000))
            self.ours(home, "build", str(context), "-t", f"m:v{kit}")
        shutil.rmtree(context)
        times = {"fsck": [], "du": [], "gc, half of it goes": [], "gc, nothing to do": []}
        half = ["m:v" + ",v".join(str(kit) for kit in range(0, 100, 2))]
        for _ in range(self.arguments.rounds):
            copy = self.home("copy")
            shutil.copytree(home["PLUMB_HOME"], copy["PLUMB_HOME"])
            times["fsck"].append(self.ours(copy, "fsck").seconds)
            times["du"].append(self.ours(copy, "du").seconds)
            self.ours(copy, "remove", *half)
            times["gc, half of it goes"].append(self.ours(copy, "gc", "--keep-untagged", "0").seconds)
            times["gc, nothing to do"].append(self.ours(copy, "gc").seconds)
        for name, seconds in times.items():
            self.figure(f"10 000 blobs: {name}", statistics.median(seconds), "s", 2)

    def several(self):
        """Eight models, built into one store by a process each: at once, and one after another."""
        contexts = []
        for i in range(8):
            context = self.scratch / f"one{i}"
            context.mkdir()
            make_weights(context / "w.safetensors", self.arguments.size_mib * (1 << 20) // 8, 20 + i)
            (context / "Kitfile").write_text("manifestVersion: 1.0.0\nmodel: {path: w.safetensors}\n")
            contexts.append(str(context))
        subprocess.run(["sync"], check=True)

        def at_once():
            home = self.home("several")
            words = [f"{self.plumb} build {context} -t m:v{i} --quiet & pids=\"$pids $!\""
                     for i, context in enumerate(contexts)]
            waits = 'for pid in $pids; do wait $pid || exit 1; done'
            return Run("; ".join([*words, waits]), home, shell=True).seconds

        def one_after_another():
            home = self.home("several")
            words = [f"{self.plumb} build {context} -t m:v{i} --quiet" for i, context in enumerate(contexts)]
            return Run(" && ".join(words), home, shell=True).seconds

        self.compare("8 builds at once", at_once, one_after_another, "one after another", 1.1)
        for context in contexts:
            shutil.rmtree(context)

    def adopt(self):
        """import --link of what other programs have downloaded: what it takes beyond hashing the files."""
        for count in (2, 1):
            blobs = []
            for i in range(count):
                path = self.scratch / f"blob{i}"
                make_weights(path, self.arguments.size_mib * 2 // count << 20, 40 + i)
                digest = subprocess.run(["openssl", "dgst", "-sha256", "-r", path], check=True, capture_output=True)
                blobs.append((path, digest.stdout.decode().split()[0]))
            for name, lay_out in (("Hugging Face", self.hugging_face_cache), ("Ollama", self.ollama_store)):
                self.adopt_from(f"import --link, {name}, {count} x {self.arguments.size_mib * 2 // count} MiB",
                                *lay_out(blobs))
            for path, _ in blobs:
                path.unlink()

    def adopt_from(self, name, directory, files):
        subprocess.run(["sync"], check=True)
        hashing = " & ".join(f"openssl dgst -sha256 {path}" for path in files) + " & wait"
        times = []
        for _ in range(self.arguments.rounds):
            home = self.home("adopt")
            ours = self.ours(home, "import", "--link", str(directory)).seconds
            times.append((ours, Run(hashing, shell=True).seconds))
        ours, openssl = (statistics.median(column) for column in zip(*times))
        print(f"{name}: {ours:.3f} s, openssl beside it {openssl:.3f} s", flush=True)
        self.figure(name, statistics.median(a - b for a, b in times), "s", 1)
        shutil.rmtree(directory)

    def hugging_face_cache(self, blobs):
        hub = self.scratch / "hub"
        model = hub / "models--org--m"
        commit = "0" * 40
        for folder in ("refs", "blobs", f"snapshots/{commit}"):
            (model / folder).mkdir(parents=True)
        (model / "refs/main").write_text(commit)
        for i, (path, digest) in enumerate(blobs):
            os.link(path, model / "blobs" / digest)
            (model / f"snapshots/{commit}/w{i}.safetensors").symlink_to(f"../../blobs/{digest}")
        return hub, [model / "blobs" / digest for _, digest in blobs]

    def ollama_store(self, blobs):
        store = self.scratch / "ollama"
        manifest = store / "manifests/registry.ollama.ai/library/m/latest"
        manifest.parent.mkdir(parents=True)
        (store / "blobs").mkdir()
        layers = []
        for kind, (path, digest) in zip(("model", "projector"), blobs):
            os.link(path, store / "blobs" / f"sha256-{digest}")
            layers.append({"mediaType": f"application/vnd.ollama.image.{kind}", "digest": f"sha256:{digest}",
                           "size": path.stat().st_size})
        config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2,
                  "digest": "sha256:" + hashlib.sha256(b"{}").hexdigest()}
        manifest.write_text(json.dumps({"schemaVersion": 2, "config": config, "layers": layers,
                                        "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}))
        return store, [store / "blobs" / f"sha256-{digest}" for _, digest in blobs]

    def start(self):
        times = [Run([self.plumb, "version"]).seconds for _ in range(21)]
        self.figure("version", statistics.median(times) * 1000, "ms", 10)

    def clean_up(self):
        if self.registry is not None and self.registry.poll() is None:
            self.stop_registry()
        shutil.rmtree(self.scratch, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plumb", type=pathlib.Path, default=pathlib.Path("build/release/plumb"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size-mib", type=int, default=1024)
    parser.add_argument("--scratch", default=None, help="a folder on the disk to measure")
    parser.add_argument("--only", default="start,build,files,unpack,several,adopt,keep,transfer,wire,memory")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    try:
        for name in arguments.only.split(","):
            getattr(bench, name)()
    finally:
        bench.clean_up()


main()
