#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""umoci lists, tags and sweeps a layout that plumb wrote, and finds all of it to be in use: umoci.py PLUMB"""
import sys

from stage import kits


def main():
    with kits.workplace() as work:
        author = kits.Author(sys.argv[1], work)
        reader = kits.Reader(author, work)
        layout = work / "layout"
        author.plumb("push", "kit:v1", f"oci:{layout}:v1")
        kits.same(kits.run("umoci", "ls", "--layout", layout).split(), ["v1"], "tags")
        kits.run("umoci", "tag", "--image", f"{layout}:v1", "v2")
        kits.same(sorted(kits.run("umoci", "ls", "--layout", layout).split()), ["v1", "v2"], "tags")
        kits.run("umoci", "rm", "--image", f"{layout}:v1")
        kits.run("umoci", "gc", "--layout", layout)
        kits.same(kits.check_layout(layout, "v2", author.id), author.kit["kitfile"], "its config")
        reader.check(f"oci:{layout}:v2")
        # plumb goes on where umoci stopped.
        author.plumb("push", "kit:v1", f"oci:{layout}:v3")
        kits.same(sorted(kits.run("umoci", "ls", "--layout", layout).split()), ["v2", "v3"], "tags")
        reader.report()


if __name__ == "__main__":
    main()
