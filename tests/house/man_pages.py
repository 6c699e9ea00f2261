#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Fails if groff has anything to say about a page of the manual: man_pages.py PLUMB"""
import json
import subprocess
import sys

plumb = sys.argv[1]


def run(*words, **how):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, **how).stdout


verbs = [verb["name"] for verb in json.loads(run(plumb, "help", "--json"))["verbs"]]
if len(verbs) < 10:
    sys.exit(f"only {len(verbs)} verbs are told of: {verbs}")
problems = 0
for words in [[], *([verb] for verb in verbs)]:
    page = run(plumb, "help", "--man", *words)
    said = run("groff", "-man", "-Kutf8", "-Tutf8", "-ww", "-z", input=page, stderr=subprocess.STDOUT)
    if said:
        problems += 1
        print(f"plumb help --man {' '.join(words)}:\n{said.decode()}")
sys.exit(problems > 0)
