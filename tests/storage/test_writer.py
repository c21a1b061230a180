"""The one writer: what is answered is on disk, and one work's fault is nobody else's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError

from crownkeep import ids
from crownkeep.storage import database as databases
from crownkeep.storage import migrate
from crownkeep.storage import writer as writers
from crownkeep.storage.accounts import account_aliases
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.trail import events
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit, LostCommit, WriteFailed, Writer, WriterBusy

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
    event_id = ids.event_id(NOON, account_id.rjust(20, "0").encode()[-10:])
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
    answer = an_event("1")
    kept_row = EventRow(
        answer.account_id,
        answer.event_id,
        NOON,
        "iam.amazonaws.com",
        odd[:128],
        "false",
        odd,
        "AKIA",
        b"\\x00\t{}",
        ((odd, odd),),
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


@pytest.mark.parametrize("took_place", [True, False])
def test_a_commit_whose_answer_was_lost_is_run_again_only_where_it_did_not_take_place(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, took_place: bool
) -> None:
    database = _on_postgresql(request)
    runs: list[str] = []
    _lose_one_commit(monkeypatch, database, took_place=took_place)

    def work(db: Transaction) -> Commit[str]:
        runs.append("run")
        return keeps("1", "one")(db)

    answered = run(database, lambda writer: writer.submit(work))

    assert (1 if took_place else 2, "one", ("one", 1)) == (len(runs), answered, kept(database, "1"))
    database.close()


def test_a_commit_that_nobody_can_ask_after_is_not_run_again(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = _on_postgresql(request)
    runs: list[str] = []
    _lose_one_commit(monkeypatch, database, took_place=True)

    def unknown(db: Transaction, row: EventRow) -> bool:
        raise OperationalError("INSERT", (), Exception("the database is gone"))

    def work(db: Transaction) -> Commit[str]:
        runs.append("run")
        return keeps("1", "one")(db)

    monkeypatch.setattr(events, "is_kept", unknown)
    with pytest.raises(WriteFailed) as failed:
        run(database, lambda writer: writer.submit(work))

    assert ["run"] == runs
    assert isinstance(failed.value.__cause__, LostCommit)
    assert ("one", 1) == kept(database, "1")
    database.close()


def test_a_commands_work_is_not_run_again_where_its_commit_may_have_taken_place(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = _on_postgresql(request)
    _lose_one_commit(monkeypatch, database, took_place=True)
    runs: list[str] = []

    def work(db: Transaction) -> None:
        runs.append("run")
        account_aliases.put(db, "1", "one", at=NOON)

    with pytest.raises(DBAPIError):
        database.write(work)

    assert (["run"], ("one", 0)) == (runs, kept(database, "1"))
    database.close()


def _on_postgresql(request: pytest.FixtureRequest) -> Database:
    database = Database(request.getfixturevalue("postgres").database())
    migrate.upgrade(database)
    return database


def _lose_one_commit(monkeypatch: pytest.MonkeyPatch, database: Database, *, took_place: bool) -> None:
    """Have the next commit end the connection, as a server that goes away: before or after the commit took place.

    Other servers of this process commit, too, meanwhile.
    """
    import psycopg

    commit = psycopg.Connection.commit
    left = [1]

    def loses(connection: psycopg.Connection[Any]) -> None:
        if not left or connection.info.dbname != database.engine.url.database:
            commit(connection)
            return
        left.clear()
        if took_place:
            commit(connection)
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(psycopg.Connection, "commit", loses)


def test_sqlite_out_of_memory_at_a_commit_ends_neither_the_writer_nor_anybodys_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(f"sqlite:///{tmp_path}/memory.db")
    migrate.upgrade(database)
    plainly, left = databases.run_plainly, [1]

    def fails_once(transaction: Transaction, statement: str, parameters: Sequence[object] = ()) -> object:
        if statement == "COMMIT" and left:
            left.clear()
            raise MemoryError
        return plainly(transaction, statement, parameters)

    monkeypatch.setattr(databases, "run_plainly", fails_once)

    answered = run(database, lambda writer: asyncio.wait_for(writer.submit(keeps("1", "one")), 30))

    assert ("one", ("one", 1)) == (answered, kept(database, "1"))
    database.close()


def test_sqlite_out_of_memory_while_it_undoes_a_change_ends_neither_the_writer_nor_anybodys_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(f"sqlite:///{tmp_path}/memory.db")
    migrate.upgrade(database)
    plainly, left = databases.run_plainly, ["ROLLBACK"]

    def fails_once(transaction: Transaction, statement: str, parameters: Sequence[object] = ()) -> object:
        if statement in left:
            left.remove(statement)
            raise MemoryError
        return plainly(transaction, statement, parameters)

    monkeypatch.setattr(databases, "run_plainly", fails_once)

    async def both(writer: Writer) -> list[Any]:
        waits = (writer.submit(fails), writer.submit(keeps("1", "one")))
        first = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 30)
        return [*first, await asyncio.wait_for(writer.submit(keeps("2", "two")), 30)]

    failed, *answered = run(database, both)

    assert isinstance(failed, WriteFailed)
    assert ([], ["one", "two"], ("two", 1)) == (left, answered, kept(database, "2"))
    database.close()


def test_a_writer_that_can_t_begin_for_a_reason_of_ours_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path}/memory.db")
    migrate.upgrade(database)

    def no_memory(_: str) -> Connection:
        raise MemoryError

    async def act(writer: Writer) -> Any:
        with monkeypatch.context() as broken:
            broken.setattr(database, "kept", no_memory)
            waiting = asyncio.ensure_future(writer.submit(keeps("1", "one")))
            await asyncio.sleep(0)
        with suppress(WriteFailed):
            await asyncio.wait_for(waiting, 30)
        return await asyncio.wait_for(writer.submit(keeps("2", "two")), 30)

    assert ("two", ("two", 1)) == (run(database, act), kept(database, "2"))
    database.close()


def test_whether_an_event_is_kept_is_told_once_the_commit_under_way_has_ended(request: pytest.FixtureRequest) -> None:
    database = _on_postgresql(request)
    event = an_event("1")

    def asks() -> bool:
        with database.transaction() as db:
            return events.is_kept(db, event)

    def waits() -> bool:
        with database.snapshot() as db:
            found = db.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"))
            return bool(found.scalar_one())

    with ThreadPoolExecutor(1) as thread:
        with database.transaction() as committing:
            events.add_all(committing, [event])
            answer = thread.submit(asks)
            while not waits() and not answer.done():
                time.sleep(0.01)

        assert answer.result()
    assert not asks_after_nothing(database)
    database.close()


def asks_after_nothing(database: Database) -> bool:
    """Ask after an event that was never kept, twice: to ask keeps nothing."""
    with database.transaction() as db:
        first = events.is_kept(db, an_event("2"))
    with database.transaction() as db:
        return first or events.is_kept(db, an_event("2"))
