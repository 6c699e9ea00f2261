# SPDX-License-Identifier: MIT OR Apache-2.0
"""Real registries on the loopback: Debian's docker-registry, and distribution 3."""
import contextlib
import os
import socket
import subprocess
import sys
import time

from stage import peers

START_TIMEOUT_S = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    """Whether somebody listens there before the process ends."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.01)
    return False


@contextlib.contextmanager
def registry(work, kind="docker-registry", auth="", http=""):
    """A registry with an empty store, beneath `work`, until the block ends; gives HOST:PORT. `auth` and `http` are
    more of its configuration. Without distribution the test ends as skipped."""
    program = "docker-registry" if kind == "docker-registry" else peers.need(kind)
    directory = work / f"{kind}-{free_port()}"
    directory.mkdir()
    for _ in range(5):  # somebody else may take the port before it is used
        port = free_port()
        config = directory / "config.yml"
        config.write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {directory}/data}}, delete: {{enabled: true}}}}\n"
            f"{auth}http:\n  addr: 127.0.0.1:{port}\n  secret: test\n{http}")
        with open(directory / "log", "ab") as log:
            server = subprocess.Popen([program, "serve", str(config)], stdout=log, stderr=log,
                                      env=os.environ | {"OTEL_TRACES_EXPORTER": "none"})
        try:
            if wait_for(port, server):
                yield f"127.0.0.1:{port}"
                return
        finally:
            server.kill()
            server.wait()
    sys.exit(f"{kind} does not start:\n{(directory / 'log').read_text()[-2000:]}")


def chosen():
    """The kind of registry that the command line names second: PLUMB [KIND]."""
    return sys.argv[2] if len(sys.argv) > 2 else "docker-registry"
