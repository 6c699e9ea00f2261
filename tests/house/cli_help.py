#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Fails if docs/cli.md is not what `plumb help --markdown` says: cli_help.py PLUMB docs/cli.md"""
import pathlib
import subprocess
import sys

plumb, document = sys.argv[1:]
said = subprocess.run([plumb, "help", "--markdown"], check=True, capture_output=True, text=True).stdout
if said != pathlib.Path(document).read_text():
    sys.exit(f"{document} is not current: plumb help --markdown > docs/cli.md")
