#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Models of other programs are imported without a second copy: file_systems.py PLUMB

On xfs and btrfs (loop mounts) their files and the store share blocks: nothing is used twice, and who writes
to a file later changes nothing in the kit. Elsewhere that takes --link, and who writes to the file makes the
kit unreadable, which is noticed and named. Where nothing can be mounted that part is skipped, saying so (77)."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
MODEL_SIZE = 48 << 20
# What a store with one kit takes besides the model.
OVERHEAD_MAX = 8 << 20
COMMIT = "0123456789012345678901234567890123456789"


def check(condition, what):
    if not condition:
        sys.exit(f"failed: {what}")


def model_bytes():
    """As random as weights, and a safetensors file."""
    body = b"".join(hashlib.sha512(str(i).encode()).digest() for i in range(MODEL_SIZE // 64))
    header = json.dumps({"w": {"dtype": "U8", "shape": [len(body)], "data_offsets": [0, len(body)]}}).encode()
    return len(header).to_bytes(8, "little") + header + body


class Place:
    """A file system with a Hugging Face cache and an Ollama store in it, and a home for plumb."""

    def __init__(self, program, root, model):
        self.program, self.root, self.model = program, root, model
        self.digest = hashlib.sha256(model).hexdigest()
        repository = root / "hub/models--org--name"
        for part in ("refs", "blobs", f"snapshots/{COMMIT}"):
            (repository / part).mkdir(parents=True)
        (repository / "refs/main").write_text(COMMIT)
        self.hub_blob = repository / "blobs" / self.digest
        self.hub_blob.write_bytes(model)
        (repository / f"snapshots/{COMMIT}/model.safetensors").symlink_to(f"../../blobs/{self.digest}")
        self.make_ollama()
        subprocess.run(["sync"], check=True)

    def make_ollama(self):
        blobs = self.root / "ollama/blobs"
        blobs.mkdir(parents=True)
        model = b"GGUF" + self.model[::-1]
        layer = {"mediaType": "application/vnd.ollama.image.model", "size": len(model),
                 "digest": "sha256:" + hashlib.sha256(model).hexdigest()}
        (blobs / layer["digest"].replace(":", "-")).write_bytes(model)
        config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2,
                  "digest": "sha256:" + hashlib.sha256(b"{}").hexdigest()}
        path = self.root / "ollama/manifests/registry.ollama.ai/library/tiny/latest"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"schemaVersion": 2, "config": config, "layers": [layer]}))

    def plumb(self, *arguments):
        environment = os.environ | {"PLUMB_HOME": str(self.root / "home"), "HF_HUB_CACHE": str(self.root / "hub"),
                                    "OLLAMA_MODELS": str(self.root / "ollama")}
        return subprocess.run([self.program, *arguments], env=environment, capture_output=True, text=True)

    def imported(self, *arguments):
        done = self.plumb("import", *arguments, "--json")
        check(done.returncode == 0, f"import {arguments}: {done.stderr}")
        return json.loads(done.stdout), done.stderr

    def used(self):
        subprocess.run(["sync"], check=True)
        state = os.statvfs(self.root)
        return (state.f_blocks - state.f_bfree) * state.f_frsize

    def unpacks(self, name):
        target = self.root / "out"
        shutil.rmtree(target, ignore_errors=True)
        done = self.plumb("unpack", name, "-d", str(target))
        return done, target

    def overwrite(self, path):
        with open(path, "r+b") as file:
            file.seek(MODEL_SIZE // 2)
            file.write(b"somebody else was here")

    def overwrite_all(self, path):
        """Takes as much again if somebody shares its blocks."""
        with open(path, "r+b") as file:
            file.write(bytes(len(self.model)))


def check_shared(place, name):
    """Where blocks can be shared."""
    before = place.used()
    report, _ = place.imported("hf:org/name")
    check(report["bytesAdopted"] > MODEL_SIZE * 9 // 10, f"{name}: adopted {report['bytesAdopted']}")
    place.imported("ollama:tiny")
    grown = place.used() - before
    check(grown < OVERHEAD_MAX, f"{name}: two models of {MODEL_SIZE} bytes took {grown} more")
    place.overwrite(place.hub_blob)
    done, target = place.unpacks("org/name")
    check(done.returncode == 0, f"{name}: {done.stderr}")
    check((target / "model.safetensors").read_bytes() == place.model, f"{name}: other bytes came")
    check(place.plumb("fsck", "--full").returncode == 0, f"{name}: fsck says that the store is damaged")
    for kit in ("org/name", "tiny"):
        place.plumb("remove", "-f", kit)
    check(place.plumb("gc").returncode == 0, f"{name}: gc")
    shutil.rmtree(target)
    place.overwrite_all(place.hub_blob)
    left = place.used() - before
    check(left < OVERHEAD_MAX, f"{name}: after a gc the store holds on to {left} bytes")
    print(f"{name}: imported 2 models of {MODEL_SIZE >> 20} MiB in {grown >> 10} KiB")


def check_linked(place):
    """Where they cannot, as on most machines."""
    errors = place.plumb("import", "ollama:tiny").stderr
    if "--link" not in errors and place.imported("ollama:tiny")[0]["bytesAdopted"] > 0:
        print("this directory shares blocks itself: hard links are not tried")
        return
    check("--link would have saved 48.0 MiB" in errors, f"no hint: {errors}")
    report, errors = place.imported("hf:org/name", "--link")
    check(report["bytesAdopted"] > MODEL_SIZE * 9 // 10, f"adopted {report['bytesAdopted']}: {errors}")
    check(place.hub_blob.stat().st_nlink == 2, "it is no hard link")
    done, target = place.unpacks("org/name")
    check(done.returncode == 0 and (target / "model.safetensors").read_bytes() == place.model, done.stderr)
    place.overwrite(place.hub_blob)
    done, target = place.unpacks("org/name")
    check(done.returncode == 4, f"a changed file was not noticed: {done.returncode}")
    check("is damaged" in done.stderr and "sha256:" in done.stderr, f"nothing is named: {done.stderr}")
    check(not (target / "model.safetensors").exists(), "a changed file was returned")
    check(place.plumb("fsck", "--full").returncode == 1, "fsck does not see that a file was changed")
    print("hard link: imported without a copy; a change behind our back was noticed")


def mounted(kind, work):
    """A fresh file system of that kind, or why there is none."""
    image, point = work / f"{kind}.img", work / kind
    point.mkdir()
    with open(image, "wb") as file:
        file.truncate(512 << 20)
    for command in (["mkfs." + kind, "-q", str(image)], ["mount", "-o", "loop", str(image), str(point)]):
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError:
            return None, f"there is no {command[0]}"
        if done.returncode != 0:
            return None, f"{command[0]}: {done.stderr.strip()}"
    return point, ""


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    work = pathlib.Path(tempfile.mkdtemp(prefix="plumb-filesystems-"))
    model = model_bytes()
    skipped = []
    try:
        (work / "plain").mkdir()
        check_linked(Place(program, work / "plain", model))
        for kind in ("xfs", "btrfs"):
            point, why = mounted(kind, work)
            if point is None:
                skipped.append(f"{kind} ({why})")
                continue
            try:
                check_shared(Place(program, point, model), kind)
            finally:
                subprocess.run(["umount", str(point)], check=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if skipped:
        print("SKIPPED, nothing was tested on: " + ", ".join(skipped))
        sys.exit(SKIPPED)


if __name__ == "__main__":
    main()
