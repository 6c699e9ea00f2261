# SPDX-License-Identifier: MIT OR Apache-2.0
"""What bench/codecs.py runs inside the environment that has the peers: makes inputs, measures one peer on one.

    codec_peers.py make-up ELEMENT MIB TARGET       weights as a language model has them
    codec_peers.py take SOURCE ELEMENT TARGET       those of a safetensors or GGUF file, rounded or widened
    codec_peers.py measure PEER FILE CORES          prints JSON

Inputs are safetensors files of one element, bf16 or f32. A peer is given tensor by tensor what ours is given, from
memory and to memory; lmzip, which knows files only, the file, in the folder that it lies in."""
import json
import math
import os
import pathlib
import struct
import sys
import time

import numpy as np

MEASURED_MIN = 64 << 20  # a small file is gone through until so much was measured
NAMES = {"bf16": "BF16", "f16": "F16", "f32": "F32"}
SIZES = {"bf16": 2, "f16": 2, "f32": 4}


def to_bf16(floats):
    """Rounded to nearest even, as 16 bits."""
    bits = np.ascontiguousarray(floats, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def write_safetensors(target, element, tensors):
    """`tensors`: (shape, function that gives the array), so that one at a time is in memory."""
    header, offset = {}, 0
    for i, (shape, _) in enumerate(tensors):
        size = math.prod(shape) * SIZES[element]
        header[f"t{i}"] = {"dtype": NAMES[element], "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text = text.ljust((len(text) + 7) // 8 * 8)
    with open(target, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for _, make in tensors:
            floats = make()
            out.write((to_bf16(floats) if element == "bf16" else np.ascontiguousarray(floats, np.float32)).tobytes())


def make_up(element, mib, target):
    """Gaussian, each tensor with a width of its own that drifts along its rows, rows and columns with theirs."""
    side = 4096
    per_tensor = side * side * SIZES[element]
    rows_of_small = max(1, (mib << 20) // (side * SIZES[element]))
    shapes = [[side, side]] * ((mib << 20) // per_tensor) or [[rows_of_small, side]]

    def one(seed, shape):
        def make():
            random = np.random.default_rng(seed)
            width = 0.01 * 5 ** random.random()
            drift = np.cumsum(random.standard_normal(shape[0])) * 0.01
            rows = np.exp(0.25 * random.standard_normal(shape[0]) + drift).astype(np.float32) * np.float32(width)
            columns = np.exp(0.15 * random.standard_normal(shape[1])).astype(np.float32)
            weights = random.standard_normal(shape, dtype=np.float32)
            weights *= rows[:, None]
            weights *= columns
            return weights
        return make

    write_safetensors(target, element, [(shape, one(seed, shape)) for seed, shape in enumerate(shapes)])


def read_safetensors(path):
    """(element, shape, bytes) of each tensor, in order."""
    data = np.memmap(path, np.uint8, "r")
    length = int(data[:8].view("<u8")[0])
    header = json.loads(bytes(data[8:8 + length]))
    header.pop("__metadata__", None)
    elements = {name: element for element, name in NAMES.items()}
    for entry in sorted(header.values(), key=lambda entry: entry["data_offsets"]):
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        yield elements.get(entry["dtype"]), entry["shape"], data[begin:end]


def read_gguf(path):
    """The same of a GGUF file (ggml, docs/gguf.md), whose tensors are f32 or f16."""
    data, at = np.memmap(path, np.uint8, "r"), 4

    def take(form):
        nonlocal at
        value = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return value[0]

    def text():
        nonlocal at
        length = take("Q")
        at += length
        return bytes(data[at - length:at]).decode()

    def value(kind):
        if kind == 8:
            return text()
        if kind == 9:
            inner, count = take("I"), take("Q")
            return [value(inner) for _ in range(count)]
        return take({0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}[kind])

    take("I")
    tensor_count, entry_count = take("Q"), take("Q")
    metadata = {}
    for _ in range(entry_count):
        name = text()
        metadata[name] = value(take("I"))
    tensors = []
    for _ in range(tensor_count):
        text()
        shape = [take("Q") for _ in range(take("I"))][::-1]
        tensors.append((take("I"), take("Q"), shape))
    alignment = metadata.get("general.alignment", 32)
    begin = (at + alignment - 1) // alignment * alignment
    for kind, offset, shape in sorted(tensors, key=lambda tensor: tensor[1]):
        element = {0: "f32", 1: "f16"}.get(kind)
        size = math.prod(shape) * SIZES.get(element, 0)
        yield element, shape, data[begin + offset:begin + offset + size]


def floats_of(element, data):
    if element == "bf16":
        return (data.view("<u2").astype(np.uint32) << 16).view(np.float32)
    return data.view("<f2" if element == "f16" else "<f4").astype(np.float32)


def take(source, element, target):
    """The tensors of the kind that fills most of the file: not its norms and indexes."""
    tensors = list((read_gguf if source.endswith(".gguf") else read_safetensors)(source))
    kinds = {kind for kind, _, _ in tensors} - {None}
    most = max(kinds, key=lambda kind: sum(data.nbytes for of, _, data in tensors if of == kind))
    chosen = [(shape, lambda data=data: floats_of(most, data)) for of, shape, data in tensors if of == most]
    write_safetensors(target, element, chosen)


class ZipNN:
    """Its compiled part, called as its zipnn.py does for bytes: that would import PyTorch for nothing."""
    PLANES = {"bf16": (2, 10), "f32": (4, 220)}
    CHUNK = 256 << 10

    def __init__(self, element, cores):
        import zipnn_core
        self.core, self.cores = zipnn_core, cores
        self.planes, self.order = self.PLANES[element]

    def prepare(self, data):
        return bytearray(data)  # it works in place

    def encode(self, data):
        return self.core.zipnn_core(bytes(32), data, self.planes, 1, self.order, 0, self.CHUNK, 0.95, 10, self.cores)

    def decode(self, stored, size):
        return self.core.combine_dtype(memoryview(stored)[32:], self.planes, 1, self.order, self.CHUNK, size,
                                       self.cores)


class OpenZL:
    """Its own nodes for floats, with entropy coding behind each stream; of f32 each byte of the fraction apart."""

    def __init__(self, element, cores):
        import openzl.ext as zl
        self.zl = zl
        self.compressor = zl.Compressor()
        self.compressor.set_parameter(zl.CParam.FormatVersion, zl.MAX_FORMAT_VERSION)
        entropy = zl.graphs.Entropy()
        if element == "bf16":
            number, floats, fraction = zl.nodes.ConvertSerialToNumLE16(), zl.nodes.BFloat16Deconstruct(), entropy
        else:
            number, floats = zl.nodes.ConvertSerialToNumLE32(), zl.nodes.Float32Deconstruct()
            fraction = zl.nodes.TransposeSplit()(self.compressor, entropy)
        graph = number(self.compressor, floats(self.compressor, sign_frac=fraction, exponent=entropy))
        self.compressor.select_starting_graph(graph)

    def prepare(self, data):
        return self.zl.Input(self.zl.Type.Serial, np.frombuffer(data, np.uint8))

    def encode(self, data):
        context = self.zl.CCtx()
        context.ref_compressor(self.compressor)
        return context.compress([data])

    def decode(self, stored, size):
        return self.zl.DCtx().decompress(stored)[0].content.as_nparray()


def half_reached(samples):
    """Of (bytes, seconds): the GB/s that half of the bytes reached."""
    speeds = sorted((size / 1e9 / max(seconds, 1e-9), size) for size, seconds in samples)
    below, half = 0, sum(size for _, size in speeds) / 2
    for speed, size in speeds:
        below += size
        if below >= half:
            return speed
    return 0


def clock_of(cores):
    """What one core works, or what all need by the clock."""
    return time.process_time if cores == 1 else time.perf_counter


def measure_codec(codec, file, cores):
    clock, encoding, decoding = clock_of(cores), [], []
    raw_size = stored_size = 0
    lossless = True
    tensors = [bytes(data) for _, _, data in read_safetensors(file)]
    while sum(size for size, _ in encoding) < MEASURED_MIN:
        raw_size = stored_size = 0
        for raw in tensors:
            prepared = codec.prepare(raw)
            began = clock()
            stored = codec.encode(prepared)
            encoded = clock()
            decoded = codec.decode(stored, len(raw))
            decoding.append((len(raw), clock() - encoded))
            encoding.append((len(raw), encoded - began))
            lossless = lossless and bytes(decoded) == raw
            raw_size += len(raw)
            stored_size += len(stored)
    return raw_size, stored_size, half_reached(encoding), half_reached(decoding), lossless


def measure_lmzip(file, cores):
    import lmz
    clock, encoding, decoding = clock_of(cores), [], []
    size = os.path.getsize(file)
    packed, back = file + ".lmz", file + ".back"
    lossless = True
    while len(encoding) * size < MEASURED_MIN:
        pathlib.Path(packed).unlink(missing_ok=True)
        pathlib.Path(back).unlink(missing_ok=True)
        began = clock()
        lmz.compress(file, packed, workers=cores)
        encoded = clock()
        lmz.decompress(packed, back, workers=cores)
        decoding.append((size, clock() - encoded))
        encoding.append((size, encoded - began))
        lossless = lossless and pathlib.Path(file).read_bytes() == pathlib.Path(back).read_bytes()
    stored_size = os.path.getsize(packed)
    pathlib.Path(packed).unlink()
    pathlib.Path(back).unlink()
    return size, stored_size, half_reached(encoding), half_reached(decoding), lossless


def measure(peer, file, cores):
    if cores == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    element = next(read_safetensors(file))[0]
    if peer == "lmzip":
        result = measure_lmzip(file, cores)
    else:
        result = measure_codec({"zipnn": ZipNN, "openzl": OpenZL}[peer](element, cores), file, cores)
    raw_size, stored_size, encode, decode, lossless = result
    print(json.dumps({"size": 100 * stored_size / raw_size, "encode": encode, "decode": decode, "lossless": lossless}))


def main():
    what, *rest = sys.argv[1:]
    if what == "make-up":
        make_up(rest[0], int(rest[1]), rest[2])
    elif what == "take":
        take(*rest)
    else:
        measure(rest[0], rest[1], int(rest[2]))


main()
