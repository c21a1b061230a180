"""Files that somebody else wrote: a table or an LDIF of people, a backup's target, whatever a refusal repeats of them."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.test_hostile_texts import MANIFEST
from tests.cli.conftest import Terminal
from tests.credentials.hostile import edited

from crownkeep.backups import frames, targets
from crownkeep.backups.manifest import Manifest
from crownkeep.cli import people_csv, people_files, people_ldif
from crownkeep.cli.failures import WrongCall
from crownkeep.cli.people_files import FileContents

HASH = "$2b$10$" + "a" * 21 + "." + "a" * 30 + "."
TABLE = f"user name,email,groups,password hash,active\nann,ann@people.example,ops;dev,{HASH},\nben,ben@people.example,ops,,no\n"
CELLS = st.one_of(
    st.sampled_from(
        ["=cmd|' /C calc'!A1", "+1", "@SUM(1)", "-2+3", "\t=x", "ann", "", "\x9b31m", "\u202egnp", "a" * 2000, HASH, '"', "\r"]
    ),
    st.text(max_size=12),
)
LINES = st.one_of(
    st.sampled_from(
        [
            "dn: uid=ann,dc=people",
            "dn:: " + base64.b64encode(b"uid=ben,dc=people").decode(),
            "objectClass: person",
            "objectClass: groupOfNames",
            "cn: ops",
            "uid: ann",
            "member: uid=ann,dc=people",
            "memberOf: cn=" + " " * 50 + "ops,dc=people",
            "userPassword:: e1NTSEF9",
            "jpegPhoto:< file:///etc/passwd",
            "changetype: delete",
            "userAccountControl: \u0665" + "9" * 4000,
            "version: 1",
            "# a remark",
            " folded",
            "",
        ]
    ),
    edited(b"uid: ann").map(lambda line: line.decode("latin-1")),
)


def held(contents: FileContents) -> None:
    """Check what every import relies on: nobody twice, nothing that a spreadsheet would run, a reason for all left out."""
    names = [each.name.lower() for each in contents.people]
    values = [
        str(value) for each in contents.people for name, value in each.members.items() if name not in ("PhoneNumber", "Groups")
    ]
    assert len(set(names)) == len(names)
    assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in values)
    assert all(each.reason for each in contents.refused)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=4), edited(TABLE.encode()), st.sampled_from(",;\t"))
def test_a_hostile_table_of_people_is_refused_as_such(rows: list[list[str]], damaged: bytes, delimiter: str) -> None:
    heading = delimiter.join(["username", "email", "groups", "active"])

    for text in ("\n".join([heading, *(delimiter.join(row) for row in rows)]), damaged.decode("latin-1")):
        with suppress(WrongCall):
            held(people_csv.read(text))


@given(st.lists(LINES, max_size=14))
def test_a_hostile_ldif_is_refused_as_such(lines: list[str]) -> None:
    with suppress(WrongCall):
        held(people_ldif.read("\n".join(lines)))


def test_denial_of_service_a_name_of_blanks_is_read_in_one_pass() -> None:
    # Two million blanks: where each is a new beginning, these take hours.
    text = f"dn: uid=ann\nobjectClass: person\nuid: ann\nmemberOf: cn=a{' ' * 2_000_000}b,dc=people\n"

    assert 0 == len(people_ldif.read(text).people)


@given(edited(b"\xff\xfe" + "username\nann".encode("utf-16-le")), st.binary(max_size=30))
def test_a_file_of_any_bytes_is_text_or_refused(wide: bytes, content: bytes) -> None:
    path = Path(f"/dev/shm/crownkeep-{os.getpid()}.csv")
    try:
        for each in (wide, content):
            path.write_bytes(each)
            with suppress(WrongCall):
                assert "\0" not in people_files.read_text(path)
    finally:
        path.unlink()


def test_a_refusal_drives_no_terminal_whatever_a_file_is_called_or_holds(crownkeep: Terminal, tmp_path: Path) -> None:
    policy = tmp_path / "pol\x1b]0;evil\x07icy"
    policy.write_bytes(b"log \xc2\x9b31m\nquorum none\n")
    plan = tmp_path / "plan\x1b[2J.json"
    plan.write_text("[" * 100_000)
    pack = tmp_path / "pack"
    pack.write_bytes(b"PK")
    calls = (
        ("lockdown", "show", str(plan)),
        ("evidence", "check", str(pack), "--policy", str(policy)),
        ("trail", "verify", "--policy", str(policy)),
        ("sso", "import", str(plan), "--instance", "x\x1b[31m"),
    )

    ended = [crownkeep(*words) for words in calls]

    assert all(each.code in (1, 2) for each in ended)
    assert all(line.isprintable() for each in ended for line in (each.out + each.err).splitlines())
    assert not any("fault of crownkeep's own" in each.err for each in ended)


@pytest.mark.parametrize(
    "put", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.write_bytes(b"whole" * 9), Path.mkdir]
)
def test_a_pipe_device_or_endless_file_for_a_part_keeps_nobody_waiting(tmp_path: Path, put: Callable[[Path], None]) -> None:
    part = {"name": "part-00001", "size": 5, "sha256": sha256(b"whole").hexdigest()}
    piece = {**MANIFEST["pieces"][0], "parts": [part]}
    found = msgspec.convert({**MANIFEST, "parts": [part], "pieces": [piece]}, Manifest, strict=False)
    months = tmp_path / "months" / found.pieces[0].folder
    months.mkdir(parents=True)

    sound = []
    for place in (tmp_path / "backup", months):
        place.mkdir(exist_ok=True)
        (place / "part-00001").write_bytes(b"whole")
    sound += targets.faults(tmp_path / "backup", found)
    for place in (tmp_path / "backup", months):
        (place / "part-00001").unlink()
        put(place / "part-00001")

    assert ([], 2) == (sound, len(targets.faults(tmp_path / "backup", found)))


@pytest.mark.parametrize("kind", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_manifest_that_is_no_file_is_told_as_such(crownkeep: Terminal, tmp_path: Path, kind: Callable[[Path], None]) -> None:
    place = tmp_path / "shelf" / "2026-11-30T02-15-00Z-1a2b3c4d"
    place.mkdir(parents=True)
    kind(place / "manifest")

    ended = crownkeep("backup", "list", str(place.parent), "--json")

    assert (0, ["the manifest can't be read: it is no regular file"]) == (
        ended.code,
        [each["fault"] for each in ended.json()["backups"]],
    )
    with pytest.raises(OSError, match="no regular file"):
        frames.opened(place / "manifest")
