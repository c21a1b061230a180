"""The Merkle tree of RFC 6962: roots, inclusion proofs and consistency proofs, over hashes that the caller holds.

A complete subtree is named by its height and its number: `(0, 5)` is the leaf at index 5, `(3, 1)` covers the leaves 8 to 15.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962, section 2.1)."""

Node = Callable[[int, int], bytes]
"""Gives the hash of a complete subtree by its height and number."""


class WrongProof(ValueError):
    """A proof does not lead from what it should prove to the root."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    # The first byte keeps leaves and nodes apart: no leaf can be passed off for an inner node (RFC 6962, section 2.1).
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, the largest first.

    There are as many as the size has ones in binary, so a tree of any size grows in a few hundred bytes.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if size.bit_count() != len(peaks):
            raise ValueError("a tree of this size has another number of complete subtrees")
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf: bytes, completed: list[tuple[int, int, bytes]] | None = None) -> None:
        """Append the hash of one leaf; `completed` gets the height, number and hash of every subtree that it makes complete."""
        number, height = self.size, 0
        # Each trailing one of the size is a complete subtree that this leaf completes a larger one with: a carry, as in counting.
        while number & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            number, height = number >> 1, height + 1
            if completed is not None:
                completed.append((height, number, leaf))
        self.peaks.append(leaf)
        self.size += 1

    def extend(self, leaves: Sequence[bytes], completed: list[tuple[int, int, bytes]]) -> None:
        """Append the hashes of many leaves, level by level: the same as `append` of each in turn, for two thirds of its time."""
        edge = {height: peak for (height, _), peak in zip(peaks(self.size), self.peaks, strict=True)}
        row, number, height = [*leaves], self.size, 0
        while row:
            # The left one of the row's first pair may have been there before, as the peak of this height.
            if number & 1:
                row.insert(0, edge.pop(height))
            if len(row) & 1:
                edge[height] = row.pop()
            # Written out, as one call less for each leaf is a quarter of what it costs.
            row = [sha256(b"\1" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)]
            number, height = number >> 1, height + 1
            completed += [(height, number + place, found) for place, found in enumerate(row)]
        self.size += len(leaves)
        self.peaks = [edge[height] for height in sorted(edge, reverse=True)]

    def root(self) -> bytes:
        """Return the root of the tree as it is now."""
        if not self.peaks:
            return EMPTY_ROOT
        found = self.peaks[-1]
        # From the smallest to the largest: the left side of every node is the larger subtree.
        for peak in reversed(self.peaks[:-1]):
            found = node_hash(peak, found)
        return found

    def copy(self) -> Frontier:
        """Return a frontier that grows by itself from here."""
        return Frontier(self.size, self.peaks)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over hashes of leaves."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def peaks(size: int) -> list[tuple[int, int]]:
    """Return the height and number of each complete subtree at the right edge of a tree of this size, the largest first."""
    found, start = [], 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            found.append((height, start >> height))
            start += 1 << height
    return found


def root_at(size: int, node: Node) -> bytes:
    """Return the root of the tree that the first `size` leaves make."""
    return _range(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Return the proof that the leaf at an index is in the tree of a size (RFC 6962, section 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError("the tree has no leaf at this index")
    proof, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_range(middle, end, node))
            end = middle
        else:
            proof.append(_range(start, middle, node))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, size: int, node: Node) -> list[bytes]:
    """Return the proof that the tree of a size begins with the one of an older size (RFC 6962, section 2.1.2)."""
    if not 0 <= old <= size:
        raise ValueError("the older tree can't be the larger one")
    # Nothing is to be proved: the empty tree begins every tree, and a tree begins itself.
    if old in (0, size):
        return []
    proof: list[bytes] = []
    start, end, whole = 0, size, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_range(middle, end, node))
            end = middle
        else:
            proof.append(_range(start, middle, node))
            start, whole = middle, False
    # Where the old tree is one complete subtree, its root is known to whoever checks, and is left out.
    return ([] if whole else [_range(start, end, node)]) + proof[::-1]


def check_inclusion(leaf: bytes, index: int, *, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Raise WrongProof unless a leaf's hash is at this index of the tree with this root (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        raise WrongProof("the index lies outside of the tree")
    number, last, found = index, size - 1, leaf
    for each in proof:
        if last == 0:
            raise WrongProof("the proof is too long")
        # A right child, or the last node of a level without a right neighbour.
        if number & 1 or number == last:
            found = node_hash(each, found)
            # Levels at which the last node has no neighbour add no hash to the proof.
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            found = node_hash(found, each)
        number, last = number >> 1, last >> 1
    if last != 0 or found != root:
        raise WrongProof("the proof does not lead to the root")


def check_consistency(*, old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Raise WrongProof unless the tree with this root begins with the older one (RFC 9162, section 2.1.4.2)."""
    if old > size:
        raise WrongProof("the older tree is the larger one")
    if old in (0, size):
        if proof or old_root != (EMPTY_ROOT if old == 0 else root):
            raise WrongProof("the roots of equal trees differ, or a proof is there where none is needed")
        return
    _check_growth(old, old_root, size, root, proof)


def _check_growth(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    rest = list(proof)
    # A power of two: the old root is itself the first node, which the proof leaves out.
    if old & (old - 1) == 0:
        rest.insert(0, old_root)
    if not rest:
        raise WrongProof("the proof is too short")
    number, last = old - 1, size - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    first = second = rest[0]
    for each in rest[1:]:
        if last == 0:
            raise WrongProof("the proof is too long")
        if number & 1 or number == last:
            first, second = node_hash(each, first), node_hash(each, second)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            second = node_hash(second, each)
        number, last = number >> 1, last >> 1
    # Both roots must come out of the same hashes: that is what makes the new tree a continuation.
    if last != 0 or first != old_root or second != root:
        raise WrongProof("the proof does not lead from one root to the other")


def folded(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of neighbouring hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[place], hashes[place + 1]) for place in range(0, len(hashes), 2)]
    return hashes[0]


def _split(count: int) -> int:
    """Return the largest power of two that is smaller."""
    return 1 << (count - 1).bit_length() - 1


def _range(start: int, end: int, node: Node) -> bytes:
    # A range that begins at a multiple of a power of two and is as long is one stored subtree.
    count = end - start
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return node(height, start >> height)
    middle = start + _split(count)
    return node_hash(_range(start, middle, node), _range(middle, end, node))
