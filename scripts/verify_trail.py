"""Verify what a Crownkeep trail claims, without Crownkeep: this one file, Python 3.11 and `cryptography` 50 are all it needs.

    python verify_trail.py proof FILE.tlog-proof --key VKEY          one record and its proof
    python verify_trail.py tiles DIR --key VKEY [--old CHECKPOINT]   a copy of /tlog/, whole
    python verify_trail.py export FILE.jsonl --key VKEY              an export, whole

It is written from the specifications (RFC 6962, C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-proof) and
shares no line with the package. It ends with 0 where all is as it was, with 1 where not, with 2 where it was called wrongly.
"""

import argparse
import base64
import json
import struct
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey


class Wrong(Exception):
    """Something is not as it was; the text says what."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf (RFC 6962, section 2.1)."""
    return sha256(b"\x00" + entry).digest()


def tree_hash(hashes: list[bytes]) -> bytes:
    """Return the root over hashes of leaves, folded level by level: an odd one at the end goes up as it is."""
    if not hashes:
        return sha256(b"").digest()
    while len(hashes) > 1:
        pairs = [sha256(b"\x01" + hashes[i] + hashes[i + 1]).digest() for i in range(0, len(hashes) - 1, 2)]
        hashes = pairs + hashes[len(pairs) * 2 :]
    return hashes[0]


def root_from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to (RFC 6962, section 2.1.1)."""
    if size == 1:
        if path:
            raise Wrong("the proof is too long")
        return leaf
    half = 1 << (size - 1).bit_length() - 1
    if not path:
        raise Wrong("the proof is too short")
    if index < half:
        return sha256(b"\x01" + root_from_path(leaf, index, half, path[:-1]) + path[-1]).digest()
    return sha256(b"\x01" + path[-1] + root_from_path(leaf, index - half, size - half, path[:-1])).digest()


def read_checkpoint(note: str, vkeys: list[str]) -> tuple[int, bytes, list[str]]:
    """Return a checkpoint's size and root, and which of the keys have signed it; raises Wrong where none of the log's has."""
    body, _, signatures = note.rpartition("\n\n")
    origin, size, root = body.split("\n")[:3]
    keys = {}
    for vkey in vkeys:
        name, key_id, encoded = vkey.strip().split("+", 2)
        keys[name, bytes.fromhex(key_id)] = base64.b64decode(encoded)
    signed = []
    for line in signatures.splitlines():
        _, name, encoded = line.split(" ")
        blob = base64.b64decode(encoded)
        key = keys.get((name, blob[:4]))
        if key is not None:
            check_signature(name, key, body + "\n", blob[4:], origin, int(size), base64.b64decode(root))
            signed.append(name)
    if origin not in signed:
        raise Wrong(f"no key that was given has signed for `{origin}`")
    return int(size), base64.b64decode(root), signed


def check_signature(name: str, key: bytes, text: str, signature: bytes, origin: str, size: int, root: bytes) -> None:
    """Raise Wrong unless a key has signed a checkpoint, in the manner that its first byte says."""
    at = struct.unpack(">Q", signature[:8])[0]
    named = [part.encode() for part in (name, origin)]
    subtree = b"subtree/v1\n\0" + bytes([len(named[0])]) + named[0] + struct.pack(">Q", at)
    subtree += bytes([len(named[1])]) + named[1] + struct.pack(">QQ", 0, size) + root
    try:
        match key[0]:
            case 0x01:
                Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, text.encode())
            case 0x04:
                seen = f"cosignature/v1\ntime {at}\n{text}".encode()
                Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[8:], seen)
            case 0x06:
                MLDSA44PublicKey.from_public_bytes(key[1:]).verify(signature[8:], subtree)
            case kind:
                raise Wrong(f"the key of `{name}` is of the unknown kind {kind}")
    except InvalidSignature:
        raise Wrong(f"the signature of `{name}` is wrong") from None


def check_record(leaf: bytes, record: str, columns: list[Any] | None) -> None:
    """Raise Wrong unless a record, and what it is found by, are those of the leaf."""
    end = 26 + leaf[25]
    said = json.loads(record)
    if leaf[0] != 1 or sha256(record.encode()).digest() != leaf[end : end + 32]:
        raise Wrong("the record is not the one that was logged")
    if said["eventID"].replace("-", "") != leaf[1:17].hex() or said["recipientAccountId"].encode() != leaf[26:end]:
        raise Wrong("the leaf is of another record")
    if columns is not None:
        canonical = json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode()
        if sha256(record.encode() + canonical).digest() != leaf[end + 32 :]:
            raise Wrong("what the record is found by is not what was logged")


def verify_proof(file: Path, vkeys: list[str]) -> str:
    """Verify a `.tlog-proof` file that holds its record."""
    head, _, note = file.read_text(encoding="utf-8").partition("\n\n")
    lines = head.split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("extra "):
        raise Wrong("this is no proof with a record in it")
    extra = json.loads(base64.b64decode(lines[1].removeprefix("extra ")))
    index, path = int(lines[2].removeprefix("index ")), [base64.b64decode(line) for line in lines[3:]]
    size, root, signed = read_checkpoint(note, vkeys)
    leaf = base64.b64decode(extra["leaf"])
    if not 0 <= index < size or root_from_path(leaf_hash(leaf), index, size, path) != root:
        raise Wrong("the proof does not lead to the root")
    check_record(leaf, extra["record"], extra.get("columns"))
    return f"record {index} of {size}, signed by {', '.join(sorted(set(signed)))}"


def tile_name(level: str, number: int, width: int) -> str:
    """Return a tile's path (C2SP tlog-tiles)."""
    digits = f"{number:0{-(-len(str(number)) // 3) * 3}d}"
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    name = "/".join([*("x" + group for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{name}" + (f".p/{width}" if width < 256 else "")


def tiled(directory: Path, level: str, count: int) -> Iterator[bytes]:
    """Yield what each tile of a level holds, in order."""
    for number in range(-(-count // 256)):
        yield (directory / tile_name(level, number, min(256, count - number * 256))).read_bytes()


def verify_tiles(directory: Path, vkeys: list[str], old: Path | None) -> str:
    """Verify a copy of a log: every entry against its tile, every tile against those above, the top against the checkpoint."""
    size, root, signed = read_checkpoint((directory / "checkpoint").read_text(encoding="utf-8"), vkeys)
    hashes: list[bytes] = []
    for bundle in tiled(directory, "entries", size):
        while bundle:
            end = 2 + struct.unpack(">H", bundle[:2])[0]
            hashes.append(leaf_hash(bundle[2:end]))
            bundle = bundle[end:]
    if len(hashes) != size or tree_hash(hashes) != root:
        raise Wrong("the entries do not lead to the checkpoint's root")
    level, row = 0, hashes
    while row:
        if b"".join(tiled(directory, str(level), len(row))) != b"".join(row):
            raise Wrong(f"the tiles of level {level} are not made of what is below them")
        row = [tree_hash(row[i : i + 256]) for i in range(0, len(row) // 256 * 256, 256)]
        level += 1
    check_old(hashes, old, vkeys)
    return f"{size} entries, signed by {', '.join(sorted(set(signed)))}"


def check_old(hashes: list[bytes], old: Path | None, vkeys: list[str]) -> None:
    """Raise Wrong unless an older checkpoint is of the beginning of this tree."""
    if old is None:
        return
    size, root, _ = read_checkpoint(old.read_text(encoding="utf-8"), vkeys)
    if size > len(hashes):
        raise Wrong(f"{size - len(hashes)} entries are missing that the older checkpoint counts: {len(hashes)} to {size - 1}")
    if tree_hash(hashes[:size]) != root:
        raise Wrong(f"something among the first {size} entries was changed since the older checkpoint")


def verify_export(file: Path, vkeys: list[str], old: Path | None) -> str:
    """Verify an export: every record against its leaf, and all leaves against the checkpoint in its first line."""
    with file.open(encoding="utf-8") as lines:
        head = json.loads(next(lines))
        size, root, signed = read_checkpoint(head["checkpoint"], vkeys)
        hashes, withheld = read_leaves(lines)
    if head.get("selected"):
        raise Wrong("the export is a selection: its records are unchanged, but nothing says what is not in it")
    if len(hashes) < size or tree_hash(hashes[:size]) != root:
        raise Wrong("the leaves do not lead to the checkpoint's root")
    check_old(hashes, old, vkeys)
    return f"{size} records, {withheld} of them withheld, signed by {', '.join(sorted(set(signed)))}"


def read_leaves(lines: Iterable[str]) -> tuple[list[bytes], int]:
    """Return the hashes of an export's leaves, each held against its record, and how many have none."""
    hashes, withheld = [], 0
    for line in lines:
        each = json.loads(line)
        leaf = base64.b64decode(each["leaf"])
        if each["record"] is None:
            withheld += 1
        else:
            check_record(leaf, each["record"], each["columns"])
        hashes.append(leaf_hash(leaf))
    return hashes, withheld


def main() -> int:
    """Read the command line, verify, and say what came of it."""
    parser = argparse.ArgumentParser(description="Verify a Crownkeep trail with public keys alone.")
    parser.add_argument("what", choices=("proof", "tiles", "export"))
    parser.add_argument("path", type=Path)
    parser.add_argument("--key", action="append", required=True, help="a verifier key (vkey) that you trust; may be repeated")
    parser.add_argument("--old", type=Path, help="a checkpoint that you kept")
    given = parser.parse_args()
    try:
        match given.what:
            case "proof":
                said = verify_proof(given.path, given.key)
            case "tiles":
                said = verify_tiles(given.path, given.key, given.old)
            case _:
                said = verify_export(given.path, given.key, given.old)
    except (Wrong, OSError, ValueError, KeyError, IndexError, TypeError, struct.error) as error:
        print(f"NOT as it was: {str(error) or type(error).__name__}")
        return 1
    print(f"as it was: {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
