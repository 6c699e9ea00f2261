# SPDX-License-Identifier: MIT OR Apache-2.0
"""Where a file by itself is cut: docs/format.md, "Cuts". Readers of stores need it for adopted files only."""
import json
import struct

import decode

MIB = 1 << 20
CHUNK_MIN, CHUNK_AIM, CHUNK_MAX, WINDOW = 64 << 10, 256 << 10, MIB, 64
LITERAL_MAX, TENSOR_MIN, TENSOR_MAX, HEADER_MAX = 4096, 512, 1 << 40, 32 * MIB
OLD_PIECE = 4 * MIB  # before 2026-12
# Elements of a unit, and its bytes. Those of GGUF have numbers.
SAFETENSORS = {"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4,
               "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8}
GGUF = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84), 11: (256, 110),
        12: (256, 144), 13: (256, 176), 14: (256, 210), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 30: (1, 2)}
GGUF_VALUES = "BbHhIif?\0\0Qqd"
STRING, ARRAY = 8, 9


def make_gear():
    """SplitMix64 (Steele, Lea, Flood 2014) from 0."""
    state, numbers = 0, []
    for _ in range(256):
        state = state + 0x9E3779B97F4A7C15 & 2**64 - 1
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & 2**64 - 1
        z = (z ^ z >> 27) * 0x94D049BB133111EB & 2**64 - 1
        numbers.append(z ^ z >> 31)
    return numbers


GEAR = make_gear()


def chunk_size(data, begin, end):
    """Of the chunk that begins there, if all that is left ends at `end`."""
    value = 0
    for size in range(CHUNK_MIN - WINDOW + 1, min(end - begin, CHUNK_MAX) + 1):
        value = (value << 1) + GEAR[data[begin + size - 1]] & 2**64 - 1
        if size > CHUNK_MIN and value >> (44 if size <= CHUNK_AIM else 48) == 0:
            return size
    return min(end - begin, CHUNK_MAX)


def chunks(data, begin, end):
    while begin < end:
        size = chunk_size(data, begin, end)
        yield begin, size
        begin += size


def safetensors(data):
    """The tensors as (offset, size); None if it is no such file."""
    size, = struct.unpack_from("<Q", data)
    if data[8:9] != b"{" or 8 + size > min(HEADER_MAX, len(data)):
        return None
    header = json.loads(data[8:8 + size])
    return [(8 + size + begin, end - begin) for begin, end in
            (tensor["data_offsets"] for name, tensor in header.items() if name != "__metadata__")]


class GgufReader(decode.Reader):
    def text(self):
        return self.take(self.number(8))

    def value(self, kind):
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            kind, count = self.number(4), self.number(8)
            return [self.value(kind) for _ in range(count)]
        size = struct.calcsize("<" + GGUF_VALUES[kind])
        return struct.unpack("<" + GGUF_VALUES[kind], self.take(size))[0]


def gguf(data):
    if data[:4] != b"GGUF":
        return None
    reader = GgufReader(data)
    reader.take(8)
    tensor_count, entry_count = reader.number(8), reader.number(8)
    entries = {}
    for _ in range(entry_count):
        key = reader.text()
        entries[key] = reader.value(reader.number(4))
    tensors = []
    for _ in range(tensor_count):
        reader.text()
        count = 1
        for _ in range(reader.number(4)):
            count *= reader.number(8)
        elements, size = GGUF[reader.number(4)]
        tensors.append((reader.number(8), count // elements * size))
    alignment = entries.get(b"general.alignment", 32)
    start = -(-reader.at // alignment) * alignment
    return [(start + offset, size) for offset, size in tensors]


def tensors_of(data):
    found = []
    if len(data) >= 1024:
        try:
            found = safetensors(data) or gguf(data) or []
        except (ValueError, KeyError, IndexError, struct.error, decode.Corrupt):
            return []
    return sorted((offset, size) for offset, size in found if TENSOR_MIN <= size <= TENSOR_MAX)


def pieces_of_file(data):
    """(offset, size) of each object of an adopted file that has no tree."""
    at = 0
    for offset, size in tensors_of(data) + [(len(data), 0)]:
        yield from ((begin, length) for begin, length in chunks(data, at, offset) if length > LITERAL_MAX)
        if 0 < size <= MIB:
            yield offset, size
        at = offset + size
    for begin in range(0, len(data), OLD_PIECE):
        if len(data) - begin > LITERAL_MAX:
            yield begin, min(OLD_PIECE, len(data) - begin)
