"""Breached passwords: what is on the list is found, what is not is not, and damage is noticed."""

import hashlib
import mmap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep.credentials import breached
from crownkeep.credentials.breached import BreachedPasswords
from crownkeep.credentials.secret import Secret


def listed(passwords: list[str]) -> list[bytes]:
    hashes = {hashlib.sha1(password.encode()).hexdigest().upper() for password in passwords}
    return [f"{digest}:3\r\n".encode() for digest in sorted(hashes)]


def index(lines: list[bytes], *, at_least: int = 1) -> bytes:
    body = b"".join(breached.entries(lines, at_least=at_least))
    return breached.header(len(body) // 8) + body


@given(st.sets(st.text(max_size=12), max_size=60), st.text(max_size=12))
def test_exactly_the_listed_passwords_are_found(passwords: set[str], other: str) -> None:
    opened = BreachedPasswords(index(listed(sorted(passwords))))

    assert all(Secret(password) in opened for password in passwords)
    assert (Secret(other) in opened) is (other in passwords)
    assert opened.count == len(passwords)


def test_a_large_index_is_searched_in_a_memory_mapped_file_by_few_looks(tmp_path: Path) -> None:
    path = tmp_path / "breached.index"
    path.write_bytes(index(listed([f"password-{number}" for number in range(20_000)])))

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        looks = _Counting(mapped)
        opened = BreachedPasswords(looks)
        looks.count = 0
        found = [Secret(f"password-{number}") in opened for number in range(0, 30_000, 100)]

    assert found == [True] * 200 + [False] * 100
    assert looks.count / len(found) < 6


class _Counting:
    def __init__(self, mapped: mmap.mmap) -> None:
        self.mapped, self.count = mapped, 0

    def __len__(self) -> int:
        return len(self.mapped)

    def __getitem__(self, part: slice) -> bytes:
        self.count += 1
        return self.mapped[part]


def test_rare_passwords_are_left_out_when_asked() -> None:
    lines = [b"%040d:1" % 1, b"%039d0:10" % 2]

    assert BreachedPasswords(index(lines, at_least=5)).count == 1


@pytest.mark.parametrize("entries", [[], [0], [2**64 - 1], [0, 2**64 - 1], [5, 6, 7, 2**63]])
def test_searching_ends_at_the_ends(entries: list[int]) -> None:
    body = b"".join(entry.to_bytes(8, "big") for entry in entries)
    opened = BreachedPasswords(breached.header(len(entries)) + body)

    for entry in entries:
        assert opened._has(entry)
    for absent in {1, 4, 8, 2**62, 2**64 - 2} - set(entries):
        assert not opened._has(absent)


def test_hashes_that_share_a_prefix_become_one_entry() -> None:
    lines = [b"0" * 39 + b"1:1", b"0" * 39 + b"2:1"]

    assert BreachedPasswords(index(lines)).count == 1


@pytest.mark.parametrize("line", [b"hello", b"ABC:1", b"G" * 40 + b":1", b"0" * 40 + b":-1", b"0" * 41])
def test_a_malformed_list_is_refused_by_line(line: bytes) -> None:
    with pytest.raises(breached.MalformedList, match="line 2"):
        list(breached.entries([b"0" * 40 + b":1", line]))


def test_a_list_out_of_order_is_refused() -> None:
    with pytest.raises(breached.MalformedList, match="out of order"):
        list(breached.entries([b"F" * 40 + b":1", b"0" * 40 + b":1"]))


@pytest.mark.parametrize("raw", [b"", b"CKBREACH", b"x" * 16, breached.header(1), breached.header(0) + b"x"])
def test_a_damaged_index_is_refused(raw: bytes) -> None:
    with pytest.raises(breached.MalformedIndex):
        BreachedPasswords(raw)
