#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs a script of commands and compares what they print: run.py --plumb PROGRAM SCRIPT...

A script is text. A line "$ COMMAND" is run by bash in an empty directory ("> …" continues it);
the lines behind it are what it prints: standard output, then standard error with "! " in front,
then "? N" if it exits with N other than 0. In an expected line "[..]" stands for any text; a line
"..." for any lines. "#" begins a comment. A comment "# needs registry" starts Debian's
docker-registry first; $REGISTRY is where it listens ("# needs registry password" asks user "me",
password "secret"). --update writes down what was printed instead."""
import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TIMEOUT_S = 120


class Registry:
    """Debian's docker-registry on a free loopback port, in a directory of its own."""

    def __init__(self, directory, with_password):
        probe = socket.socket()
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        self.address = f"127.0.0.1:{port}"
        auth = ""
        if with_password:
            entry = subprocess.run(["htpasswd", "-nbB", "me", "secret"], check=True,
                                   capture_output=True, text=True).stdout
            (directory / "htpasswd").write_text(entry)
            auth = f"auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}\n"
        config = directory / "registry.yml"
        config.write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {directory}/registry}}, delete: {{enabled: true}}}}\n"
            f"{auth}http: {{addr: '{self.address}'}}\n")
        self.process = subprocess.Popen(["docker-registry", "serve", str(config)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("docker-registry does not start")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def parse(text):
    """[(lines before a command, command, expected lines)]: every line of the script, in order."""
    steps, before, lines = [], [], text.splitlines()
    i = 0
    while i < len(lines):
        if not lines[i].startswith("$ "):
            before.append(lines[i])
            i += 1
            continue
        command, source = [lines[i][2:]], [lines[i]]
        i += 1
        while i < len(lines) and (lines[i].startswith("> ") or lines[i] == ">"):
            command.append(lines[i][2:])
            source.append(lines[i])
            i += 1
        expected = []
        while i < len(lines) and lines[i] and not lines[i].startswith(("$ ", "#")):
            expected.append(lines[i])
            i += 1
        steps.append((before, source, "\n".join(command), expected))
        before = []
    return steps, before


def run(command, directory, environment):
    done = subprocess.run(["bash", "-c", command], cwd=directory, env=environment, timeout=TIMEOUT_S,
                          stdin=subprocess.DEVNULL, capture_output=True)
    out = done.stdout.decode(errors="backslashreplace").splitlines()
    out += ["! " + line for line in done.stderr.decode(errors="backslashreplace").splitlines()]
    if done.returncode != 0:
        out.append(f"? {done.returncode}")
    return [line if line else "[blank]" for line in out]


def matches(expected, actual):
    pattern = ""
    for line in expected:
        if line == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += "[^\n]*?".join(re.escape(part) for part in line.split("[..]")) + "\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in actual)) is not None


def check(script, plumb, update):
    text = script.read_text()
    steps, rest = parse(text)
    if not steps:
        sys.exit(f"{script}: no commands")
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="plumb-script-"))
    work = scratch / "work"
    work.mkdir()
    registry = None
    if "# needs registry" in text:
        registry = Registry(scratch, "# needs registry password" in text)
    environment = {
        "PATH": f"{scratch}/bin:{os.environ['PATH']}", "HOME": str(scratch / "person"), "LC_ALL": "C.UTF-8",
        "PLUMB_HOME": str(scratch / "home"), "SOURCE": str(script.resolve().parents[2]),
        "SECOND_HOME": str(scratch / "second"),
        "REGISTRY": registry.address if registry else "",
    }
    (scratch / "bin").mkdir()
    (scratch / "person").mkdir()
    (scratch / "bin/plumb").symlink_to(plumb)
    failed, written = 0, []
    try:
        for before, source, command, expected in steps:
            actual = run(command, work, environment)
            actual = [line.replace(str(work), "[WORK]").replace(str(scratch), "[SCRATCH]") for line in actual]
            if registry:
                actual = [line.replace(registry.address, "[REGISTRY]") for line in actual]
            good = matches(expected, actual)
            written += before + source + (expected if good else actual)
            if not good and not update:
                failed += 1
                print(f"{script.name}: $ {command}")
                print("".join(f"  expected  {line}\n" for line in expected), end="")
                print("".join(f"  printed   {line}\n" for line in actual), end="")
    finally:
        if registry:
            registry.stop()
        subprocess.run(["chmod", "-R", "u+rwx", str(scratch)], check=False)
        shutil.rmtree(scratch, ignore_errors=True)
    if update:
        script.write_text("\n".join(written + rest) + "\n")
    print(f"{script.name}: {len(steps)} commands, {failed} failed")
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plumb", required=True, type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("script", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    failed = sum(check(script, arguments.plumb.resolve(), arguments.update) for script in arguments.script)
    sys.exit(1 if failed else 0)


main()
