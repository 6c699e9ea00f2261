#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Builds what tests/fixtures/kit_cases.json describes and compares it with what kit 1.7.0 made of it.

  kit_cases.py [build/release/plumb] [--only NAME]
  kit_cases.py --record KIT      runs kit 1.7.0 itself on the cases that have no result yet

A case: `files` (path; text, base64 or stream of pseudo-random bytes; mode, kind, to), `kitfiles` (name, text), `flags`,
`stdin`, `ref` (else case:v1; none with `untagged`), `before` (builds that come first), `portable_only` (compressed: only
what does not depend on how), and `expect`, the result.
"""
import argparse, base64, concurrent.futures, hashlib, json, os, shutil, subprocess, sys, tempfile

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fixtures/kit_cases.json")


def content(spec):
    if "base64" in spec:
        return base64.b64decode(spec["base64"])
    if "stream" in spec:
        size, seed = spec["stream"]["size"], spec["stream"]["seed"]
        blocks = (hashlib.sha256(f"{seed}:{i}".encode()).digest() for i in range(size // 32 + 1))
        return b"".join(blocks)[:size]
    return spec.get("text", "").encode()


def make(root, case):
    os.makedirs(root)
    texts = [{"path": name, "text": text} for name, text in case.get("kitfiles", {}).items()]
    directories = []
    for spec in case["files"] + texts:
        path = os.path.join(root, spec["path"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        kind = spec.get("kind", "file")
        if kind == "dir":
            os.makedirs(path, exist_ok=True)
            directories.append((path, int(spec.get("mode", "0755"), 8)))
        elif kind == "symlink":
            os.symlink(spec["to"], path)
        else:
            with open(path, "wb") as file:
                file.write(content(spec))
            os.chmod(path, int(spec.get("mode", "0644"), 8))
    for path, mode in reversed(directories):
        os.chmod(path, mode)


def build(case, program, home_variable):
    top = tempfile.mkdtemp(prefix="kit-case")
    try:
        home = os.path.join(top, "home")
        os.mkdir(home)
        open(os.path.join(home, "disable-update-notifications"), "w").close()
        env = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC", **{home_variable: home})
        for i, step in enumerate(case.get("before", []) + [case]):
            directory = os.path.join(top, f"context{i}")
            make(directory, step)
            reference = step.get("ref", "case:v1")
            tags = [] if step.get("untagged") else ["-t", reference]
            done = subprocess.run(program["pack"] + ["."] + tags + step.get("flags", []), cwd=directory, env=env,
                                  input=step.get("stdin", "").encode(), capture_output=True)
        result = {"exit": done.returncode, "stdout": done.stdout.decode(), "stderr": done.stderr.decode().replace(top, "TOP")}
        if done.returncode != 0:
            return result
        result["digest"] = result["stdout"].strip().splitlines()[-1].split(": ")[1]
        if not step.get("untagged"):
            shown = subprocess.run(program["inspect"] + [reference.split(",")[0]], cwd=directory, env=env,
                                   check=True, capture_output=True)
            inspected = json.loads(shown.stdout)
            result["manifest"], result["kitfile"] = inspected["manifest"], inspected["kitfile"]
        return result
    finally:
        shutil.rmtree(top)


def without_digests(value):
    if isinstance(value, dict):
        return {key: without_digests(item) for key, item in value.items() if key != "digest"}
    return [without_digests(item) for item in value] if isinstance(value, list) else value


def differences(case, got):
    want = case["expect"]
    if (want["exit"] == 0) != (got["exit"] == 0):
        return [f"exit {got['exit']}, kit had {want['exit']}: {got['stderr'].strip()}"]
    if want["exit"] != 0:
        return []
    if not case.get("portable_only"):
        return [f"{key}:\n    kit   {want[key]}\n    plumb {got[key]}" for key in ("manifest", "digest")
                if want.get(key) != got.get(key)]
    bad = [] if without_digests(want["kitfile"]) == without_digests(got["kitfile"]) else ["kitfile differs"]
    types = [[layer["mediaType"] for layer in kit["manifest"]["layers"]] for kit in (want, got)]
    return bad if types[0] == types[1] else bad + ["media types differ"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plumb", nargs="?", default="build/release/plumb")
    parser.add_argument("--record", metavar="KIT")
    parser.add_argument("--only", metavar="NAME")
    options = parser.parse_args()
    os.umask(0o022)
    with open(CASES, encoding="utf-8") as file:
        document = json.load(file)
    cases = [case for case in document["cases"] if options.only in (None, case["name"])]
    if options.record:
        kit = os.path.abspath(options.record)
        for case in cases:
            if "expect" not in case:
                case["expect"] = build(case, {"pack": [kit, "pack"], "inspect": [kit, "inspect"]}, "KITOPS_HOME")
                for output in ("stdout", "stderr") if case["expect"]["exit"] == 0 else ("stdout",):
                    del case["expect"][output]
                print("recorded", case["name"], case["expect"]["exit"])
        with open(CASES, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.write("\n")
        return 0
    plumb = os.path.abspath(options.plumb)
    program = {"pack": [plumb, "pack", "--kit-compat=1.7"], "inspect": [plumb, "inspect"]}
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:  # they mostly wait for the disk
        results = list(pool.map(lambda case: build(case, program, "PLUMB_HOME"), cases))
    for case, got in zip(cases, results):
        bad = differences(case, got)
        failed += bool(bad)
        for line in bad:
            print(f"{case['name']}: {line}")
    print(f"{len(cases) - failed} of {len(cases)} cases are equal")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
