#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""A second decoder of encodings 2 and 3, written from docs/format.md ("Encodings") alone. It decodes each golden block
of golden.txt and compares the SHA-256 of what comes out:

    tests/codec/decode.py tests/codec/golden.txt [codec_vectors]

With the program of write_vectors.cc, also each block that it writes: NAME.raw, and NAME.planes or NAME.entropy."""
import hashlib
import pathlib
import subprocess
import sys
import tempfile

STRIPE = 16384
RANKS = 12
FLOATS = {"bf16": 2, "f16": 2, "f32": 4, "f64": 8, "f8_e4m3": 1, "f8_e5m2": 1}
ELEMENTS = {
    1: ["bf16"], 2: ["f16"], 3: ["f32"], 4: ["f64"], 5: ["f8_e4m3"], 6: ["f8_e5m2"], 7: [1],
    8: ["f16", 16], 9: ["f16", "f16", 16], 10: ["f16", 4, 16], 11: ["f16", "f16", 4, 16], 12: ["f16", 32],
    13: [16, 64, "f16", "f16"], 14: [32, 64, 8, 4, "f16"], 15: ["f16", "f16", 4, 4, 4, 128],
    16: ["f16", "f16", 4, 4, 4, 32, 128], 17: [128, 64, 16, "f16"],
}
PLANES = {"bf16": 2, "f16": 3, "f32": 4, "f64": 9, "f8_e4m3": 2, "f8_e5m2": 2}


class Corrupt(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Corrupt(what)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        need(self.at + size <= len(self.data), "too short")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")


def rotate_right(bits, width):
    return bits >> 1 | (bits & 1) << (width - 1)


def merge(kind, p):
    """One float of its planes' symbols."""
    if kind == "bf16":
        return rotate_right(p[0] << 8 | p[1], 16)
    if kind == "f16":
        return rotate_right((p[0] & 31) << 11 | p[1] << 3 | p[2] >> 5, 16)
    if kind == "f32":
        return rotate_right(p[0] << 8 | p[1], 16) << 16 | p[2] << 8 | p[3]
    if kind == "f64":
        r = p[2] >> 5 << 61 | p[0] << 53 | p[1] >> 1 << 46 | p[1] & 1
        for plane, low in ((3, 38), (4, 30), (5, 22), (6, 14), (7, 6)):
            r |= p[plane] << low
        return rotate_right(r | p[8] >> 3 << 1, 64)
    if kind == "f8_e4m3":
        return rotate_right((p[0] & 15) << 4 | p[1] >> 4, 8)
    return rotate_right((p[0] & 31) << 3 | p[1] >> 5, 8)


def words(reader, n, count):
    """For each 64 of n symbols `count` words; what is beyond the last symbol must be 0."""
    rows = []
    for begin in range(0, n, 64):
        row = [reader.number(8) for _ in range(count)]
        need(all(word >> min(64, n - begin) == 0 for word in row), "padding")
        rows.append((row, min(64, n - begin)))
    return rows


def read_width(reader, width, base, n):
    need(width <= 8, "width")
    if width == 8:
        return list(reader.take(n))
    symbols = []
    for row, count in words(reader, n, width) if width else [([], n)]:
        symbols += [base ^ sum((word >> i & 1) << (7 - bit) for bit, word in enumerate(row)) for i in range(count)]
    return symbols


def read_bits(reader, base, n):
    width = reader.number(1)
    if width != 255:
        return read_width(reader, width, base, n)
    groups = (n + 127) // 128
    widths = [nibble for byte in reader.take((groups + 1) // 2) for nibble in (byte & 15, byte >> 4)]
    need(not any(widths[groups:]), "padding")
    symbols = []
    for group in range(groups):
        symbols += read_width(reader, widths[group], base, min(128, n - 128 * group))
    return symbols


def widths_of(narrow):
    """The bits of a code at each level, by which they come to 12 symbols."""
    widths = []
    while sum((1 << width) - 1 for width in widths) < RANKS and len(widths) < 8:
        widths.append(1 if narrow >> len(widths) & 1 else 2)
    need(sum((1 << width) - 1 for width in widths) == RANKS and narrow >> len(widths) == 0, "levels")
    return widths


def read_ranks(reader, descriptor, n):
    widths, meaning = widths_of(descriptor[0]), descriptor[1:]
    levels, first = [], 0
    for width in widths:
        more = (1 << width) - 1
        codes = [sum((word >> i & 1) << bit for bit, word in enumerate(row))
                 for row, count in words(reader, n, width) for i in range(count)]
        levels.append((codes, more, meaning[first:first + more]))
        first += more
        n = codes.count(more)
    following = list(reader.take(n))
    for codes, more, symbols in reversed(levels):
        rest = iter(following)
        following = [next(rest) if code == more else symbols[code] for code in codes]
    return following


def read_rans(reader, n):
    reader = Reader(reader.take(reader.number(4)))
    bitmap = reader.take(32)
    slots = []
    for symbol in range(256):
        if bitmap[symbol // 8] >> symbol % 8 & 1:
            frequency = reader.number(2)
            need(1 <= frequency <= 4095, "frequency")
            slots += [(symbol, frequency, len(slots))] * frequency
            need(len(slots) <= 4096, "frequencies")
    need(len(slots) == 4096, "frequencies")
    states = [reader.number(4) for _ in range(64)]
    need(all(1 << 15 <= state < 1 << 31 for state in states), "state")
    symbols = []
    for i in range(n):
        x = states[i % 64]
        symbol, frequency, start = slots[x % 4096]
        symbols.append(symbol)
        x = frequency * (x // 4096) + x % 4096 - start
        if x < 1 << 15:
            x = x << 16 | reader.number(2)
        states[i % 64] = x
    need(set(states) == {1 << 15} and reader.at == len(reader.data), "end of a stream")
    return symbols


def read_field(reader, modes, n):
    """The planes of a field, n symbols each."""
    streams = [read_rans(reader, n) if mode == 3 else None for mode, _ in modes]
    planes = [[] for _ in modes]
    for begin in range(0, n, STRIPE):
        size = min(STRIPE, n - begin)
        for plane, stream, (mode, detail) in zip(planes, streams, modes):
            if mode == 0:
                plane += reader.take(size)
            elif mode == 1:
                plane += read_bits(reader, detail[0], size)
            elif mode == 2:
                plane += read_ranks(reader, detail, size)
            else:
                low = read_width(reader, detail[0], 0, size)
                high = stream[begin:begin + size]
                plane += [(h << detail[0] & 255) | lo >> (8 - detail[0]) for h, lo in zip(high, low)]
    return planes


def decode(encoding, stored, raw_size):
    need(1 <= raw_size <= 1 << 20, "raw size")
    reader = Reader(stored)
    need(reader.number(1) == 1, "version")
    element = reader.number(1)
    need(element in ELEMENTS, "element")
    fields = ELEMENTS[element]
    sizes = [FLOATS.get(field, field) for field in fields]
    unit = sum(sizes)
    head = reader.number(1)
    need(head < unit and head + unit <= raw_size, "head")
    units, tail = divmod(raw_size - head, unit)
    head_bytes, tail_bytes = reader.take(head), reader.take(tail)
    modes = []
    for field in fields:
        for _ in range(PLANES.get(field, 1)):
            mode = reader.number(1)
            need(mode <= (3 if encoding == 3 else 2), "mode")
            modes.append((mode, reader.take((0, 1, 1 + RANKS, 1)[mode])))
            need(mode != 3 or modes[-1][1][0] <= 7, "low bits")
            if mode == 2:
                widths_of(modes[-1][1][0])
    columns = []
    for field, size in zip(fields, sizes):
        count = PLANES.get(field, 1)
        planes = read_field(reader, modes[:count], units * (1 if field in FLOATS else size))
        modes = modes[count:]
        if field in FLOATS:
            columns.append([merge(field, symbols).to_bytes(size, "little") for symbols in zip(*planes)])
        else:
            columns.append([bytes(planes[0][i:i + size]) for i in range(0, units * size, size)])
    need(reader.at == len(stored), "something behind")
    return head_bytes + b"".join(b"".join(row) for row in zip(*columns)) + tail_bytes


def compare(directory):
    blocks = 0
    for path in sorted(directory.glob("*.raw")):
        raw = path.read_bytes()
        for suffix, encoding in ((".planes", 2), (".entropy", 3)):
            stored = path.with_suffix(suffix)
            if not stored.exists():
                continue
            if decode(encoding, stored.read_bytes(), len(raw)) != raw:
                sys.exit(f"{stored.name}: decodes to something else")
            try:
                decode(encoding, stored.read_bytes()[:-1], len(raw))
            except Corrupt:
                blocks += 1
            else:
                sys.exit(f"{stored.name}: is taken without its last byte")
    if blocks < len(ELEMENTS):
        sys.exit("few blocks were written")
    return blocks


def main():
    golden = pathlib.Path(sys.argv[1])
    blocks = 0
    for line in golden.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, encoding, raw_size, digest, stored = line.split()
        raw = decode(int(encoding), bytes.fromhex(stored), int(raw_size))
        if hashlib.sha256(raw).hexdigest() != digest:
            sys.exit(f"{name}: decodes to something else")
        blocks += 1
    if not blocks:
        sys.exit("no golden blocks")
    if len(sys.argv) > 2:
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run([sys.argv[2], directory], check=True)
            blocks += compare(pathlib.Path(directory))
    print(f"{blocks} blocks")


if __name__ == "__main__":
    main()
