#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Kits that others put into an index: plumb takes the one that is meant: indexes.py PLUMB [REGISTRY]"""
import sys

from stage import kits, peers, registries


def main():
    program = peers.need("regctl")
    with kits.workplace() as work, registries.registry(work, registries.chosen()) as host:
        author = kits.Author(sys.argv[1], work)
        reader = kits.Reader(author, work)
        regctl = [program, "--host", f"reg={host},tls=disabled"]
        options = {"env": kits.environment(work), "cwd": work}
        repository = f"{host}/models/kit"
        author.plumb("push", "kit:v1", f"{repository}:v1", "--plain-http")
        (author.context / "docs" / "README.md").write_text("# another\n")
        author.plumb("build", author.context, "-t", "kit:v2")
        other = author.inspect("kit:v2")["digest"]
        author.plumb("push", "kit:v2", f"{repository}:v2", "--plain-http")
        author.context.joinpath("docs", "README.md").write_text("# read me\n")

        kits.run(*regctl, "index", "create", f"{repository}:one", "--ref", f"{repository}:v1", "--platform",
                 "linux/amd64", **options)
        reader.check(f"{repository}:one", "--plain-http")
        kits.run(*regctl, "index", "create", f"{repository}:two", "--ref", f"{repository}:v1", "--ref",
                 f"{repository}:v2", **options)
        said = author.plumb("pull", f"{repository}:two", "x:v1", "--plain-http", fails_with=2)
        for part in (author.id, other, "hint: name one by its digest"):
            kits.holds(said, part, "a pull of an index of several kits")
        reader.check(f"{repository}@{author.id}", "--plain-http")

        # An index in a layout, whose manifests only it names.
        layout = work / "layout"
        kits.run(*regctl, "image", "copy", f"{repository}:two", f"ocidir://{layout}:two", **options)
        author.plumb("pull", f"oci:{layout}:two", "x:v1", fails_with=2)
        reader.check(f"oci:{layout}@{author.id}")
        reader.report()


if __name__ == "__main__":
    main()
