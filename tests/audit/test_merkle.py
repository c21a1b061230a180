"""The tree against a slow reference that is RFC 6962's own recursion, and tiles against their format."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts import verify_trail
from tests.trail import logs

from crownkeep.audit import merkle, tiles
from crownkeep.audit.merkle import Frontier, WrongProof

MOST = 70
LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(600)]


def slow_root(leaves: list[bytes]) -> bytes:
    """Return MTH(D[n]) as section 2.1 writes it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + slow_root(leaves[:half]) + slow_root(leaves[half:])).digest()


def slow_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """Return PATH(m, D[n]) as section 2.1.1 writes it."""
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return [*slow_path(index, leaves[:half]), slow_root(leaves[half:])]
    return [*slow_path(index - half, leaves[half:]), slow_root(leaves[:half])]


def slow_subproof(old: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """Return SUBPROOF(m, D[n], b) as section 2.1.2 writes it."""
    if old == len(leaves):
        return [] if whole else [slow_root(leaves)]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= half:
        return [*slow_subproof(old, leaves[:half], whole), slow_root(leaves[half:])]
    return [*slow_subproof(old - half, leaves[half:], False), slow_root(leaves[:half])]


@given(st.integers(0, 600), st.integers(0, 600))
def test_many_leaves_at_once_make_the_tree_that_each_in_turn_makes(already: int, most: int):
    in_turn, at_once = Frontier(), Frontier()
    for each in LEAVES[:already]:
        in_turn.append(each)
        at_once.append(each)
    completed, expected = list[tuple[int, int, bytes]](), list[tuple[int, int, bytes]]()

    at_once.extend(LEAVES[already:most], completed)

    for each in LEAVES[already:most]:
        in_turn.append(each, expected)
    assert (in_turn.size, in_turn.peaks) == (at_once.size, at_once.peaks)
    assert sorted(expected) == sorted(completed)


def node(height: int, number: int) -> bytes:
    return merkle.folded(LEAVES[number << height : number + 1 << height])


@pytest.mark.parametrize("size", [*range(MOST), 255, 256, 257, 511, 512, 513, 600])
def test_every_root_is_that_of_the_specification(size: int):
    expected = slow_root(LEAVES[:size])

    assert expected == merkle.root_at(size, node)
    assert expected == merkle.root_of(LEAVES[:size])
    assert expected == verify_trail.tree_hash(LEAVES[:size])
    assert expected == Frontier(size, [node(*each) for each in merkle.peaks(size)]).root()


@given(st.data())
def test_an_inclusion_proof_is_that_of_the_specification_and_proves_nothing_else(data: st.DataObject):
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    root = slow_root(LEAVES[:size])

    proof = merkle.inclusion_proof(index, size, node)

    assert slow_path(index, LEAVES[:size]) == proof
    assert root == verify_trail.root_from_path(LEAVES[index], index, size, proof)
    merkle.check_inclusion(LEAVES[index], index, size=size, root=root, proof=proof)
    other = data.draw(st.integers(0, size).filter(lambda number: number != index))
    wrong = [
        (LEAVES[other], index, size, root, proof),
        (LEAVES[index], other, size, root, proof),
        (LEAVES[index], index, size, LEAVES[599], proof),
        (LEAVES[index], index, size, root, [*proof, root]),
    ] + ([(LEAVES[index], index, size, root, proof[:-1])] if proof else [])
    for leaf, at, of, under, by in wrong:
        with pytest.raises(WrongProof):
            merkle.check_inclusion(leaf, at, size=of, root=under, proof=by)


@given(st.data())
def test_a_consistency_proof_is_that_of_the_specification_and_proves_nothing_else(data: st.DataObject):
    size = data.draw(st.integers(1, 300))
    old = data.draw(st.integers(0, size))
    roots = slow_root(LEAVES[:old]), slow_root(LEAVES[:size])

    proof = merkle.consistency_proof(old, size, node)

    assert proof == (slow_subproof(old, LEAVES[:size], True) if old else [])
    merkle.check_consistency(old=old, old_root=roots[0], size=size, root=roots[1], proof=proof)
    wrong = [(LEAVES[599], roots[1], proof), (roots[0], LEAVES[599], proof), (*roots, [*proof, LEAVES[0]])]
    for older, newer, by in wrong:
        if old == 0 and newer != roots[1]:
            continue  # Any tree begins with the empty one.
        with pytest.raises(WrongProof):
            merkle.check_consistency(old=old, old_root=older, size=size, root=newer, proof=by)
    if proof:
        with pytest.raises(WrongProof):
            merkle.check_consistency(old=old, old_root=roots[0], size=size, root=roots[1], proof=proof[:-1])


def test_a_tree_that_shrank_is_not_consistent():
    with pytest.raises(WrongProof):
        merkle.check_consistency(old=3, old_root=slow_root(LEAVES[:3]), size=2, root=slow_root(LEAVES[:2]), proof=[])


@given(st.integers(0, 10**12), st.integers(1, 256), st.one_of(st.none(), st.integers(0, 63)))
def test_a_tile_has_one_path(number: int, width: int, level: int | None):
    tile = tiles.Tile(level, number, width)

    assert tile == tiles.read_path(tile.path)
    assert tile.path == verify_trail.tile_name("entries" if level is None else str(level), number, width)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/x000/001",
        "tile/0/1",
        "tile/0/0001",
        "tile/00/001",
        "tile/64/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/01",
        "tile/0/001/",
        "tile/0/x001",
        "tile/0/001.p/5/",
        "tile/-1/001",
        "tile/0/001\n",
        "tile/0/٠٠١",
    ],
)
def test_no_other_path_names_a_tile(path: str):
    assert tiles.read_path(path) is None


def test_the_specification_s_own_path():
    assert "tile/0/x001/x234/067" == tiles.Tile(0, 1234067).path


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_holds_its_entries_and_no_half_of_one(entries: list[bytes]):
    bundle = tiles.write_bundle(entries)

    assert entries == tiles.read_bundle(bundle)
    if entries:
        with pytest.raises(tiles.Malformed):
            tiles.read_bundle(bundle + b"\0")


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_536, 70_000])
def test_a_tree_s_tiles_hold_every_hash_once(size: int):
    found = list(logs.tiles_of(size))

    counts = [sum(tile.width for tile in found if tile.level == level) for level in (None, 0, 1, 2)]
    assert [size, size, size >> 8, size >> 16] == counts
    assert all(left.path != right.path for left, right in pairwise(found))


def test_an_entry_longer_than_a_bundle_can_say_is_refused():
    with pytest.raises(tiles.Malformed):
        tiles.write_bundle([bytes(65_536)])
