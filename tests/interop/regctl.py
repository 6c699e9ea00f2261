#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What plumb pushes, regctl reads and copies, to another repository and as a layout, and plumb pulls it
back: regctl.py PLUMB [REGISTRY]"""
import sys

from stage import kits, peers, registries


def main():
    program = peers.need("regctl")
    with kits.workplace() as work, registries.registry(work, registries.chosen()) as host:
        author = kits.Author(sys.argv[1], work)
        reader = kits.Reader(author, work)
        regctl = [program, "--host", f"reg={host},tls=disabled"]
        options = {"env": kits.environment(work)}
        pushed = f"{host}/models/kit:v1"
        author.plumb("push", "kit:v1", pushed, "--plain-http")
        manifest = kits.run(*regctl, "manifest", "get", "--format", "raw-body", pushed, **options)
        kits.same(kits.sha256(manifest), author.id, "the manifest that regctl sees")
        kits.same(kits.run(*regctl, "tag", "ls", f"{host}/models/kit", **options).split(), ["v1"], "tags")

        kits.run(*regctl, "image", "copy", pushed, f"{host}/others/copy:v2", **options)
        reader.check(f"{host}/others/copy:v2", "--plain-http")
        layout = work / "copied"
        kits.run(*regctl, "image", "copy", pushed, f"ocidir://{layout}:v1", **options)
        kits.same(kits.check_layout(layout, "v1", author.id), author.kit["kitfile"], "its config")
        reader.check(f"oci:{layout}:v1")
        own = work / "own"
        author.plumb("push", "kit:v1", f"oci:{own}:v1")
        kits.run(*regctl, "image", "copy", f"ocidir://{own}:v1", f"{host}/others/own:v1", **options)
        reader.check(f"{host}/others/own:v1", "--plain-http")
        reader.report()


if __name__ == "__main__":
    main()
