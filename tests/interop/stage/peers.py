# SPDX-License-Identifier: MIT OR Apache-2.0
"""Where the programs of tests/interop/peers.toml are, once scripts/peers has built them."""
import os
import pathlib
import sys
import tomllib

SKIPPED = 77  # the exit code of a test that could not run, as tests/CMakeLists.txt tells ctest


def known():
    with open(pathlib.Path(__file__).parent.parent / "peers.toml", "rb") as file:
        return tomllib.load(file)


def home():
    """$PLUMB_PEERS, else in the person's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("PLUMB_PEERS") or f"{cache}/plumb/peers")


def path_of(name):
    """The program; of a peer that is Python's, the interpreter that finds it."""
    peer = known()[name]
    return home() / f"{name}-{peer['version']}" / ("bin/python" if "packages" in peer else name)


def need(name):
    """The program, as text; ends the test as skipped if it is not there. Never built here: tests download nothing."""
    path = path_of(name)
    if not os.access(path, os.X_OK):
        print(f"skipped: {name} is not there; scripts/peers builds it")
        sys.exit(SKIPPED)
    return str(path)
