"""NT hashes, by which some lists name passwords: MD4 (RFC 1320) over UTF-16LE; OpenSSL 3 has no MD4 unless it is asked for."""

from __future__ import annotations

import struct

_MASK = 0xFFFFFFFF
_BLOCK = 64
# The order of words and the shifts of the three rounds (RFC 1320, section 3.4).
_ROUNDS = (
    (tuple(range(16)), (3, 7, 11, 19), 0),
    ((0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), (3, 5, 9, 13), 0x5A827999),
    ((0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15), (3, 9, 11, 15), 0x6ED9EBA1),
)


def nt_hash(text: str) -> bytes:
    """Return the NT hash of a password, 16 bytes; nothing of ours rests on its strength."""
    return md4(text.encode("utf-16-le", "surrogatepass"))


def md4(message: bytes) -> bytes:
    """Return the MD4 digest of a message (RFC 1320)."""
    padded = message + b"\x80" + bytes((55 - len(message)) % _BLOCK) + struct.pack("<Q", len(message) * 8)
    state = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
    for start in range(0, len(padded), _BLOCK):
        mixed = _mixed(state, struct.unpack("<16I", padded[start : start + _BLOCK]))
        state = tuple((old + new) & _MASK for old, new in zip(state, mixed, strict=True))  # type: ignore[assignment]  # of four
    return struct.pack("<4I", *state)


def _mixed(state: tuple[int, int, int, int], words: tuple[int, ...]) -> tuple[int, int, int, int]:
    a, b, c, d = state
    for number, (order, shifts, constant) in enumerate(_ROUNDS):
        for step, word in enumerate(order):
            total = (a + _function(number, b, c, d) + words[word] + constant) & _MASK
            shift = shifts[step % 4]
            a, b, c, d = d, (total << shift | total >> 32 - shift) & _MASK, b, c
    return a, b, c, d


def _function(number: int, x: int, y: int, z: int) -> int:
    match number:
        case 0:
            return x & y | ~x & z
        case 1:
            return x & y | x & z | y & z
        case _:
            return x ^ y ^ z
