#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""What modctl and later kits write, written here by hand after their sources, is pulled, shown and unpacked:
modctl_layout.py PLUMB"""
import gzip
import io
import json
import shutil
import subprocess
import sys
import tarfile

from stage import kits

MODEL = "application/vnd.cncf.model."
KIT = "application/vnd.kitops.modelkit."
# As os.Stat of the author's disk gave them; two are empty, two are equal, one needs a PAX header.
FILES = [
    ("weight.config", "config.json", b'{"architectures":["LlamaForCausalLM"]}', 0o644),
    ("weight.config", "tokenizer/deep/er/tokenizer.json", b"{}", 0o600),
    ("weight", "model-00001-of-00002.safetensors", bytes(range(256)) * 4000, 0o644),
    ("weight", "shards/model-00002-of-00002.safetensors", bytes(range(255, -1, -1)) * 4000, 0o640),
    ("code", "src/a/__init__.py", b"", 0o644),
    ("code", "src/b/__init__.py", b"", 0o644),
    ("code", "src/run.sh", b"#!/bin/sh\necho hello\n", 0o755),
    ("doc", "docs/" + "long-" * 25 + "name.md", b"# long\n", 0o644),
    ("doc", "docs/r\u00e9sum\u00e9 \u6a21\u578b.md", b"# names\n", 0o644),
    ("doc", "README.md", b"# tiny\n", 0o644),
]


def tar(path, content, mode):
    """archive/tar of Go: FileInfoHeader, whose format is the first of USTAR and PAX that can say it."""
    fits = path.isascii() and (len(path) <= 100 or any(
        0 < at <= 155 and len(path) - at - 1 <= 100 for at, c in enumerate(path) if c == "/"))
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode, entry.mtime = len(content), mode, 1735689600
    entry.uid, entry.gid, entry.uname, entry.gname = 1000, 1000, "author", "author"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT if fits else tarfile.PAX_FORMAT) as archive:
        archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


class Layout:
    def __init__(self, path):
        self.path = path
        (path / "blobs/sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.manifests = []

    def put(self, content, media_type, annotations=None):
        content = content if isinstance(content, bytes) else content.encode()
        digest = kits.sha256(content)
        (self.path / "blobs" / digest.replace(":", "/")).write_bytes(content)
        described = {"mediaType": media_type, "digest": digest, "size": len(content)}
        return described | ({"annotations": annotations} if annotations else {})

    def name(self, manifest, tag):
        described = self.put(go_json(manifest), "application/vnd.oci.image.manifest.v1+json")
        self.manifests.append(described | {"annotations": {"org.opencontainers.image.ref.name": tag}})
        # One that nobody here can read is in nobody's way.
        foreign = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha512:" + "0" * 128, "size": 7}
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": self.manifests + [foreign]}))
        return described["digest"]


def go_json(value):
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def modctl(layout, tag, raw):
    """`modctl build [--raw]`: a layer for each file."""
    layers = []
    for kind, path, content, mode in FILES:
        blob = content if raw else tar(path, content, mode)
        about = {"name": path.split("/")[-1], "mode": mode, "uid": 1000, "gid": 1000, "size": len(content),
                 "mtime": "2025-01-01T01:02:03.123456789+08:00", "typeflag": 0}
        layers.append(layout.put(blob, f"{MODEL}{kind}.v1.{'raw' if raw else 'tar'}",
                                 {"org.cncf.model.file.metadata+json": go_json(about),
                                  "org.cncf.model.filepath": path}))
    config = {"descriptor": {"createdAt": "2025-01-01T01:02:03.987654321+08:00", "family": "llama3", "name": "tiny",
                             "sourceURL": "https://git.example.org/tiny", "revision": "0123abc-dirty"},
              "modelfs": {"type": "layers", "diffIds": [layer["digest"] for layer in layers]},
              "config": {"architecture": "transformer", "format": "safetensors", "paramSize": "8b",
                         "precision": "bf16", "capabilities": {"reasoning": True}}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "artifactType": MODEL + "manifest.v1+json",
                "config": layout.put(go_json(config), MODEL + "config.v1+json"), "layers": layers,
                "annotations": {"org.cncf.modctl.modelfile": "NAME tiny\nMODEL *.safetensors\nDOC <docs> & more\n"}}
    return layout.name(manifest, tag)


def later_kit(layout, tag, compress, suffix):
    """kit from 1.8 on: an artifactType, layers that are compressed or raw."""
    content = FILES[2][2]
    model, code = tar("w.safetensors", content, 0o644), b"print('hello')\n"
    packed = compress(model)
    layers = [layout.put(packed, KIT + "model.v1.tar" + suffix),
              layout.put(code, KIT + "code.v1.raw", {"org.cncf.model.filepath": "src/x.py"})]
    config = {"manifestVersion": "1.0.0", "package": {"name": "later"},
              "model": {"path": "w.safetensors", "digest": layers[0]["digest"], "diffId": kits.sha256(model)},
              "code": [{"path": "src", "digest": layers[1]["digest"], "diffId": layers[1]["digest"]}]}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "artifactType": KIT + "manifest.v1+json",
                "config": layout.put(go_json(config), KIT + "config.v1+json"), "layers": layers,
                "annotations": {"ml.kitops.modelkit.cli-version": "1.9.0"}}
    return layout.name(manifest, tag)


def kit17(layout, tag):
    """kit 1.7: no mediaType, digests in the config."""
    model = tar("w.safetensors", FILES[2][2], 0o644)
    layer = layout.put(model, KIT + "model.v1.tar")
    config = {"manifestVersion": "1.0.0", "package": {},
              "model": {"path": "w.safetensors", "digest": layer["digest"], "diffId": layer["digest"]}}
    manifest = {"schemaVersion": 2, "config": layout.put(go_json(config), KIT + "config.v1+json"), "layers": [layer],
                "annotations": {"ml.kitops.modelkit.cli-version": "1.7.0"}}
    return layout.name(manifest, tag)


def check_files(directory, modes):
    got = {str(path.relative_to(directory)): path for path in directory.rglob("*") if path.is_file()}
    kits.same(sorted(set(got) - {"Kitfile"}), sorted(path for _, path, _, _ in FILES), "the files")
    for _, path, content, mode in FILES:
        kits.same(got[path].read_bytes(), content, path)
        if modes and mode & 0o100:
            kits.same(bool(got[path].stat().st_mode & 0o100), True, f"that {path} can be run")


def zstd(content):
    return subprocess.run(["zstd", "-q", "-c"], input=content, capture_output=True, check=True).stdout


def main():
    with kits.workplace() as work:
        home = kits.Home(sys.argv[1], work / "home")
        layout = Layout(work / "layout")
        for tag, raw in (("raw", True), ("tar", False)):
            digest = modctl(layout, tag, raw)
            home.plumb("pull", f"oci:{layout.path}:{tag}", f"modctl:{tag}")
            kits.same(home.inspect(f"modctl:{tag}")["digest"], digest, "its ModelKitID")
            info = home.plumb("info", f"modctl:{tag}")
            for part in ("name: tiny", "family: llama3", "path: src/run.sh", "paramSize: 8b"):
                kits.holds(info, part, "info")
            home.plumb("unpack", f"modctl:{tag}", "-d", work / tag)
            check_files(work / tag, modes=True)
            home.plumb("verify", f"modctl:{tag}")
            # Back again, as it came.
            home.plumb("push", f"modctl:{tag}", f"oci:{work}/again:{tag}")
            kits.same((work / "again/blobs" / digest.replace(":", "/")).read_bytes(),
                      (layout.path / "blobs" / digest.replace(":", "/")).read_bytes(), "the manifest")
        makers = [("gzip", lambda tag: later_kit(layout, tag, gzip.compress, "+gzip")),
                  ("kit17", lambda tag: kit17(layout, tag))]
        if shutil.which("zstd"):
            makers.append(("zstd", lambda tag: later_kit(layout, tag, zstd, "+zstd")))
        for tag, make in makers:
            digest = make(tag)
            kits.same(home.inspect("--remote", f"oci:{layout.path}:{tag}")["digest"], digest, "there")
            home.plumb("unpack", f"oci:{layout.path}:{tag}", "-d", work / tag)
            kits.same((work / tag / "w.safetensors").read_bytes(), FILES[2][2], "the model")
            if tag != "kit17":
                kits.same((work / tag / "src/x.py").read_text(), "print('hello')\n", "the code")
        listed = home.plumb("list", f"oci:{layout.path}")
        for tag in ["raw", "tar"] + [tag for tag, _ in makers]:
            kits.holds(listed, tag, "list")


if __name__ == "__main__":
    main()
