#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Makes the second golden home: make-2.sh PLUMB OUTPUT.tar.gz. As make.sh, for stores that understand weights.
set -euo pipefail
plumb=$(realpath "$1")
output=$(realpath "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
export PLUMB_HOME=$scratch/home LC_ALL=C.UTF-8
unset PLUMB_CONFIG XDG_CONFIG_HOME XDG_DATA_HOME
export HOME=$scratch
step() { "$plumb" "$@" >/dev/null 2>said || { cat said >&2; exit 1; }; }

# What repeats itself every few KiB: an encoding of blocks does not see that, gzip does.
python3 - <<'END'
import json, pathlib, random, struct

noise = random.Random(2)

def periodic(period, size):
    return (period * (size // len(period) + 1))[:size]

def bf16(seed, size):
    values = random.Random(seed)
    return periodic(b"".join(struct.pack("<f", values.gauss(0, 0.02))[2:] for _ in range(64)), size)

def safetensors(tensors):
    header, at = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values())

def gguf(name, rows, data):
    header = b"GGUF" + struct.pack("<IQQQ", 3, 1, 0, len(name)) + name.encode()
    header += struct.pack("<IQQIQ", 2, 32, rows, 8, 0)
    return header + bytes(-len(header) % 32) + data

MIB = 1 << 20
w = bf16(1, 5 * MIB // 4)
base = {
    "norm": ("F32", [64], periodic(struct.pack("<2f", 1, 0.5), 256)),
    "bias": ("F32", [256], periodic(struct.pack("<4f", 1, 2, 3, 0.25), 1024)),
    "w": ("BF16", [640, 1024], w),
    "noise": ("U8", [1100 * 1024], periodic(noise.randbytes(256), 1100 * 1024)),
    "e": ("F32", [150, 1000], periodic(struct.pack("<64f", *(noise.gauss(0, 1) for _ in range(64))), 600000)),
}
tuned = dict(base, w=("BF16", [640, 1024], w[:MIB] + bf16(3, MIB // 4)))
blocks = b"".join(struct.pack("<e", noise.gauss(0.01, 0.001)) + noise.randbytes(32) for _ in range(8))
# The noise in the middle has a place where content is cut.
text = b"a text that zstd makes small\n" * 11000 + random.Random(76).randbytes(1000).hex().encode()
text += b"and nothing but repetition behind\n" * 30000
# Nearly all alike: entropy coding makes little of it.
rare = b"".join(struct.pack("<f", noise.choices((1, -4), (511, 1))[0])[2:] for _ in range(640 * 1024))
files = {
    "rare/model.safetensors": safetensors({"r": ("BF16", [640, 1024], rare)}),
    "base/model.safetensors": safetensors(base),
    "base/notes.txt": text,
    "base/README.md": b"The base.\n",
    "tuned/model.safetensors": safetensors(tuned),
    "tuned/model.gguf": gguf("q", 32000, periodic(blocks, 32000 * 34)),
    "owned.safetensors": safetensors({"bias": base["bias"], "only": ("BF16", [600, 1024], bf16(4, 600 * 2048))}),
}
for path, data in files.items():
    pathlib.Path(path).parent.mkdir(exist_ok=True)
    pathlib.Path(path).write_bytes(data)
END
printf '%s\n' 'manifestVersion: 1.0.0' 'package: {name: base}' 'model: {path: model.safetensors}' \
    'datasets: [{path: notes.txt}]' 'docs: [{path: README.md}]' >base/Kitfile
printf '%s\n' 'manifestVersion: 1.0.0' 'package: {name: tuned}' \
    'model: {path: model.safetensors, parts: [{path: model.gguf}]}' >tuned/Kitfile
printf '%s\n' 'manifestVersion: 1.0.0' 'package: {name: rare}' 'model: {path: model.safetensors}' >rare/Kitfile
# What is here so far gets into the archive tier.
step build rare -t rare:v1
step optimize --archive
step gc
step build base -t base:v1 -m 'the first'
step build tuned -t tuned:v1 -t tuned:latest
step build base -t packed:v1 --compression zstd
step import --link owned.safetensors -t owned:v1
step tag base:v1 tuned:latest
step remove packed:v1

# Noise that nobody needs is no part of it.
rm -f home/store/reserve
tar --sort=name --owner=0 --group=0 --numeric-owner -cf - home | gzip -9n >"$output"
