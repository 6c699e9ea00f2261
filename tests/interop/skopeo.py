#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What plumb pushes, skopeo copies to a layout and to another repository, and plumb pulls it back from
both; what plumb writes as a layout, skopeo takes, and so with a bundle: skopeo.py PLUMB [REGISTRY]"""
import json
import sys

from stage import kits, registries


def main():
    with kits.workplace() as work, registries.registry(work, registries.chosen()) as host:
        author = kits.Author(sys.argv[1], work)
        reader = kits.Reader(author, work)
        skopeo = ["skopeo", "--insecure-policy", "--tmpdir", str(work)]
        pushed = f"docker://{host}/models/kit:v1"
        author.plumb("push", "kit:v1", f"{host}/models/kit:v1", "--plain-http")
        raw = kits.run(*skopeo, "inspect", "--raw", "--tls-verify=false", pushed)
        kits.same(kits.sha256(raw), author.id, "the manifest that skopeo sees")
        config = kits.run(*skopeo, "inspect", "--config", "--raw", "--tls-verify=false", pushed)
        kits.same(json.loads(config), author.kit["kitfile"], "the config that skopeo sees")

        copied = work / "copied"
        kits.run(*skopeo, "copy", "--src-tls-verify=false", pushed, f"oci:{copied}:v1")
        kits.same(kits.check_layout(copied, "v1", author.id), author.kit["kitfile"], "its config")
        reader.check(f"oci:{copied}:v1")
        kits.run(*skopeo, "copy", "--dest-tls-verify=false", f"oci:{copied}:v1", f"docker://{host}/others/copy:v2")
        reader.check(f"{host}/others/copy:v2", "--plain-http")

        own = work / "own"
        author.plumb("push", "kit:v1", f"oci:{own}:v3")
        kits.same(kits.check_layout(own, "v3", author.id), author.kit["kitfile"], "its config")
        kits.run(*skopeo, "copy", "--dest-tls-verify=false", f"oci:{own}:v3", f"docker://{host}/others/own:v3")
        reader.check(f"{host}/others/own:v3", "--plain-http")

        # One file: ours read by skopeo, and skopeo's by plumb.
        bundle, archive, unpacked = work / "ours.tar", work / "theirs.tar", work / "unpacked"
        author.plumb("export", "kit:v1", bundle)
        kits.run(*skopeo, "copy", f"oci-archive:{bundle}:kit:v1", f"oci:{unpacked}:v4")
        kits.same(kits.check_layout(unpacked, "v4", author.id), author.kit["kitfile"], "its config")
        kits.run(*skopeo, "copy", f"oci:{unpacked}:v4", f"oci-archive:{archive}:v5")
        reader.check_import(archive)
        reader.report()


if __name__ == "__main__":
    main()
