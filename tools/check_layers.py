#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Fails where src/ breaks a rule of the house (docs/architecture.md): a room includes a room that
tools/layers.txt does not let it include, reaches into another room's *_internal.h, includes a
third-party header that is fenced to another room or in a public header, uses exceptions or RTTI outside of
tools/fences.txt, a file is too long, or an interface too wide."""
import pathlib
import re
import sys

LINES_MAX = 800
README_LINES_MAX = 30
METHODS_MAX = 7
root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
problems = []


def rows(path):
    for line in path.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            left, _, right = line.partition(":")
            yield left.strip(), right.strip()


def read_layers(path):
    allowed = {}
    for room, names in rows(path):
        unknown = [n for n in names.split() if n not in allowed]
        if unknown:
            sys.exit(f"{path}: '{room}' names {unknown}, which are not above it")
        allowed[room] = set(names.split())
    return allowed


def read_fences(path):
    """Two kinds of lines: 'src/file.cc: reason' and '<header.h>: room'."""
    files, headers = set(), {}
    for left, right in rows(path):
        if not right:
            problems.append(f"{path}: '{left}' gives no reason")
        if left.startswith("<"):
            headers[left.strip("<>")] = right
        else:
            files.add(left)
            if not (root / left).exists():
                problems.append(f"{path}: '{left}' is not there any more")
    return files, headers


allowed = read_layers(root / "tools/layers.txt")
fenced_files, fenced_headers = read_fences(root / "tools/fences.txt")
EXCEPTIONS = re.compile(r"\b(throw|try|catch|typeid|dynamic_cast)\b")
STANDARD = re.compile(r"[a-z_0-9]+$")  # <vector>
SYSTEM = re.compile(r"(sys|linux|netinet|arpa)/|(errno|dlfcn|fcntl|poll|unistd|signal|spawn|termios|dirent|stdio)\.h$")


def check_includes(path, room, number, line):
    match = re.match(r'#include "([^"]+)"', line)
    if match:
        target = match.group(1).split("/")[0]
        if target != room and target not in allowed[room]:
            problems.append(f"{path}:{number}: '{room}' must not include '{target}'")
        if target != room and match.group(1).endswith("_internal.h"):
            problems.append(f"{path}:{number}: '{match.group(1)}' is private to '{target}'")
    match = re.match(r"#include <([^>]+)>", line)
    if not match or STANDARD.match(match.group(1)):
        return
    header = match.group(1)
    if SYSTEM.match(header):
        if room != "host":
            problems.append(f"{path}:{number}: only 'host' calls the system: <{header}>")
        return
    owner = fenced_headers.get(header)
    if owner is None:
        problems.append(f"{path}:{number}: <{header}> is in no line of tools/fences.txt")
    elif room not in owner.split()[0].split(","):
        problems.append(f"{path}:{number}: <{header}> belongs to '{owner.split()[0]}'")
    elif path.suffix == ".h" and not path.stem.endswith("_internal") and "public" not in owner:
        problems.append(f"{path}:{number}: <{header}> stands in a public header")


def check_interfaces(path, text):
    for match in re.finditer(r"^class (\w+)[^{;]*\{(.*?)^\};", text, re.S | re.M):
        methods = len(re.findall(r"= 0;", match.group(2)))
        if methods > METHODS_MAX:
            problems.append(f"{path}: '{match.group(1)}' has {methods} methods, limit is {METHODS_MAX}")


files = 0
for path in sorted((root / "src").glob("*/**/*")):
    if path.suffix not in (".h", ".cc"):
        continue
    files += 1
    room = path.relative_to(root / "src").parts[0]
    text = path.read_text()
    lines = text.splitlines()
    if len(lines) > LINES_MAX:
        problems.append(f"{path}: {len(lines)} lines, limit is {LINES_MAX}")
    if room not in allowed:
        problems.append(f"{path}: room '{room}' is not in tools/layers.txt")
        continue
    if path.stem.endswith("_test"):
        continue
    may_throw = str(path.relative_to(root)) in fenced_files
    check_interfaces(path, text)
    for number, line in enumerate(lines, 1):
        check_includes(path, room, number, line)
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line).split("//")[0]
        if not may_throw and EXCEPTIONS.search(code):
            problems.append(f"{path}:{number}: exceptions and RTTI need a line in tools/fences.txt")

for room in allowed:
    readme = root / "src" / room / "README.md"
    if not readme.exists():
        problems.append(f"{readme} is missing")
    elif len(readme.read_text().splitlines()) > README_LINES_MAX:
        problems.append(f"{readme}: longer than {README_LINES_MAX} lines")

print(*problems, sep="\n")
print(f"{files} files, {len(problems)} problems")
sys.exit(bool(problems))
