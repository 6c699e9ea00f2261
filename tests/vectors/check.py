#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Asks plumb_vectors about cases that others made: openssl signed, Python's hmac authenticated, and trees
are by RFC 6962's definition, read literally. Each is then bent in every way that comes to mind."""
import base64
import hashlib
import hmac
import json
import pathlib
import random
import subprocess
import sys
import tempfile

PROGRAM = sys.argv[1]
FAILED = []


def expect(kind, cases):
    """Cases as (expected, members); lines that are no JSON as (None, text)."""
    lines = [members if expected is None else json.dumps({"id": number, **members})
             for number, (expected, members) in enumerate(cases)]
    done = subprocess.run([PROGRAM, kind], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(cases), kind
    for number, ((expected, members), answer) in enumerate(zip(cases, answers)):
        wanted = {"id": None, "ok": False} if expected is None else {"id": number, "ok": expected}
        if answer != wanted:
            FAILED.append(f"{kind}: {answer} instead of {wanted}: {members}")
    print(f"{kind}: {len(cases)} cases")


def bent(cases, *names):
    """What is valid, and that with a bit of each of these members turned, and without it."""
    for members in cases:
        yield True, members
        for name in names:
            value = members[name]
            if value:
                first = f"{int(value[:2], 16) ^ 1:02x}"
                yield False, {**members, name: first + value[2:]}
                yield False, {**members, name: value[:-2]}
            yield False, {key: value for key, value in members.items() if key != name}
            yield False, {**members, name: "zz"}
            yield False, {**members, name: 7}


def root_of(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


def inclusion(index, leaves):
    if len(leaves) <= 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if index < k:
        return inclusion(index, leaves[:k]) + [root_of(leaves[k:])]
    return inclusion(index - k, leaves[k:]) + [root_of(leaves[:k])]


def consistency(size, leaves, is_whole=True):
    if size == len(leaves):
        return [] if is_whole else [root_of(leaves)]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if size <= k:
        return consistency(size, leaves[:k], is_whole) + [root_of(leaves[k:])]
    return consistency(size - k, leaves[k:], False) + [root_of(leaves[:k])]


def texts(digests):
    return [base64.b64encode(digest).decode() for digest in digests]


def trees():
    leaves = [hashlib.sha256(b"\0" + bytes([i])).digest() for i in range(21)]
    included, goes_on = [], []
    for size in range(1, len(leaves) + 1):
        root, other = texts([root_of(leaves[:size]), root_of(leaves[1:size])])
        for index in range(size):
            good = {"leafIdx": index, "treeSize": size, "root": root, "leafHash": texts(leaves)[index],
                    "proof": texts(inclusion(index, leaves[:size]))}
            included += [(True, good), (False, {**good, "root": other}), (False, {**good, "proof": good["proof"] + [root]}),
                         (False, {**good, "treeSize": index})]
        for old in range(1, size + 1):
            good = {"size1": old, "size2": size, "root1": texts([root_of(leaves[:old])])[0], "root2": root,
                    "proof": texts(consistency(old, leaves[:size]))}
            goes_on += [(True, good), (False, {**good, "root2": other}), (False, {**good, "proof": good["proof"] + [root]}),
                        (False, {**good, "size1": 0})]
    good = {"leafIdx": 0, "treeSize": 1, "root": texts(leaves)[0], "leafHash": texts(leaves)[0], "proof": []}
    for number in (-1, 1 << 63, 1 << 64, 1 << 80, 0.5, 1e300, "1", None, [], {}):
        included += [(False, {**good, "leafIdx": number}), (False, {**good, "treeSize": number} if number != 1 << 63 else
                                                            {**good, "treeSize": 1 << 63, "proof": [good["root"]] * 63})]
    included += [(True, {**good, "proof": None}), (False, {**good, "proof": "AAAA"}), (False, {**good, "proof": ["AAAA"]}),
                 (None, "{"), (None, "[]"), (None, '{"id":1,"id":2}'), (None, "\\ud800")]
    expect("merkle-inclusion", included)
    # Vectors are in use whose roots are none, if nothing depends on them.
    same = {"size1": 1, "size2": 1, "root1": "bm9uZQ==", "root2": "bm9uZQ==", "proof": []}
    expect("merkle-consistency", goes_on + [(True, same), (False, {**same, "root2": "b25l"}), (False, {**same, "root1": 1})])


def openssl(*words, stdin=b""):
    return subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True).stdout


def plain_of(der, size):
    """r and s, each filled up to `size`, of a DER signature shorter than 128 bytes."""
    both, at = b"", 2
    for _ in range(2):
        length = der[at + 1]
        both += der[at + 2:at + 2 + length].lstrip(b"\0").rjust(size, b"\0")
        at += 2 + length
    return both


def signatures(scratch):
    key, message = str(scratch / "key.pem"), str(scratch / "message")
    der_cases, plain_cases, ed_cases = [], [], []
    for curve, size in (("P-256", 32), ("P-384", 48)):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", key)
        spki = openssl("pkey", "-in", key, "-pubout", "-outform", "DER").hex()
        for sha in ("256", "384", "512"):
            for text in (b"", b"plumb", bytes(1000)):
                der = openssl("dgst", f"-sha{sha}", "-sign", key, stdin=text)
                case = {"spki": spki, "sha": f"SHA-{sha}", "msg": text.hex()}
                der_cases.append({**case, "sig": der.hex()})
                plain_cases.append({**case, "sig": plain_of(der, size).hex()})
    good = der_cases[0]
    der = bytes.fromhex(good["sig"])
    others = [(False, {**good, "sig": sig.hex()}) for sig in (
        der + b"\0", b"\x30\x81" + der[1:], der[:1] + bytes([der[1] + 1]) + der[2:], b"\x30\x80" + der[2:] + b"\0\0",
        b"\x30\x06\x02\x01\0\x02\x01\0", b"\x30\x06\x02\x01\1\x02\x01\1", plain_of(der, 32))]
    others += [(False, {**good, "sha": sha}) for sha in ("SHA-384", "SHA-1", "", 256)]
    others += [(False, {**good, "spki": der_cases[-1]["spki"]}), (False, {**good, "spki": good["spki"] + "00"})]
    expect("ecdsa-der", [*bent(der_cases, "spki", "msg", "sig"), *others])
    good = plain_cases[0]
    zeros = "00" * 32
    order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
    others = [(False, {**good, "sig": sig}) for sig in (
        good["sig"][:64] + zeros, zeros + good["sig"][64:], zeros * 2, order * 2, der.hex(), "00" + good["sig"],
        good["sig"][:64] + "00" + good["sig"][64:])]
    expect("ecdsa-p1363", [*bent(plain_cases, "spki", "msg", "sig"), *others])

    openssl("genpkey", "-algorithm", "ED25519", "-out", key)
    spki = openssl("pkey", "-in", key, "-pubout", "-outform", "DER").hex()
    for text in (b"x", b"plumb", bytes(1000)):
        pathlib.Path(message).write_bytes(text)
        signature = openssl("pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", message)
        ed_cases.append({"spki": spki, "sha": "SHA-512", "msg": text.hex(), "sig": signature.hex()})
    # The same but for a multiple of the group's order (RFC 8032, section 5.1.7: refused).
    order = (1 << 252) + 27742317777372353535851937790883648493
    moved = bytes.fromhex(ed_cases[0]["sig"])
    moved = moved[:32] + (int.from_bytes(moved[32:], "little") + order).to_bytes(32, "little")
    expect("ed25519", [*bent(ed_cases, "spki", "msg", "sig"), (False, {**ed_cases[0], "sig": moved.hex()}),
                       (False, {**ed_cases[0], "spki": der_cases[0]["spki"]})])


def secrets():
    noise = random.Random(6)
    cases = []
    for key_size in (0, 1, 32, 63, 64, 65, 200):
        for size in (0, 1, 55, 1000):
            key, text = noise.randbytes(key_size), noise.randbytes(size)
            cases.append({"key": key.hex(), "msg": text.hex(), "tag": hmac.digest(key, text, "sha256").hex()})
    # A tag may be cut to half of it, so that one byte less is no other.
    halves = [(True, {**case, "tag": case["tag"][:32]}) for case in cases]
    halves += [(False, {**case, "tag": case["tag"][:30]}) for case in cases]
    halves += [(False, {**case, "tag": case["tag"] + "00"}) for case in cases]
    shorter = [case["tag"][:-2] for case in cases]
    wrong = [(expected, members) for expected, members in bent(cases, "msg", "tag") if members.get("tag") not in shorter]
    expect("hmac-sha256", wrong + halves)
    # The test cases 4, 10 and 16 of the specification's authors (McGrew and Viega), and 13: nothing at all.
    text = ("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0d"
            "e657ba637b39")
    key = "feffe9928665731c6d6a8f9467308308" * 2
    case = {"iv": "cafebabefacedbaddecaf888", "aad": "feedfacedeadbeeffeedfacedeadbeefabaddad2", "msg": text}
    cases = [
        {**case, "key": key[:32], "tag": "5bc94fbc3221a5db94fae95ae7121a47",
         "ct": "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a"
               "0aac973d58e091"},
        {**case, "key": key[:48], "tag": "2519498e80f1478f37ba55bd6d27618c",
         "ct": "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f4718e2448b2f"
               "e324d9ccda2710"},
        {**case, "key": key, "tag": "76fc6ece0f4e1768cddf8853bb2d551b",
         "ct": "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393b"
               "a7a0abcc9f662"},
        {"key": "00" * 32, "iv": "00" * 12, "aad": "", "msg": "", "ct": "", "tag": "530f8afbc74536b9a963b4f1c4cb738b"}]
    expect("aes-gcm-open", [*bent(cases, "key", "iv", "aad", "ct", "tag", "msg")])


with tempfile.TemporaryDirectory() as directory:
    trees()
    signatures(pathlib.Path(directory))
    secrets()
assert subprocess.run([PROGRAM, "rot13"], capture_output=True, check=False).returncode == 2
sys.exit("\n".join(FAILED[:20]) or 0)
