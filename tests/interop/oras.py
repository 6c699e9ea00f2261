#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What plumb pushes, oras reads and copies, to another repository and as a layout, and plumb pulls it
back; a kit that oras made by hand, plumb pulls: oras.py PLUMB [REGISTRY]"""
import json
import sys
import tarfile

from stage import kits, peers, registries

KIT = "application/vnd.kitops.modelkit"


def push_by_hand(oras, host, work, options):
    """A kit whose parts oras was handed one by one, as kit's own documentation does not say one can."""
    directory = work / "by-hand"
    directory.mkdir()
    (directory / "model.bin").write_bytes(b"weights of somebody else" * 1000)
    with tarfile.open(directory / "model.tar", "w") as archive:
        archive.add(directory / "model.bin", "model.bin")
    (directory / "config.json").write_text(json.dumps(
        {"manifestVersion": "1.0.0", "package": {"name": "by-hand"}, "model": {"name": "m", "path": "model.bin"}}))
    kits.run(*oras, "push", "--plain-http", f"{host}/hands/kit:v1", "--config", f"config.json:{KIT}.config.v1+json",
             f"model.tar:{KIT}.model.v1.tar", cwd=directory, **options)
    return (directory / "model.bin").read_bytes()


def main():
    oras = [peers.need("oras")]
    with kits.workplace() as work, registries.registry(work, registries.chosen()) as host:
        author = kits.Author(sys.argv[1], work)
        reader = kits.Reader(author, work)
        options = {"env": kits.environment(work)}
        pushed = f"{host}/models/kit:v1"
        author.plumb("push", "kit:v1", pushed, "--plain-http")
        manifest = kits.run(*oras, "manifest", "fetch", "--plain-http", pushed, **options)
        kits.same(kits.sha256(manifest), author.id, "the manifest that oras sees")
        config = kits.run(*oras, "manifest", "fetch-config", "--plain-http", pushed, **options)
        kits.same(json.loads(config), author.kit["kitfile"], "the config that oras sees")
        kits.same(kits.run(*oras, "repo", "tags", "--plain-http", f"{host}/models/kit", **options).split(), ["v1"],
                  "tags")

        kits.run(*oras, "copy", "--from-plain-http", "--to-plain-http", pushed, f"{host}/others/copy:v2", **options)
        reader.check(f"{host}/others/copy:v2", "--plain-http")
        layout = work / "copied"
        kits.run(*oras, "copy", "--from-plain-http", "--to-oci-layout", pushed, f"{layout}:v1", **options)
        kits.same(kits.check_layout(layout, "v1", author.id), author.kit["kitfile"], "its config")
        reader.check(f"oci:{layout}:v1")
        own = work / "own"
        author.plumb("push", "kit:v1", f"oci:{own}:v1")
        kits.run(*oras, "copy", "--from-oci-layout", "--to-plain-http", f"{own}:v1", f"{host}/others/own:v1", **options)
        reader.check(f"{host}/others/own:v1", "--plain-http")

        weights = push_by_hand(oras, host, work, options)
        home = kits.Home(sys.argv[1], work / "hands")
        home.plumb("pull", f"{host}/hands/kit:v1", "by-hand:v1", "--plain-http")
        home.plumb("unpack", "by-hand:v1", "-d", work / "unpacked")
        kits.same((work / "unpacked" / "model.bin").read_bytes(), weights, "weights that oras pushed")
        reader.report()


if __name__ == "__main__":
    main()
