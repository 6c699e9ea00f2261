#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""A second reader of stores, written from docs/format.md ("Store") alone. It looks at packs only, never at the catalog:

    tests/store/read_store.py STORE

checks all that is there, rebuilds every blob, and prints kits, refs and moves of refs."""
import ctypes
import ctypes.util
import hashlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "codec"))
import blake3
import cuts
import decode
from decode import Corrupt, need

MIB = 1 << 20
PACK_HEADER, FRAME_HEADER, TRAILER, FOOTER_ENTRY = 64, 128, 32, 49
ALIGNED_OBJECT, RECIPE, BLOB, KIT, REF_MOVE, BLOCK, TREE, FILES, OBJECT, FOOTER = 1, 2, 3, 4, 5, 6, 7, 8, 10, 255
RAW, ZSTD, PLANES, ENTROPY = range(4)
# What a frame of each type decodes to, at most.
RAW_MAX = {OBJECT: 4 * MIB, ALIGNED_OBJECT: 4 * MIB, RECIPE: 64 * MIB, BLOB: 64 << 10, KIT: 64 << 10, REF_MOVE: 64 << 10, BLOCK: MIB, TREE: 64 * MIB,
           FILES: 64 * MIB, FOOTER: 4194304 * FOOTER_ENTRY}


DAY = 86400 * 10**9


class Unsupported(Exception):
    pass


class Reader(decode.Reader):
    def hash(self):
        return self.take(32)

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.number(1)
            need(shift < 63 or (shift == 63 and byte <= 1), "varint")
            value |= (byte & 127) << shift
            if byte < 128:
                need(byte or not shift, "varint")
                return value
            shift += 7

    def text(self):
        return self.take(self.varint()).decode()

    def rest(self):
        return self.take(len(self.data) - self.at)

    def end(self):
        need(self.at == len(self.data), "something behind")


def up(size, multiple):
    return -(-size // multiple) * multiple


def is_sealed(record):
    return blake3.blake3(record[:-8])[:8] == record[-8:]


def load_zstd():
    zstd = ctypes.CDLL(ctypes.util.find_library("zstd"))
    for function in (zstd.ZSTD_decompress, zstd.ZSTD_findFrameCompressedSize):
        function.restype = ctypes.c_size_t
    return zstd


def expand(stored, raw_size):
    zstd = load_zstd()
    frame_size = zstd.ZSTD_findFrameCompressedSize(stored, ctypes.c_size_t(len(stored)))
    need(frame_size == len(stored), "not one frame of zstd")
    out = ctypes.create_string_buffer(raw_size)
    size = zstd.ZSTD_decompress(out, ctypes.c_size_t(raw_size), stored, ctypes.c_size_t(len(stored)))
    need(size == raw_size, "zstd gives another size")
    return out.raw


def decode_payload(encoding, stored, raw_size):
    if encoding == RAW:
        need(len(stored) == raw_size, "raw size")
        return stored
    if encoding == ZSTD:
        return expand(stored, raw_size)
    if encoding in (PLANES, ENTROPY):
        return decode.decode(encoding, stored, raw_size)
    raise Unsupported(f"encoding {encoding}")


class Frame:
    def __init__(self, pack, at):
        reader = Reader(pack.data[at:at + FRAME_HEADER])
        need(reader.take(4) == b"PLFR" and is_sealed(reader.data), "frame header")
        self.pack, self.at = pack, at
        self.type, self.encoding, flags, key = reader.take(4)
        self.stored_size, self.raw_size = reader.number(8), reader.number(8)
        padding, self.block = reader.number(4), reader.number(4)
        self.id, self.check = reader.hash(), reader.take(16)
        if flags & 1 and self.type not in RAW_MAX or flags & ~1 or key or self.encoding > ENTROPY:
            raise Unsupported("a frame")
        self.payload_at = at + FRAME_HEADER
        if self.stored_size >= 4096 and self.type not in (BLOCK, TREE, OBJECT):
            self.payload_at = up(self.payload_at, 4096)
        need(self.payload_at == at + FRAME_HEADER + padding, "padding")
        self.payload_end = self.payload_at + self.stored_size
        self.end = up(self.payload_end, 8)
        need(self.payload_end <= len(pack.data), "a payload is cut short")

    def stored(self):
        stored = self.pack.data[self.payload_at:self.payload_end]
        need(self.type == BLOCK or blake3.blake3(stored)[:16] == self.check, "a payload's check")
        return stored

    def raw(self):
        """Not that of a block or a tree, whose ids are not those of their bytes."""
        need(self.encoding == RAW or self.type in (OBJECT, ALIGNED_OBJECT), "encoding")
        need(self.stored_size <= self.raw_size <= RAW_MAX.get(self.type, 0), "raw size")
        raw = decode_payload(self.encoding, self.stored(), self.raw_size)
        need(blake3.blake3(raw) == self.id, "a frame's id")
        return raw


class Pack:
    def __init__(self, name, data):
        self.name, self.data = name, data
        reader = Reader(data[:PACK_HEADER])
        need(reader.take(8) == b"PLUMBPAK" and is_sealed(reader.data), "header of a pack")
        if reader.number(4) != 1 or reader.number(4):
            raise Unsupported("a pack")
        need(reader.take(16) == name, "name of a pack")
        try:
            self.frames, self.is_torn = self.read_footer(), False
        except Corrupt:
            self.frames, self.is_torn = list(self.walk()), True

    def read_footer(self):
        need(len(self.data) >= PACK_HEADER + FRAME_HEADER + TRAILER, "no trailer")
        trailer = Reader(self.data[-TRAILER:])
        need(trailer.take(8) == b"PLUMBEND" and is_sealed(trailer.data), "trailer")
        footer, count = Frame(self, trailer.number(8)), trailer.number(8)
        need(footer.type == FOOTER and footer.end == len(self.data) - TRAILER, "footer")
        entries, frames, at = Reader(footer.raw()), [], PACK_HEADER
        need(len(entries.data) == count * FOOTER_ENTRY, "number of frames")
        for _ in range(count):
            frame = Frame(self, at)
            entry = (entries.number(1), entries.hash(), entries.number(8), entries.number(8))
            need(entry == (frame.type, frame.id, frame.at, frame.stored_size), "entry of a footer")
            frames.append(frame)
            at = frame.end
        need(at == footer.at, "something before the footer")
        return frames

    def walk(self):
        at = PACK_HEADER
        while True:
            try:
                frame = Frame(self, at)
            except Corrupt:
                return
            if frame.type == FOOTER:
                return
            yield frame
            at = frame.end


class Whole:
    """An object in one frame, or a piece of an adopted file."""

    def __init__(self, size, read):
        self.size, self.read, self.block_size = size, read, size

    def block(self, index):
        need(index == 0, "a block")
        return self.read()


class Tree:
    """An object in blocks. `files`: what adopted files there are."""

    def __init__(self, frame, files):
        reader = Reader(frame.stored())
        need(frame.encoding == RAW and frame.raw_size == len(reader.data), "encoding of a tree")
        kind, parameters, self.size = reader.number(1), reader.varint(), reader.varint()
        if kind > 1 or parameters:
            raise Unsupported("a tree")
        need(MIB < self.size <= 1 << 40 and self.size // MIB * 32 <= len(reader.data), "size of a tree")
        self.block_size, self.kind = MIB, kind
        if kind == 1:
            name, at = reader.take(16), reader.varint()
            need(name in files, "an adopted file is missing")
            self.data = files[name]
        else:
            self.data = frame.pack.data
        self.places = []
        for begin in range(0, self.size, MIB):
            raw_size = min(MIB, self.size - begin)
            encoding, stored_size = (RAW, raw_size) if kind == 1 else (reader.number(1), reader.varint())
            need(0 < stored_size <= raw_size and (encoding != RAW or stored_size == raw_size), "stored size of a block")
            self.places.append([0, stored_size, raw_size, encoding, reader.hash()])
        reader.end()
        need(blake3.root_of([place[4] for place in self.places]) == frame.id, "a tree's root")
        if kind == 1:
            for place in self.places:
                place[0], at = at, at + place[2]
            return
        end = frame.at
        for place in reversed(self.places):
            end -= FRAME_HEADER + up(place[1], 8)
            need(end >= PACK_HEADER, "a block before the beginning of the pack")
            place[0] = end + FRAME_HEADER

    def block(self, index):
        at, stored_size, raw_size, encoding, expected = self.places[index]
        raw = decode_payload(encoding, self.data[at:at + stored_size], raw_size)
        need(blake3.group_hash(raw, index) == expected, "a block's hash")
        return raw


class Recipe:
    def __init__(self, record):
        reader = Reader(record)
        need(reader.number(1) == 1, "version of a recipe")
        self.size, self.sha256 = reader.varint(), reader.hash()
        self.segments = []  # (size, literal bytes, or None; object, offset in it)
        for _ in range(reader.varint()):
            kind, size = reader.number(1), reader.varint()
            if kind > 1:
                raise Unsupported("a segment")
            need(size >= 1, "an empty segment")
            self.segments.append((size, reader.take(size), None, 0) if kind == 0 else
                                 (size, None, reader.hash(), reader.varint()))
        reader.end()
        need(sum(segment[0] for segment in self.segments) == self.size, "size of a recipe")


def read_files_record(record):
    """What it is of, and names and hashes of files, or the files root of a kit."""
    reader = Reader(record)
    kind, digest = reader.number(1), reader.hash()
    if kind == 1:
        content = [(reader.take(reader.varint()), reader.hash()) for _ in range(reader.varint())]
    elif kind == 2:
        content = reader.hash()
    else:
        return (kind, digest), None
    reader.end()
    return (kind, digest), content


class Store:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        if (self.path / "format").read_text() != "plumb-store 1\n":
            raise Unsupported("the store")
        names = sorted((self.path / "packs").iterdir())
        self.files = {bytes.fromhex(p.stem): p.read_bytes() for p in names if p.suffix == ".file"}
        self.packs = [Pack(bytes.fromhex(p.stem), p.read_bytes()) for p in names if p.suffix == ".pack"]
        self.objects, self.recipes, self.blobs, self.file_lists, self.events = {}, {}, {}, {}, {}
        self.damages = []
        # Whole packs before torn ones, then adopted files; what comes first counts.
        for pack in sorted(self.packs, key=lambda pack: pack.is_torn):
            for frame in pack.frames:
                try:
                    self.take(frame)
                except Corrupt as error:
                    self.damages.append(f"{pack.name.hex()} at {frame.at}: {error}")
        for data in self.files.values():
            self.take_file(data)

    def take(self, frame):
        if frame.type in (OBJECT, ALIGNED_OBJECT):
            frame.raw()
            need(0 < frame.raw_size, "an empty object")
            self.objects.setdefault(frame.id, Whole(frame.raw_size, frame.raw))
        elif frame.type == TREE:
            tree = Tree(frame, self.files)
            for index in range(len(tree.places)):
                tree.block(index)
            self.objects.setdefault(frame.id, tree)
        elif frame.type == RECIPE:
            recipe = Recipe(frame.raw())
            self.recipes.setdefault(recipe.sha256, []).append(recipe)
        elif frame.type == BLOB:
            raw = frame.raw()
            self.blobs[hashlib.sha256(raw).digest()] = raw
        elif frame.type == FILES:
            key, content = read_files_record(frame.raw())
            self.file_lists.setdefault(key, content)
        elif frame.type in (KIT, REF_MOVE):
            self.take_event(frame)

    def take_event(self, frame):
        reader = Reader(frame.raw())
        if frame.type == KIT:
            action, manifest, time = reader.number(1), reader.hash(), reader.number(8)
            need(action in (1, 2), "action")
            event = (time, 0 if action == 1 else 2, frame.pack.name, frame.at, manifest)
        else:
            time, ref = reader.number(8), (reader.text(), reader.text())
            has_manifest = reader.number(1)
            need(has_manifest <= 1, "has-manifest")
            manifest = reader.hash() if has_manifest else None
            event = (time, 1, frame.pack.name, frame.at, ref, manifest, reader.text())
        reader.end()
        self.events.setdefault(frame.id, event)

    def take_file(self, data):
        for begin, size in cuts.pieces_of_file(data):
            piece = data[begin:begin + size]
            self.objects.setdefault(blake3.blake3(piece), Whole(size, lambda piece=piece: piece))

    def read_object(self, name, offset, size):
        """Of the blocks that hold the range, and of no others."""
        need(name in self.objects, "an object is missing")
        found = self.objects[name]
        need(offset + size <= found.size, "a range beyond its object")
        parts = []
        while size > 0:
            index, begin = divmod(offset, found.block_size)
            part = found.block(index)[begin:begin + size]
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return b"".join(parts)

    def is_whole(self, recipe):
        return all(literal is not None or name in self.objects for _, literal, name, _ in recipe.segments)

    def recipe_of(self, sha256):
        """One of which everything is here, if there is any."""
        recipes = self.recipes.get(sha256, [])
        return next((recipe for recipe in recipes if self.is_whole(recipe)), recipes[0] if recipes else None)

    def read_blob(self, sha256):
        if sha256 in self.blobs:
            return self.blobs[sha256]
        recipe = self.recipe_of(sha256)
        need(recipe is not None, "a blob is missing")
        blob = b"".join(literal if literal is not None else self.read_object(name, offset, size)
                        for size, literal, name, offset in recipe.segments)
        need(hashlib.sha256(blob).digest() == sha256, "SHA-256 of a blob")
        return blob

    def read_blob_range(self, sha256, offset, size):
        recipe, at, parts = self.recipe_of(sha256), 0, []
        for length, literal, name, start in recipe.segments:
            begin, end = max(offset, at), min(offset + size, at + length)
            if begin < end:
                parts.append(literal[begin - at:end - at] if literal is not None else
                             self.read_object(name, start + begin - at, end - begin))
            at += length
        return b"".join(parts)

    def digests(self):
        return sorted(self.blobs.keys() | self.recipes.keys())

    def replay(self):
        """Kits with when they came, refs, and moves of refs as (time, ref, previous, manifest, message)."""
        kits, refs, moves = {}, {}, []
        for event in sorted(self.events.values(), key=lambda event: event[:4]):
            if event[1] == 0:
                since = kits.get(event[4])
                if since is None or (since < event[0] - DAY and event[4] not in refs.values()):
                    kits[event[4]] = event[0]
            elif event[1] == 2:
                kits.pop(event[4], None)
            else:
                ref, manifest, message = event[4:]
                if refs.get(ref) == manifest:
                    continue
                moves.append((event[0], ref, refs.get(ref), manifest, message))
                refs[ref] = manifest
        refs = {ref: manifest for ref, manifest in refs.items() if manifest is not None}
        since = {ref: time for time, ref, _, _, _ in moves}
        for ref, manifest in sorted(refs.items()):
            kits.setdefault(manifest, since[ref])
        return kits, refs, moves


def main():
    store = Store(sys.argv[1])
    for digest in store.digests():
        try:
            print(f"blob sha256:{digest.hex()} {len(store.read_blob(digest))} bytes")
        except Corrupt as error:
            store.damages.append(f"sha256:{digest.hex()}: {error}")
    kits, refs, moves = store.replay()
    for manifest in sorted(kits):
        print(f"kit sha256:{manifest.hex()}")
    for (repository, tag), manifest in sorted(refs.items()):
        print(f"ref {repository}:{tag} sha256:{manifest.hex()}")
    for time, (repository, tag), _, manifest, message in moves:
        print(f"move {time} {repository}:{tag} {'sha256:' + manifest.hex() if manifest else 'nothing'} {message!r}")
    for damage in store.damages:
        print(f"damaged: {damage}", file=sys.stderr)
    return 1 if store.damages else 0


if __name__ == "__main__":
    sys.exit(main())
