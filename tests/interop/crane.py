#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What plumb pushes, crane reads and copies, to another repository and as a layout, and plumb pulls it
back: crane.py PLUMB [REGISTRY]"""
import json
import sys

from stage import kits, peers, registries


def main():
    crane = [peers.need("crane"), "--insecure"]
    with kits.workplace() as work, registries.registry(work, registries.chosen()) as host:
        author = kits.Author(sys.argv[1], work)
        reader = kits.Reader(author, work)
        options = {"env": kits.environment(work)}
        pushed = f"{host}/models/kit:v1"
        author.plumb("push", "kit:v1", pushed, "--plain-http")
        kits.same(kits.run(*crane, "digest", pushed, **options).strip(), author.id, "the digest that crane sees")
        manifest = kits.run(*crane, "manifest", pushed, **options)
        kits.same(kits.sha256(manifest), author.id, "the manifest that crane sees")
        config = kits.run(*crane, "config", pushed, **options)
        kits.same(json.loads(config), author.kit["kitfile"], "the config that crane sees")
        kits.same(kits.run(*crane, "ls", f"{host}/models/kit", **options).split(), ["v1"], "tags")

        kits.run(*crane, "copy", pushed, f"{host}/others/copy:v2", **options)
        reader.check(f"{host}/others/copy:v2", "--plain-http")
        kits.run(*crane, "tag", f"{host}/others/copy:v2", "v3", **options)
        reader.check(f"{host}/others/copy:v3", "--plain-http")

        # crane names nothing in the layouts that it writes: it is asked for by digest.
        layout = work / "pulled"
        kits.run(*crane, "pull", "--format=oci", pushed, layout, **options)
        reader.check(f"oci:{layout}@{author.id}")
        own = work / "own"
        author.plumb("push", "kit:v1", f"oci:{own}:v1")
        kits.run(*crane, "push", own, f"{host}/others/own:v1", **options)
        reader.check(f"{host}/others/own:v1", "--plain-http")
        reader.report()


if __name__ == "__main__":
    main()
