# SPDX-License-Identifier: MIT OR Apache-2.0
"""BLAKE3 (O'Connor, Aumasson, Neves, Wilcox-O'Hearn 2020) with nothing but integers. As many chunks or parents as there are
are compressed at once: a lane of 64 bits of one long integer is the 32-bit word of one of them."""
import array
import sys

CHUNK = 1024
GROUP = 1024 * CHUNK
BLOCK = 64
IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
ROUNDS = 7


def lanes_of(words):
    lanes = array.array("Q", words)
    if sys.byteorder == "big":
        lanes.byteswap()
    return int.from_bytes(lanes.tobytes(), "little")


def words_of(lanes, count):
    words = array.array("Q", lanes.to_bytes(8 * count, "little"))
    if sys.byteorder == "big":
        words.byteswap()
    return words


def compress(chaining, message, counters, length, flags, count):
    """The chaining values of `count` lanes, as eight words of lanes."""
    ones = lanes_of([1] * count)
    mask = ones * 0xFFFFFFFF
    v = list(chaining) + [IV[i] * ones for i in range(4)]
    v += [counters & mask, counters >> 32 & mask, length * ones, flags * ones]

    def mix(a, b, c, d, x, y):
        v[a] = (v[a] + v[b] + x) & mask
        v[d] ^= v[a]
        v[d] = (v[d] >> 16 | v[d] << 16) & mask
        v[c] = (v[c] + v[d]) & mask
        v[b] ^= v[c]
        v[b] = (v[b] >> 12 | v[b] << 20) & mask
        v[a] = (v[a] + v[b] + y) & mask
        v[d] ^= v[a]
        v[d] = (v[d] >> 8 | v[d] << 24) & mask
        v[c] = (v[c] + v[d]) & mask
        v[b] ^= v[c]
        v[b] = (v[b] >> 7 | v[b] << 25) & mask

    for _ in range(ROUNDS):
        for i in range(4):
            mix(i, 4 + i, 8 + i, 12 + i, message[2 * i], message[2 * i + 1])
        for i in range(4):
            mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, message[8 + 2 * i], message[9 + 2 * i])
        message = [message[i] for i in PERMUTATION]
    return [v[i] ^ v[i + 8] for i in range(8)]


def to_values(chaining, count):
    """32 bytes for each lane."""
    columns = [words_of(word, count) for word in chaining]
    return [b"".join(column[i].to_bytes(4, "little") for column in columns) for i in range(count)]


def to_words(data):
    words = array.array("I", data)
    if sys.byteorder == "big":
        words.byteswap()
    return words


def hash_chunks(data, first, count, root):
    """`count` chunks of equal length, the first one of which has the number `first` in the input."""
    size = len(data) // count
    padded = -(-size // BLOCK) * BLOCK or BLOCK
    words = to_words(b"".join(data[i * size:(i + 1) * size].ljust(padded, b"\0") for i in range(count)))
    ones = lanes_of([1] * count)
    counters = lanes_of(range(first, first + count))
    chaining = [word * ones for word in IV]
    for at in range(0, padded, BLOCK):
        is_last = at + BLOCK == padded
        flags = (CHUNK_START if at == 0 else 0) | (CHUNK_END | root if is_last else 0)
        message = [lanes_of(words[at // 4 + i::padded // 4]) for i in range(16)]
        chaining = compress(chaining, message, counters, size - at if is_last else BLOCK, flags, count)
    return to_values(chaining, count)


def join(values, root):
    """The chaining value of the tree over these subtrees, all of one size but the last; left ones are full."""
    while len(values) > 1:
        count = len(values) // 2
        words = to_words(b"".join(values[:2 * count]))
        ones = lanes_of([1] * count)
        flags = PARENT | (root if len(values) == 2 else 0)
        message = [lanes_of(words[i::16]) for i in range(16)]
        parents = to_values(compress([word * ones for word in IV], message, 0, BLOCK, flags, count), count)
        values = parents + values[2 * count:]
    return values[0]


def subtree(data, first, root):
    full = len(data) // CHUNK
    if len(data) <= CHUNK:
        return hash_chunks(data, first, 1, root)[0]
    values = hash_chunks(data[:full * CHUNK], first, full, 0)
    if len(data) % CHUNK:
        values += hash_chunks(data[full * CHUNK:], first + full, 1, 0)
    return join(values, root)


def blake3(data):
    return subtree(data, 0, ROOT)


def group_hash(data, index):
    """Of 1 MiB, or at the end less, which have `index` MiB before them and are not all."""
    return subtree(data, index * (GROUP // CHUNK), 0)


def root_of(hashes):
    """The BLAKE3 of what has these hashes of groups, two or more."""
    return join(list(hashes), ROOT)
