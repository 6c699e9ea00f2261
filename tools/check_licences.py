#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Fails where a file that somebody wrote as source does not name its licence in its first lines, or names
another one than the licence files of this directory are for. Documents, test data and examples are
under the same licences, but are left as they would be without the line."""
import os
import pathlib
import sys

LINE = "SPDX-License-Identifier: MIT OR Apache-2.0"
LINES = 3
SUFFIXES = {".cc", ".h", ".c", ".py", ".sh", ".cmake"}
NAMES = {"CMakeLists.txt"}
PASSED_OVER = {"build", "corpus", "fixtures", "examples"}
root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")


def is_source(path):
    if path.suffix in SUFFIXES or path.name in NAMES:
        return True
    with open(path, "rb") as file:
        return file.read(2) == b"#!"


problems, sources = [], 0
for folder, folders, names in os.walk(root):
    folders[:] = sorted(n for n in folders if n not in PASSED_OVER and (n == ".ci" or not n.startswith(".")))
    for name in sorted(names):
        path = pathlib.Path(folder, name)
        if not path.is_file() or not is_source(path):
            continue
        sources += 1
        with open(path, encoding="utf-8", errors="replace") as file:
            opening = [line for _, line in zip(range(LINES), file)]
        if not any(line.rstrip().endswith(LINE) for line in opening):
            problems.append(f"{path}: no line of the first {LINES} is '{LINE}'")
for name in ("LICENSE-MIT", "LICENSE-APACHE"):
    if not (root / name).is_file():
        problems.append(f"{name} is missing")

print(*problems, f"{sources} files, {len(problems)} problems", sep="\n")
sys.exit(bool(problems) or sources == 0)
