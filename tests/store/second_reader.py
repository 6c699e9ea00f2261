#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Stores that the program writes, read by the second reader (read_store.py): second_reader.py PLUMB."""
import hashlib
import json
import os
import pathlib
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import read_store
from read_store import BLOCK, ENTROPY, MIB, OBJECT, PLANES, RAW, TREE, ZSTD

F32, Q8_0 = 0, 8


def expect(condition, what):
    if not condition:
        sys.exit(f"second_reader: {what}")


def bf16(noise, count):
    """Of few exponents, one of them much more frequent than the others."""
    exponents = noise.choices(range(6), (900, 60, 20, 10, 5, 5), k=count)
    return b"".join(struct.pack("<f", noise.choice((-1, 1)) * noise.uniform(1, 2) / (64 << exponent))[2:]
                    for exponent in exponents)


def f32(noise, count):
    return struct.pack(f"<{count}f", *(noise.gauss(0, 1) for _ in range(count)))


def q8_0(noise, blocks):
    return b"".join(struct.pack("<e", abs(noise.gauss(0, 1e-3))) + noise.randbytes(32) for _ in range(blocks))


def safetensors(tensors):
    header, at = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values())


def gguf(tensors):
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 0)
    data = b""
    for name, (kind, shape, content) in tensors.items():
        header += struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", len(shape))
        header += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, len(data))
        data += content + bytes(-len(content) % 32)
    return header + bytes(-len(header) % 32) + data


def write_files(directory):
    noise = random.Random(5)
    directory.mkdir()
    tensors = {
        "norm": ("F32", [100], f32(noise, 100)),  # a literal
        "bias": ("F32", [160], f32(noise, 160)),
        "w": ("BF16", [640, 1024], bf16(noise, 640 * 1024)),  # 1.25 MiB
        "odd": ("F32", [30001], f32(noise, 30001)),
        "frame": ("BF16", [70001], bf16(noise, 70001)),
    }
    (directory / "model.safetensors").write_bytes(safetensors(tensors))
    tuned = dict(tensors, w=("BF16", [640, 1024], tensors["w"][2][:MIB] + bf16(noise, 128 * 1024)))
    (directory / "tuned.safetensors").write_bytes(safetensors(tuned))
    q8_blocks = 34 * 1024  # 1.1 MiB
    (directory / "model.gguf").write_bytes(gguf({"a": (F32, [300], f32(noise, 300)),
                                                 "b": (Q8_0, [32, q8_blocks], q8_0(noise, q8_blocks))}))
    words = [noise.randbytes(4).hex() for _ in range(2000)]
    text = " ".join(noise.choice(words) for _ in range(180000)).encode()
    (directory / "notes.txt").write_bytes(text[:MIB * 5 // 4])
    (directory / "README.md").write_text("Small.\n")
    (directory / "Kitfile").write_text(
        "manifestVersion: 1.0.0\npackage: {name: read}\nmodel: {path: model.safetensors, parts: [{path: tuned.safetensors},"
        " {path: model.gguf}]}\ndatasets: [{path: notes.txt}]\ndocs: [{path: README.md}]\n")
    return tensors["w"][2]


class Bench:
    def __init__(self, plumb, scratch, home):
        self.home = scratch / home
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(scratch), "LC_ALL": "C.UTF-8", "PLUMB_HOME": str(self.home)}
        self.plumb_path, self.scratch = plumb, scratch

    def plumb(self, *arguments):
        done = subprocess.run([self.plumb_path, *arguments], cwd=self.scratch, env=self.environment, capture_output=True,
                              text=True, check=False)
        expect(done.returncode == 0, f"plumb {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def read(self):
        store = read_store.Store(self.home / "store")
        expect(not store.damages, f"damages: {store.damages}")
        return store

    def catalog(self, query):
        database = sqlite3.connect(f"file:{self.home}/store/catalog.sqlite?mode=ro", uri=True)
        rows = database.execute(query).fetchall()
        database.close()
        return rows


def check_blobs(bench, store):
    """What the packs say is what the catalog says, and each blob comes out with its digest."""
    blobs = {bytes(digest): size for digest, size in bench.catalog("SELECT digest, size FROM blobs WHERE dead = 0")}
    expect(blobs and set(store.digests()) == blobs.keys(), "other blobs than in the catalog")
    for digest, size in blobs.items():
        expect(len(store.read_blob(digest)) == size, "size of a blob")
    for name, size, encoding in bench.catalog("SELECT id, raw_size, encoding FROM objects WHERE dead = 0"):
        found = store.objects[bytes(name)]
        expect(found.size == size and isinstance(found, read_store.Tree) == (encoding == 4), "an object")


def check_history(bench, store):
    kits, refs, moves = store.replay()
    rows = bench.catalog("SELECT repository, tag, manifest FROM refs")
    expect({(r, t): bytes(m) for r, t, m in rows} == refs, "other refs than in the catalog")
    rows = bench.catalog("SELECT manifest, added FROM kits WHERE dead = 0")
    expect({bytes(m): added for m, added in rows} == kits, "other kits than in the catalog")
    rows = bench.catalog("SELECT moved, repository, tag, previous, manifest, message FROM ref_moves ORDER BY move")
    expect([(time, (r, t), p and bytes(p), m and bytes(m), text) for time, r, t, p, m, text in rows] == moves, "other moves")
    expect(len(moves) >= 4, "few moves")
    rows = bench.catalog("SELECT subject, kind FROM files")
    expect({(kind, bytes(subject)) for subject, kind in rows} == store.file_lists.keys(), "other lists of files")


def check_variety(store):
    frames = [frame for pack in store.packs for frame in pack.frames]
    seen = {(frame.type, frame.encoding) for frame in frames}
    for pair in ((BLOCK, PLANES), (BLOCK, ENTROPY), (OBJECT, PLANES), (OBJECT, ENTROPY), (OBJECT, ZSTD), (OBJECT, RAW), (TREE, RAW)):
        expect(pair in seen, f"no frame of type {pair[0]} in encoding {pair[1]}: the test is no test of it")
    expect({frame.type for frame in frames} >= {OBJECT, *range(2, 9)}, "not all types of frames")
    literals = [literal for recipes in store.recipes.values() for recipe in recipes for _, literal, _, _ in recipe.segments]
    expect(any(literals), "no literals")


def check_range(store, path, tensor):
    """A range of a tensor across two blocks, by these alone."""
    data = path.read_bytes()
    sha256 = next(key[1] for key, content in store.file_lists.items()
                  if key[0] == 1 and content[0][1] == hashlib.sha256(data).digest())
    layer = store.read_blob(sha256)
    at = layer.index(tensor[:4096])
    read, asked = read_store.Tree.block, []
    read_store.Tree.block = lambda self, index: asked.append(index) or read(self, index)
    try:
        got = store.read_blob_range(sha256, at + MIB - 1000, 3000)
        expect(got == tensor[MIB - 1000:MIB + 2000] and asked == [0, 1], "a range across blocks")
        asked.clear()
        got = store.read_blob_range(sha256, at + len(tensor) - 99, 99)
        expect(got == tensor[-99:] and asked == [1], "a range at the end")
    finally:
        read_store.Tree.block = read


def places(frames):
    return [(frame.at, frame.type, frame.id) for frame in frames]


def check_torn(store):
    """Without their ends packs say the same; cut within a frame, what is before it."""
    for pack in store.packs:
        torn = read_store.Pack(pack.name, pack.data[:-1])
        expect(torn.is_torn and not pack.is_torn and places(torn.frames) == places(pack.frames), "a torn pack")
    pack = max(store.packs, key=lambda pack: len(pack.frames))
    cut = read_store.Pack(pack.name, pack.data[:pack.frames[-1].payload_end - 1])
    expect(places(cut.frames) == places(pack.frames[:-1]), "a pack cut within a frame")


def check_damage(store):
    """One other bit in any kind of frame is noticed."""
    for kind in (OBJECT, BLOCK, TREE, read_store.RECIPE, read_store.KIT):
        frames = ((pack, frame) for pack in store.packs for frame in pack.frames)
        pack, frame = next((pack, frame) for pack, frame in frames if frame.type == kind)
        data = bytearray(pack.data)
        data[frame.payload_end - 1] ^= 1
        damaged = read_store.Pack(pack.name, bytes(data))
        index = pack.frames.index(frame)
        if kind == BLOCK:  # is read with its tree
            index = next(i for i in range(index, len(pack.frames)) if pack.frames[i].type == TREE)
        try:
            store.take(damaged.frames[index])
        except read_store.Corrupt:
            continue
        sys.exit(f"second_reader: damage in a frame of type {kind} is not noticed")


def check_adopted(plumb, scratch):
    """A store that uses files of others where they lie."""
    bench = Bench(plumb, scratch, "adopting")
    bench.plumb("import", "--link", "kit/tuned.safetensors", "-t", "owned:v1")
    store = bench.read()
    kinds = {found.kind for found in store.objects.values() if isinstance(found, read_store.Tree)}
    expect(store.files and 1 in kinds, "nothing was adopted")
    check_blobs(bench, store)


def main():
    plumb = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as directory:
        scratch = pathlib.Path(directory)
        tensor = write_files(scratch / "kit")
        bench = Bench(plumb, scratch, "home")
        bench.plumb("build", "kit", "-t", "read:v1", "-m", "the first")
        bench.plumb("optimize", "--archive")
        (scratch / "kit/README.md").write_text("Small, and other.\n")
        bench.plumb("build", "kit", "-t", "read:v2", "-t", "other:latest")
        bench.plumb("tag", "read:v2", "read:v1")
        shutil.copytree(scratch / "kit", scratch / "packed", ignore=shutil.ignore_patterns("*.gguf", "*.safetensors", "Kitfile"))
        (scratch / "packed/Kitfile").write_text("manifestVersion: 1.0.0\ndatasets: [{path: notes.txt}]\n")
        bench.plumb("build", "packed", "-t", "packed:v1", "--compression", "gzip")
        bench.plumb("remove", "other:latest")
        store = bench.read()
        check_variety(store)
        check_blobs(bench, store)
        check_history(bench, store)
        check_range(store, scratch / "kit/model.safetensors", tensor)
        check_torn(store)
        check_damage(store)
        check_adopted(plumb, scratch)
        print(f"{len(store.digests())} blobs, {len(store.objects)} objects, {len(store.packs)} packs")


if __name__ == "__main__":
    main()
