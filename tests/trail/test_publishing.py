"""What is recorded is in the tree within moments, and anybody can see that by the standard's formats alone."""

from __future__ import annotations

import asyncio
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from scripts import verify_trail
from tests.fixtures.crown import Account, Crown, Crowns
from tests.fixtures.patience import until
from tests.fixtures.process import Process
from tests.trail import logs

from crownkeep.audit import checkpoints, notes
from crownkeep.audit.notes import SignatureType


def test_every_record_is_in_a_tree_that_strangers_can_verify(account: Account, tmp_path: Path):
    account.client("iam").create_user(UserName="bob")

    said = verify_trail.verify_tiles(logs.copy(account.crown, tmp_path), logs.vkeys(account.crown), None)

    assert "entries, signed by crownkeep.internal/trail/" in said


def test_a_checkpoint_is_signed_by_both_of_the_log_s_keys(crown: Crown):
    crown.account()
    logs.settled(crown)

    keys = [notes.read_key(text) for text in logs.vkeys(crown)]
    signed = checkpoints.signed_by(notes.read(logs.newest(crown)), keys)

    assert {SignatureType.ED25519, SignatureType.MLDSA44_COSIGNATURE} == {each.key.type for each in signed}


def test_a_checkpoint_waits_for_no_work_of_others_that_fills_the_threads_of_the_loop(account: Account):
    """Whatever is handed to them: pages, witnessed logs of strangers, audits."""
    crown, ended = account.crown, threading.Event()

    async def fill() -> None:
        for _ in range(64):
            asyncio.get_running_loop().run_in_executor(None, ended.wait, 120)

    crown._served.run(fill())
    try:
        account.client("iam").create_user(UserName="bob")
        head = logs.settled(crown)
    finally:
        ended.set()

    assert head.size > 0


@pytest.mark.parametrize("spoil", ["tile/entries/000", "tile/0/000"])
def test_a_changed_byte_in_a_tile_is_found(account: Account, tmp_path: Path, spoil: str):
    copied = logs.copy(account.crown, tmp_path)
    found = next(each for each in sorted(copied.rglob("*")) if each.is_file() and spoil in str(each))
    content = bytearray(found.read_bytes())
    content[40] ^= 1
    found.write_bytes(content)

    with pytest.raises(verify_trail.Wrong):
        verify_trail.verify_tiles(copied, logs.vkeys(account.crown), None)


@pytest.mark.parametrize("path", ["", "tile/0/999", "tile/5/000", "tile/0/0", "../crownkeep.db", "tile/entries/x999/000"])
def test_nothing_else_is_published(crown: Crown, path: str):
    crown.account()
    logs.settled(crown)

    assert 404 == crown.request("GET", f"/tlog/{path}").status


def test_tiles_never_change_and_may_be_kept(crown: Crown):
    crown.account()
    width = logs.settled(crown).size % 256 or 256
    number = (logs.head(crown).size - 1) // 256
    place = f"tile/0/{number:03}" + (f".p/{width}" if width < 256 else "")

    answer = crown.request("GET", f"/tlog/{place}")

    assert "immutable" in str(answer.header("cache-control"))
    assert "application/octet-stream" == answer.header("content-type")
    assert "text/plain; charset=utf-8" == crown.request("GET", "/tlog/checkpoint").header("content-type")


def test_a_tree_goes_on_where_the_server_that_ended_left_it(crowns: Crowns, database_kind: str, tmp_path: Path):
    first = crowns.fresh(database_kind)
    first.account()
    before, note = logs.settled(first), logs.newest(first)
    keys = logs.vkeys(first)
    first.close()

    second = crowns.fresh(database_kind, data=first.settings.data, database=first.settings.database)
    second.account()
    copied = logs.copy(second, tmp_path / "log")
    (tmp_path / "old").write_text(note, encoding="utf-8")

    assert keys == logs.vkeys(second)
    assert before.size < logs.head(second).size
    assert verify_trail.verify_tiles(copied, keys, tmp_path / "old")
    second.close()


def test_two_nodes_make_one_tree(fresh_crown: Callable[..., Crown], tmp_path: Path):
    one = fresh_crown()
    other = fresh_crown(data=one.settings.data, database=one.settings.database)

    for crown in (one, other, one, other):
        crown.account()
    copied = logs.copy(one, tmp_path)

    assert logs.settled(other) == logs.head(one)
    assert verify_trail.verify_tiles(copied, logs.vkeys(other), None)


def test_a_server_of_its_own_publishes_the_trail_to_anybody(served: Process):
    served.account()

    def published() -> bool:
        try:
            with urllib.request.urlopen(f"{served.url}/tlog/checkpoint") as answer:
                return bool(answer.read().startswith(b"crownkeep.internal/trail/"))
        except urllib.error.HTTPError:
            return False

    until(published)
