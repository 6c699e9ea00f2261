#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""A disk without one free byte: full_disk.py PLUMB

On a file system of its own (tmpfs, ext4; loop mounts) a build fails for want of room, somebody else takes all
that is left, and then 'plumb remove' and 'plumb gc' give room back. Where nothing can be mounted this is skipped,
saying so (77)."""
import contextlib
import os
import pathlib
import subprocess
import sys

from stage.kits import environment, holds, run, same, workplace

SKIPPED = 77
DISK_SIZE = 48 << 20
MODEL_SIZE = 12 << 20
KITFILE = "manifestVersion: 1.0.0\nmodel: {path: w}\n"


def command(*words):
    """Why it failed; nothing if it did not."""
    try:
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    except FileNotFoundError:
        return f"there is no {words[0]}"
    return "" if done.returncode == 0 else f"{words[0]}: {done.stderr.strip()}"


@contextlib.contextmanager
def mounted(kind, work):
    """A fresh file system of that kind: where it is, or why there is none."""
    point = work / kind
    point.mkdir()
    if kind == "tmpfs":
        why = command("mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE}", "tmpfs", point)
    else:
        image = work / f"{kind}.img"
        with open(image, "wb") as file:
            file.truncate(DISK_SIZE)
        why = command("mkfs." + kind, "-q", "-m", "0", image) or command("mount", "-o", "loop", image, point)
    try:
        yield point, why
    finally:
        if not why:
            subprocess.run(["umount", str(point)], check=True)


def fill(path):
    """Takes all that is left, to the last byte; inodes for names are left."""
    for size in (1 << 20, 4096, 1):
        with open(path, "ab", buffering=0) as file:
            with contextlib.suppress(OSError):
                while file.write(os.urandom(size)) == size:
                    pass
    with contextlib.suppress(OSError), open(path, "ab") as file:
        os.fsync(file.fileno())


def free(root):
    return os.statvfs(root).f_bavail * os.statvfs(root).f_frsize


def check(program, root, work):
    """One disk, from the first build to the last gc."""
    model, plain = work / f"model-{root.name}", environment(root)
    model.mkdir()
    (model / "Kitfile").write_text(KITFILE)

    def plumb(*arguments, fails_with=0):
        return run(program, *arguments, env=plain, fails_with=fails_with)

    def build(tag, fails_with=0):
        (model / "w").write_bytes(os.urandom(MODEL_SIZE))
        return plumb("build", model, "-t", tag, fails_with=fails_with)

    build("m:v1")
    kept = (model / "w").read_bytes()
    build("m:v2")
    build("m:v3")
    holds(build("m:v4", fails_with=8), "no space left", "a build on a full disk")
    for tag in ("m:v2", "m:v3"):
        fill(root / "ballast")
        same(free(root), 0, "there is room left")
        plumb("remove", "-f", tag)
    fill(root / "ballast")
    holds(plumb("gc"), "Freed 24.", "gc of a full disk")
    plumb("fsck", "--full")
    plumb("unpack", "m:v1", "-d", work / f"out-{root.name}")
    same((work / f"out-{root.name}" / "w").read_bytes() == kept, True, "what stays is as it was")
    # Room is kept again for the next time.
    build("m:v4")
    fill(root / "ballast")
    plumb("remove", "-f", "m:v4")
    plumb("gc")
    # Without any room that is kept the error says what to do.
    (root / "ballast").unlink()
    build("m:v5")
    (root / "plumb/store/reserve").unlink()
    fill(root / "ballast")
    holds(plumb("remove", "-f", "m:v5", fails_with=8), "no space left", "without a reserve")
    holds(plumb("gc", "--keep-untagged", "0", fails_with=8), "hint: free ", "without a reserve")
    (root / "ballast").unlink()
    plumb("remove", "-f", "m:v5")
    plumb("gc")
    plumb("fsck", "--full")
    print(f"{root.name}: removed and collected without a free byte")


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    skipped = []
    with workplace() as work:
        for kind in ("tmpfs", "ext4"):
            with mounted(kind, work) as (point, why):
                if why:
                    skipped.append(f"{kind} ({why})")
                else:
                    check(program, point, work)
    if skipped:
        print("SKIPPED, nothing was tested on: " + ", ".join(skipped))
        sys.exit(SKIPPED)


if __name__ == "__main__":
    main()
