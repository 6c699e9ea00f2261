#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Fails if the bill of materials in a package is not what the program is made of: bill.py PACKAGE
It must name, by their Debian sources, all that tools/fences.txt lets src/ include and all that the package
depends on, and nothing else; the notices must have a licence of everything that is compiled in."""
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile

package = sys.argv[1]
root = pathlib.Path(__file__).parents[2]


def run(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout


def sources_of(names):
    return {run("dpkg-query", "-W", "-f", "${source:Package}\n", name).decode().split()[0] for name in names}


archive = tarfile.open(fileobj=io.BytesIO(run("dpkg-deb", "--fsys-tarfile", package)))
doc = "./usr/share/doc/plumb/"
bill = json.load(archive.extractfile(doc + "plumb.spdx.json"))
notices = archive.extractfile(doc + "THIRD-PARTY-NOTICES").read().decode()

named, problems = set(), []
for entry in bill["packages"]:
    if entry["name"] == "plumb":
        continue
    origin = re.fullmatch(r"pkg:deb/debian/([^@]+)@(.+)\?arch=source",
                          entry.get("externalRefs", [{}])[0].get("referenceLocator", ""))
    if not origin:
        problems.append(f"'{entry['name']}' has no Debian source")
        continue
    named.add(origin.group(1))
for relation in bill["relationships"]:
    if relation["relationshipType"] != "STATIC_LINK":
        continue
    entry = next(e for e in bill["packages"] if e["SPDXID"] == relation["relatedSpdxElement"])
    if f"\n==== {entry['name']} (" not in notices:
        problems.append(f"THIRD-PARTY-NOTICES do not name '{entry['name']}'")
if "was not there when plumb was built" in notices:
    problems.append("THIRD-PARTY-NOTICES lack a text")

depends = re.findall(r"(?:^|, )([a-z0-9.+-]+)", run("dpkg-deb", "-f", package, "Depends").decode())
headers = re.findall(r"^<.*[ :]([a-z0-9-]+-dev)$", (root / "tools/fences.txt").read_text(), re.M)
if len(depends) < 5 or len(headers) < 5:
    sys.exit(f"read too little: depends {depends}, headers {headers}")
used = sources_of(depends + headers)
problems += [f"'{name}' is used, and not in cmake/third_party.cmake" for name in sorted(used - named)]
problems += [f"'{name}' is in cmake/third_party.cmake, and not used" for name in sorted(named - used)]
print(*problems, f"{len(named)} third parties, {len(problems)} problems", sep="\n")
sys.exit(bool(problems))
