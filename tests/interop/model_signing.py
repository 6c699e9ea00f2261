#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""OpenSSF's model_signing finds the files root that plumb recorded, in what plumb unpacked: model_signing.py PLUMB

It sorts by the parts of paths, and we by code points; whoever verifies takes the order of the list. So where the two
differ, the digest of each file is compared, and the root of its list in our order."""
import hashlib
import json
import subprocess
import sys

from stage import kits, peers

# As its own signing does it: a manifest, and the statement of that. Nothing is left out, not even git's files.
PEER = """
import json, pathlib, sys
from model_signing import hashing
from model_signing._signing import signing
config = hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=False)
statement = signing.Payload(config.hash(pathlib.Path(sys.argv[1]))).statement.pb
resources = [[r["name"], r["digest"]] for r in statement.predicate["resources"]]
print(json.dumps({"root": statement.subject[0].digest["sha256"], "resources": resources}))
"""

KITFILE = "manifestVersion: 1.0.0\nmodel: {path: weights}\ncode: [{path: .}]\n"
# Of files, and whether both orders are the same.
CASES = {
    "plain": ({"weights/w.bin": "w" * 3_000_000, "weights/empty": "", "run.sh": "echo\n"}, True),
    "names": ({"weights/é.txt": "1", "weights/😀": "2", "weights/｡": "3", "weights/with space": "4",
               ".gitattributes": "*.bin lfs\n", "a:b": "5", "%41": "6", "Z": "7", "y": "8"}, True),
    "deep": ({"weights/" + "d/" * 40 + "w": "1", "weights/e.txt/x": "2"}, True),
    "order": ({"weights/sub/z.txt": "z\n", "weights/sub-a/q.txt": "q\n", "weights/sub.txt": "s\n"}, False),
}


def ask(python, directory):
    return json.loads(kits.run(python, "-c", PEER, directory))


def check(person, python, work, name):
    files, same_order = CASES[name]
    context = work / name
    for path, content in files.items():
        (context / path).parent.mkdir(parents=True, exist_ok=True)
        (context / path).write_text(content)
    (context / "Kitfile").write_text(KITFILE)
    person.plumb("build", context, "-t", f"{name}:v1")
    root = person.inspect(f"{name}:v1")["filesRoot"]
    out = work / f"{name}-out"
    person.plumb("unpack", f"{name}:v1", "-d", out)
    found = ask(python, out)
    names = [resource[0] for resource in found["resources"]]
    kits.same(sorted(names), sorted([*files, "Kitfile"]), f"{name}: what it lists")
    ours = sorted(found["resources"], key=lambda resource: resource[0].encode())
    kits.same(ours == found["resources"], same_order, f"{name}: that the order is the same")
    digests = b"".join(bytes.fromhex(digest) for _, digest in ours)
    kits.same("sha256:" + hashlib.sha256(digests).hexdigest(), root, f"{name}: the root in our order")
    if same_order:
        kits.same("sha256:" + found["root"], root, f"{name}: the root")


def main():
    python = peers.need("model_signing")
    if subprocess.run([python, "-c", "import model_signing"], capture_output=True).returncode != 0:
        sys.exit("model_signing is there and cannot be imported")
    with kits.workplace() as work:
        person = kits.Home(sys.argv[1], work / "home")
        for name in CASES:
            check(person, python, work, name)
        # On a base, whose files are unpacked with it.
        (work / "upon").mkdir()
        (work / "upon/lora.bin").write_text("adapter")
        (work / "upon/Kitfile").write_text(
            "manifestVersion: 1.0.0\nmodel:\n  path: plain:v1\n  parts: [{path: lora.bin}]\n")
        person.plumb("build", work / "upon", "-t", "upon:v1")
        person.plumb("unpack", "upon:v1", "-d", work / "upon-out")
        kits.same("sha256:" + ask(python, work / "upon-out")["root"], person.inspect("upon:v1")["filesRoot"],
                  "the root of a kit on a base")
    print(f"{len(CASES) + 1} kits have the same root there")


if __name__ == "__main__":
    main()
