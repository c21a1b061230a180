"""Pieces of backups: a sealed month is kept once for all backups of a target, wherever it lies, and comes back with each."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.backups.conftest import backed_up, restored
from tests.backups.test_elsewhere import Bucket, at, bucket

from crownkeep.backups import making, manifest, targets
from crownkeep.backups.making import Made
from crownkeep.backups.manifest import UnsoundManifest

__all__ = ["at", "bucket"]
MONTH = "2026-01.jsonl.gz"


@pytest.fixture(autouse=True)
def sealed(made, data: Path) -> Path:
    """The directory of sealed months, with one in it; its content is as good as any, as no table names it."""
    made("--admin-user", "admin")
    place = data / "sealed"
    place.mkdir(mode=0o700)
    (place / MONTH).write_bytes(b"a month of records" * 999)
    (place / "2026-01.index").write_bytes(b"where they are")
    return place


@pytest.fixture(autouse=True)
def days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each backup is made a day after the one before: their names sort by time."""
    real, count = making.make, iter(range(100))

    def make(*given: Any, now: datetime, **rest: Any) -> Made:
        return real(*given, now=now + timedelta(days=next(count)), **rest)

    monkeypatch.setattr(making, "make", make)


def folders(shelf: Path) -> list[str]:
    return sorted(each.name.rpartition("-")[0] for each in (shelf / "months").iterdir())


def test_a_sealed_month_is_written_once_and_comes_back_with_every_backup(crownkeep, shelf, data, sealed, tmp_path):
    first, second = backed_up(crownkeep, shelf), backed_up(crownkeep, shelf)
    (sealed / "2026-02.jsonl.gz").write_bytes(b"another month")
    backed_up(crownkeep, shelf)

    restored(crownkeep, shelf, data, tmp_path / "new")

    assert ["2026-01.index", MONTH, "2026-02.jsonl.gz"] == folders(shelf)
    assert {each.name: each.read_bytes() for each in sealed.iterdir()} == {
        each.name: each.read_bytes() for each in (tmp_path / "new" / "sealed").iterdir()
    }
    kept = [[piece.folder for piece in targets.read_manifest(each)[0].pieces] for each in (first, second)]
    assert kept[0] == kept[1]
    assert b"a month of records" not in b"".join(each.read_bytes() for each in shelf.rglob("part-*"))
    assert [["2026-01"], ["2026-01"], ["2026-01", "2026-02"]] == [
        each["months"] for each in crownkeep("backup", "list", str(shelf), "--json").json()["backups"]
    ]


def test_a_sealed_month_elsewhere_is_in_the_backup_too(crownkeep, shelf, data, sealed, tmp_path):
    elsewhere = sealed.rename(tmp_path / "elsewhere")
    (data / "crownkeep.toml").write_text(f'trail_sealed_directory = "{elsewhere}"\n')

    backed_up(crownkeep, shelf)
    (data / "crownkeep.toml").unlink()
    restored(crownkeep, shelf, data, tmp_path / "new")

    assert (elsewhere / MONTH).read_bytes() == (tmp_path / "new" / "sealed" / MONTH).read_bytes()


def test_what_was_withheld_from_a_month_since_is_a_new_piece_and_so_is_all_after_a_rotation(crownkeep, shelf, sealed):
    backed_up(crownkeep, shelf)
    (sealed / MONTH).write_bytes(b"a month of fewer records")
    backed_up(crownkeep, shelf)
    assert ["2026-01.index", MONTH, MONTH] == folders(shelf)

    assert 0 == crownkeep("keys", "rotate", "--wait", "0").code
    backed_up(crownkeep, shelf)

    assert ["2026-01.index"] * 2 + [MONTH] * 3 == folders(shelf)


def test_a_sealed_month_is_read_once_and_again_only_after_it_was_touched(crownkeep, shelf, sealed, monkeypatch):
    read, real = list[str](), hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda file, kind: read.append(Path(file.name).name) or real(file, kind))

    def read_by_a_backup() -> list[str]:
        read.clear()
        backed_up(crownkeep, shelf)
        return list(read)

    # The first two days: the files are too new for the first backup to know them by their times.
    assert [["2026-01.index", MONTH]] * 2 == [read_by_a_backup(), read_by_a_backup()]
    assert [] == read_by_a_backup()
    # Another content of the same size, with its time set back: the inode's own time tells.
    before = (sealed / MONTH).stat()
    (sealed / MONTH).write_bytes(b"A month of records" * 999)
    os.utime(sealed / MONTH, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert [MONTH] == read_by_a_backup()
    assert ["2026-01.index", MONTH, MONTH] == folders(shelf)
    assert all(each["ok"] for each in crownkeep("backup", "verify", str(shelf), "--json").json()["backups"])


def test_a_piece_that_was_changed_or_is_missing_is_noticed_and_written_again(crownkeep, shelf, data):
    backed_up(crownkeep, shelf)
    part = next((shelf / "months").glob(f"{MONTH}-*/part-00001"))
    content = part.read_bytes()
    part.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    changed = crownkeep("backup", "verify", str(shelf), "--json")
    drilled = crownkeep("backup", "drill", str(shelf), "--sealing-key", str(data / "sealing.key"))
    part.unlink()
    backed_up(crownkeep, shelf)

    assert (1, True) == (changed.code, "is not what was written" in changed.json()["backups"][0]["findings"][0])
    assert (1, True) == (drilled.code, "is not sound" in drilled.err)
    assert [False, True] == [each["ok"] for each in crownkeep("backup", "verify", str(shelf), "--json").json()["backups"]]


def test_a_piece_for_a_recipient_opens_with_the_identity_alone(crownkeep, shelf, data, tmp_path):
    backed_up(crownkeep, shelf)
    assert 0 == crownkeep("backup", "new-recipient", str(tmp_path / "r")).code
    for _ in range(2):
        backed_up(crownkeep, shelf, "--recipient", str(tmp_path / "r.pub"))

    assert 4 == len(folders(shelf))
    restored(crownkeep, shelf, data, tmp_path / "new", "--identity", str(tmp_path / "r"))
    assert (tmp_path / "new" / "sealed" / MONTH).exists()


def test_a_sealed_month_goes_to_a_bucket_once(crownkeep, bucket: Bucket, at, data, tmp_path):
    for _ in range(2):
        assert 0 == crownkeep("backup", "create", "--to", *at).code
    put = [key for key in bucket.objects if f"/months/{MONTH}-" in key]
    verified = crownkeep("backup", "verify", *at, "--json").json()
    key = str(data / "sealing.key")
    assert 0 == crownkeep("backup", "restore", *at, "--data", str(tmp_path / "new"), "--sealing-key", key).code

    assert 1 == len(put)
    assert [True, True] == [each["ok"] for each in verified["backups"]]
    assert (data / "sealed" / MONTH).read_bytes() == (tmp_path / "new" / "sealed" / MONTH).read_bytes()
    del bucket.objects[put[0]]
    assert 0 == crownkeep("backup", "create", "--to", *at).code
    assert 1 == len([key for key in bucket.objects if f"/months/{MONTH}-" in key])


@pytest.mark.parametrize("name", ["../2026-01.jsonl.gz", "2026-01.jsonl.gz/../..", "", "sealing.key"])
def test_a_manifest_whose_pieces_lead_elsewhere_is_refused(crownkeep, shelf, name, monkeypatch):
    found, _ = targets.read_manifest(backed_up(crownkeep, shelf))
    piece = msgspec.structs.replace(found.pieces[0], name=name)

    class AnySignature:
        text = msgspec.json.encode(msgspec.structs.replace(found, pieces=(piece,))).decode()

    monkeypatch.setattr("crownkeep.audit.notes.read", lambda content: AnySignature)
    monkeypatch.setattr("crownkeep.audit.signed_texts.verify", lambda note, keys: None)
    monkeypatch.setattr("crownkeep.audit.notes.read_key", lambda text: None)
    with pytest.raises(UnsoundManifest, match="another format"):
        manifest.read(b"", [])


def test_a_manifest_that_names_fewer_months_than_were_sealed_restores_nothing(crownkeep, shelf, data, tmp_path, monkeypatch):
    backed_up(crownkeep, shelf)
    read = targets.read_manifest

    def without(folder, keys=()):
        found, signer = read(folder, keys)
        return msgspec.structs.replace(found, pieces=()), signer

    monkeypatch.setattr(targets, "read_manifest", without)
    words = ("backup", "restore", str(shelf), "--data", str(tmp_path / "new"), "--sealing-key", str(data / "sealing.key"))
    ended = crownkeep(*words)

    assert (1, True) == (ended.code, "not everything came back" in ended.err)
    assert not (tmp_path / "new").exists()
