"""The one writer: what is answered is on disk, and one work's fault is nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from crownkeep import ids
from crownkeep.storage import database as databases
from crownkeep.storage import migrate
from crownkeep.storage import writer as writers
from crownkeep.storage.accounts import account_aliases
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.trail import events
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit, WriteFailed, Writer, WriterBusy

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def run(database: Database, act: Callable[[Writer], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        writer = Writer(database, lambda db, rows: None)
        try:
            return await act(writer)
        finally:
            await writer.stop()

    # On a thread of its own: browser tests leave a loop running on this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, main()).result()


def keeps(account_id: str, alias: str) -> Callable[[Transaction], Commit[str]]:
    def work(db: Transaction) -> Commit[str]:
        account_aliases.put(db, account_id, alias, at=NOON)
        return Commit(alias, [an_event(account_id)])

    return work


def an_event(account_id: str) -> EventRow:
    event_id = ids.event_id(NOON, account_id.rjust(20, "0").encode()[:10])
    return EventRow(account_id, event_id, NOON, "iam.amazonaws.com", "X", "false", "bob", "AKIA", b"{}")


def kept(database: Database, account_id: str) -> tuple[str | None, int]:
    with database.snapshot() as db:
        found = events.newest(db, account_id, first=UUID(int=0), before=UUID(int=2**128 - 1), limit=10)
        return account_aliases.of_account(db, account_id), len(found)


def fails(_: Transaction) -> Commit[str]:
    raise ArithmeticError("a fault of ours")


def test_a_change_and_its_record_are_there_once_it_is_answered(database: Database) -> None:
    answered = run(database, lambda writer: writer.submit(keeps("1", "one")))

    assert ("one", ("one", 1)) == (answered, kept(database, "1"))


def test_works_that_wait_together_share_a_commit_and_all_are_answered(database: Database) -> None:
    async def act(writer: Writer) -> list[str]:
        return await asyncio.gather(*(writer.submit(keeps(str(number), f"alias-{number}")) for number in range(200)))

    answered = run(database, act)

    assert [f"alias-{number}" for number in range(200)] == answered
    assert [("alias-0", 1), ("alias-199", 1)] == [kept(database, "0"), kept(database, "199")]


def test_one_works_fault_takes_none_of_its_neighbours_along(database: Database) -> None:
    async def act(writer: Writer) -> list[Any]:
        works = [keeps("1", "one"), fails, keeps("2", "two")]
        return await asyncio.gather(*(writer.submit(work) for work in works), return_exceptions=True)

    first, failed, second = run(database, act)

    assert ("one", "two") == (first, second)
    assert isinstance(failed, WriteFailed)
    assert isinstance(failed.__cause__, ArithmeticError)


def test_a_work_that_fails_leaves_nothing_behind(database: Database) -> None:
    def half(db: Transaction) -> Commit[str]:
        keeps("1", "half")(db)
        return fails(db)

    with pytest.raises(WriteFailed):
        run(database, lambda writer: writer.submit(half))

    assert (None, 0) == kept(database, "1")


def test_a_name_that_another_took_in_between_is_met_again_by_running_the_work_anew(database: Database) -> None:
    run(database, lambda writer: writer.submit(keeps("1", "taken")))
    seen: list[str | None] = []

    def work(db: Transaction) -> Commit[str]:
        seen.append(account_aliases.account_with(db, "taken"))
        if len(seen) == 1:
            account_aliases.put(db, "2", "taken", at=NOON)  # as if the look before had come too early
        return Commit("refused", [])

    assert run(database, lambda writer: writer.submit(work)) == "refused"
    assert ["1", "1"] == seen


def test_nothing_is_answered_whose_commit_the_disk_does_not_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite; what becomes of a group when PostgreSQL goes away is tested in tests/operations/test_outage.py."""
    database = Database(f"sqlite:///{tmp_path}/full.db")
    migrate.upgrade(database)
    plainly = databases.run_plainly

    def fails_on_commit(transaction: Transaction, statement: str, parameters: Sequence[object] = ()) -> object:
        if statement == "COMMIT":
            raise OperationalError(statement, (), Exception("disk I/O error"))
        return plainly(transaction, statement, parameters)

    with monkeypatch.context() as broken:
        broken.setattr(databases, "run_plainly", fails_on_commit)
        with pytest.raises(WriteFailed):
            run(database, lambda writer: writer.submit(keeps("1", "one")))

    assert (None, 0) == kept(database, "1")
    database.close()


def test_groups_wait_for_another_process_that_is_writing(database: Database) -> None:
    another = Database(database.url)

    async def act(writer: Writer) -> object:
        with another.transaction() as holding:
            waiting = asyncio.ensure_future(asyncio.gather(*(writer.submit(keeps(str(each), f"a{each}")) for each in range(3))))
            account_aliases.put(holding, "9", "nine", at=NOON)
            await asyncio.sleep(0)
            assert not waiting.done()
        return await waiting

    assert ["a0", "a1", "a2"] == run(database, act)
    assert [("a0", 1), ("a2", 1), ("nine", 0)] == [kept(database, each) for each in ("0", "2", "9")]
    another.close()


def test_a_full_queue_refuses_instead_of_eating_all_memory(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "_QUEUE", 3)

    async def act(writer: Writer) -> list[Any]:
        works = (writer.submit(keeps(str(number), f"alias-{number}")) for number in range(50))
        return await asyncio.gather(*works, return_exceptions=True)

    answered = run(database, act)

    assert any(isinstance(each, WriterBusy) for each in answered)
    assert any(isinstance(each, str) for each in answered)


@pytest.mark.parametrize("odd", ["", "a\tb\nc\\d\re", "\\N", "\\.", "naïve ☃"])
def test_events_come_back_as_they_were_kept_whatever_stands_in_them(database: Database, odd: str) -> None:
    told = an_event("1")
    kept_row = EventRow(
        told.account_id, told.event_id, NOON, "iam.amazonaws.com", odd[:128], "false", odd, "AKIA", b"\\x00\t{}", ((odd, odd),)
    )

    run(database, lambda writer: writer.record(kept_row))

    with database.snapshot() as db:
        found = events.newest(db, "1", first=UUID(int=0), before=UUID(int=2**128 - 1), limit=10)
        named = events.newest(db, "1", first=UUID(int=0), before=UUID(int=2**128 - 1), limit=10, attribute=("ResourceName", odd))
    assert [kept_row] == found == named


def test_what_waits_is_finished_before_the_writer_stops(database: Database) -> None:
    async def act(writer: Writer) -> object:
        waiting = [asyncio.ensure_future(writer.submit(keeps(str(number), f"alias-{number}"))) for number in range(100)]
        await asyncio.sleep(0)
        await writer.stop()
        return await asyncio.gather(*waiting)

    assert 100 == len(run(database, act))


def test_a_stopped_writer_takes_nothing_more(database: Database) -> None:
    async def act(writer: Writer) -> None:
        await writer.stop()
        with pytest.raises(WriterBusy):
            await writer.submit(keeps("1", "late"))

    run(database, act)

    assert (None, 0) == kept(database, "1")


def test_the_same_connection_serves_again_after_a_fault(database: Database) -> None:
    def broken(db: Transaction) -> Commit[Any]:
        db.execute(text("SELECT nonsense FROM nowhere"))
        return Commit("never", [])

    async def act(writer: Writer) -> list[Any]:
        first = await asyncio.gather(writer.submit(broken), return_exceptions=True)
        return [*first, await writer.submit(keeps("1", "one"))]

    failed, answered = run(database, act)

    assert isinstance(failed, WriteFailed)
    assert "one" == answered
