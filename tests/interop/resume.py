#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Pulls and pushes that are killed in the middle, with Debian's docker-registry (and distribution 3, if it is in
$PLUMB_PEERS): the bytes are counted that the next command moves. resume.py PLUMB"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from counting_proxy import CountingProxy  # noqa: E402

MIB = 1 << 20
HEADERS = 64 << 10
PIECE = 4 * MIB  # of the store
DEADLINE_S = 120


class Registry:
    def __init__(self, scratch, program):
        directory = pathlib.Path(tempfile.mkdtemp(dir=scratch))
        probe = socket.socket()
        probe.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        probe.close()
        config = directory / "config.yml"
        config.write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {directory}/data}}, delete: {{enabled: true}}}}\n"
            f"http: {{addr: '{self.address}'}}\n")
        self.process = subprocess.Popen([program, "serve", str(config)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=dict(os.environ, OTEL_TRACES_EXPORTER="none"))
        host, port = self.address.split(":")
        for _ in range(400):
            try:
                socket.create_connection((host, int(port)), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{program} does not start")

    def stop(self):
        self.process.kill()
        self.process.wait()


class Trial:
    """Homes, kits and commands of one run."""

    def __init__(self, plumb, scratch):
        self.plumb, self.scratch = plumb, scratch
        self.failures = 0

    def home(self, name):
        return dict(os.environ, PLUMB_HOME=str(self.scratch / name), HOME=str(self.scratch / "person"))

    def build(self, home, name, sizes):
        context = self.scratch / f"context-{name}"
        context.mkdir()
        parts = ""
        for i, size in enumerate(sizes):
            (context / f"w{i}.bin").write_bytes(os.urandom(size))
            parts += f"    - path: w{i}.bin\n" if i else ""
        (context / "Kitfile").write_text("manifestVersion: 1.0.0\nmodel:\n  path: w0.bin\n" +
                                         ("  parts:\n" + parts if parts else ""))
        self.run(home, "build", str(context), "-t", f"{name}:v1")

    def run(self, home, *words):
        done = subprocess.run([self.plumb, *words, "--quiet"], env=home, capture_output=True, timeout=DEADLINE_S)
        if done.returncode != 0:
            sys.exit(f"plumb {' '.join(words)}: {done.stderr.decode()}")

    def stop_at(self, proxy, direction, size, stop, home, *words):
        """Begins a command, and sends it a signal once so much passed; gives what had passed by its end."""
        before = getattr(proxy, direction)
        process = subprocess.Popen([self.plumb, *words, "--quiet"], env=home, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + DEADLINE_S
        while getattr(proxy, direction) - before < size:
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"plumb {' '.join(words)} was not to be stopped in the middle")
            time.sleep(0.002)
        process.send_signal(stop)
        process.wait(timeout=DEADLINE_S)
        time.sleep(0.3)  # what was on its way
        return getattr(proxy, direction) - before

    def check(self, what, moved, limit):
        good = moved <= limit
        self.failures += not good
        print(f"{what:64} {moved / MIB:8.2f} MiB of at most {limit / MIB:8.2f} {'' if good else 'FAILED'}", flush=True)


def try_pull(trial, registry, name, sizes, stop, home):
    """How much more is fetched than what was missing."""
    proxy = CountingProxy(registry.address, 24 * MIB)
    pull = ("pull", f"{proxy.address}/team/{name}:v1", f"{name}:v1", "--plain-http")
    had = trial.stop_at(proxy, "down", sum(sizes) // 2, stop, home, *pull)
    before = proxy.down
    trial.run(home, *pull)
    moved = proxy.down - before
    proxy.close()
    return moved - (sum(sizes) - had)


def try_pulls(trial, registry):
    publisher = trial.home("publisher")
    for name, sizes in (("one", [96 * MIB]), ("four", [24 * MIB] * 4)):
        trial.build(publisher, name, sizes)
        trial.run(publisher, "push", f"{name}:v1", f"{registry.address}/team/{name}:v1", "--plain-http")
        limit = PIECE + sum(sizes) // 100 + HEADERS
        for stop in (signal.SIGKILL, signal.SIGINT):
            # Where others keep the processors or the disk busy, more is on its way to it when the signal comes: it
            # must be reached once in a few times.
            for attempt in range(4):
                home = trial.home(f"puller-{name}-{stop.name}-{attempt}")
                again = try_pull(trial, registry, name, sizes, stop, home)
                if again <= limit:
                    break
            trial.check(f"pull of {name}, stopped by {stop.name}: fetched again", again, limit)
            target = trial.scratch / f"unpacked-{name}-{stop.name}"
            trial.run(home, "unpack", f"{name}:v1", "-d", str(target))
            for i in range(len(sizes)):
                original = trial.scratch / f"context-{name}" / f"w{i}.bin"
                subprocess.run(["cmp", original, target / f"w{i}.bin"], check=True)
            left = list((pathlib.Path(home["PLUMB_HOME"]) / "store" / "partial").iterdir())
            if left:
                trial.failures += 1
                print(f"records are left: {left}")


def try_pushes(trial, registry, name, keeps_cut_sessions):
    home = trial.home(f"pusher-{name}")
    total = 112 * MIB
    trial.build(home, name, [total])
    for stop in (signal.SIGINT, signal.SIGKILL):
        proxy = CountingProxy(registry.address, 32 * MIB)
        push = ("push", f"{name}:v1", f"{proxy.address}/team/{stop.name.lower()}:v1", "--plain-http")
        had = trial.stop_at(proxy, "up", total // 2, stop, home, *push)
        before = proxy.up
        trial.run(home, *push)
        resumes = stop == signal.SIGINT or keeps_cut_sessions
        missing = total - had if resumes else total
        trial.check(f"push to {name}, stopped by {stop.name}", proxy.up - before,
                    missing + (PIECE if resumes else 0) + total // 100 + HEADERS)
        reader = trial.home(f"reader-{name}-{stop.name}")
        trial.run(reader, "pull", f"{registry.address}/team/{stop.name.lower()}:v1", f"{name}:v1", "--plain-http")
        if list((pathlib.Path(home["PLUMB_HOME"]) / "uploads").iterdir()):
            trial.failures += 1
            print("a record of an upload is left")
        proxy.close()


def main():
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="plumb-resume-"))
    (scratch / "person").mkdir()
    trial = Trial(str(pathlib.Path(sys.argv[1]).resolve()), scratch)
    registries = []
    try:
        registries.append(Registry(scratch, "docker-registry"))
        try_pulls(trial, registries[0])
        # It drops a session whose connection was cut inside a piece: after a kill all of it is sent again.
        try_pushes(trial, registries[0], "docker-registry", keeps_cut_sessions=False)
        distribution = shutil.which("registry", path=os.environ.get("PLUMB_PEERS", ""))
        if distribution is None:
            print("LEFT OUT: pushes to distribution 3: 'registry' is not in $PLUMB_PEERS")
        else:
            registries.append(Registry(scratch, distribution))
            try_pushes(trial, registries[1], "distribution", keeps_cut_sessions=True)
    finally:
        for registry in registries:
            registry.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    sys.exit(1 if trial.failures else 0)


main()
