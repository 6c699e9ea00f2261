#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What oras and regctl attach to a kit, plumb sees, in a registry and in a layout: referrers.py PLUMB [REGISTRY]"""
import json
import sys

from stage import kits, peers, registries

NOTE = "application/vnd.example.note.v1"
OTHER = "application/vnd.example.other.v1"


def types(author, place, *flags):
    seen = author.inspect(place, "--remote", "--referrers", *flags)["referrers"]
    return sorted(entry["artifactType"] for entry in seen)


def main():
    oras, regctl_program = peers.need("oras"), peers.need("regctl")
    with kits.workplace() as work, registries.registry(work, registries.chosen()) as host:
        author = kits.Author(sys.argv[1], work)
        options = {"env": kits.environment(work), "cwd": work}
        (work / "note.txt").write_text("good weights\n")
        regctl = [regctl_program, "--host", f"reg={host},tls=disabled"]

        place = f"{host}/models/kit:v1"
        author.plumb("push", "kit:v1", place, "--plain-http")
        kits.same(types(author, place, "--plain-http"), [], "referrers of a kit that has none")
        kits.run(oras, "attach", "--plain-http", "--artifact-type", NOTE, place, "note.txt:text/plain", **options)
        kits.same(types(author, place, "--plain-http"), [NOTE], "what oras attached")
        kits.run(*regctl, "artifact", "put", "--artifact-type", OTHER, "--subject", place, input="other\n", **options)
        kits.same(types(author, place, "--plain-http"), [NOTE, OTHER], "what oras and regctl attached")

        # The lists of others agree, and are no tags of kits.
        discovered = json.loads(kits.run(oras, "discover", "--plain-http", "--format", "json", place, **options))
        found = discovered.get("referrers") or discovered.get("manifests")
        kits.same(len(found), 2, "what oras discovers")
        listed = author.plumb("list", f"{host}/models/kit", "--plain-http", "--format", "{{.Tags}}")
        kits.same(listed.strip(), "[v1]", "tags")

        layout = work / "layout"
        author.plumb("push", "kit:v1", f"oci:{layout}:v1")
        kits.run(oras, "attach", "--oci-layout", "--artifact-type", NOTE, f"{layout}:v1", "note.txt:text/plain",
                 **options)
        kits.run(*regctl, "artifact", "put", "--artifact-type", OTHER, "--subject", f"ocidir://{layout}:v1",
                 input="other\n", **options)
        kits.same(types(author, f"oci:{layout}:v1"), [NOTE, OTHER], "what both attached in a layout")
        author.plumb("pull", f"oci:{layout}", "again:v1")  # still one tag
        print("referrers of oras and regctl are seen")


if __name__ == "__main__":
    main()
