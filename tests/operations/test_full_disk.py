"""The disk is full, or the database may not be written: nothing is answered that was not recorded, and it passes by itself."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import Engine, event
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown, Crowns
from tests.services.iam.asking import allow
from tests.trail import logs

from crownkeep.storage.database import Database


class Disk:
    """A server on SQLite whose connections this test keeps from writing: as a quota does, and as a file system does."""

    def __init__(self, crowns: Crowns, data: Path) -> None:
        self._file = data / "crownkeep.db"
        self._connections: list[sqlite3.Connection] = []
        self._limits: tuple[str, ...] = ()
        event.listen(Engine, "connect", self._keep)
        self.crown: Crown = crowns.fresh("sqlite", data=str(data))
        self.account: Account = self.crown.account()
        self.account.client("iam").create_user(UserName="there")
        # What is published later was signed before.
        logs.settled(self.crown)

    def _keep(self, connection: Any, _: object) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        # This server's alone, and none that a test reads its records by.
        is_server_s = connection.execute("PRAGMA database_list").fetchone()[2] == str(self._file.resolve())
        if not is_server_s or threading.current_thread() is threading.main_thread():
            return
        self._connections.append(connection)
        for limit in self._limits:
            connection.execute(limit)

    def fill(self) -> None:
        """Let the database's file grow no further."""
        self._each("PRAGMA max_page_count = 1")

    def write_protect(self) -> None:
        """Let the database be read and not written."""
        self._each("PRAGMA query_only = 1")

    def release(self) -> None:
        """Make room again."""
        self._each("PRAGMA max_page_count = 1000000", "PRAGMA query_only = 0")

    def _each(self, *statements: str) -> None:
        self._limits = statements

        async def set_all() -> None:
            for connection in self._connections:
                # Some were those of threads that have ended.
                with suppress(sqlite3.ProgrammingError):
                    for statement in statements:
                        connection.execute(statement)

        self.crown._served.run(set_all())  # where the server's own statements run

    def close(self) -> None:
        event.remove(Engine, "connect", self._keep)
        self.crown.close()


@pytest.fixture(scope="module")
def disk(crowns: Crowns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    """A server of this module's own."""
    made = Disk(crowns, tmp_path_factory.mktemp("disk") / "data")
    yield made
    made.close()


@pytest.fixture(params=["fill", "write_protect"])
def stuck(request: pytest.FixtureRequest, disk: Disk) -> Iterator[Disk]:
    """It while nothing can be written, by either cause."""
    getattr(disk, request.param)()
    yield disk
    disk.release()


def until_refused(call: Callable[..., Any], **parameters: Any) -> tuple[int, int, str]:
    """Call until it is refused, as small records may still find room; return how often it went, the status and the code."""
    for count in range(500):
        try:
            call(**parameters)
        except ClientError as error:
            answer = error.response
            return count, answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"].removesuffix("Exception")
    raise AssertionError("it is never refused")


def test_what_can_not_be_recorded_is_refused_with_one_error_and_passes_by_itself(stuck: Disk):
    iam, before = stuck.account.client("iam"), len(stuck.account.records(limit=5000))

    answer = [
        until_refused(iam.put_user_policy, UserName="there", PolicyName="p", PolicyDocument=json.dumps(allow("*"))),
        until_refused(iam.get_user, UserName="there"),
        until_refused(stuck.account.client("cloudtrail").lookup_events, MaxResults=1),
    ]
    published = stuck.crown.request("GET", "/tlog/checkpoint").status
    page = Browser(stuck.crown).get("/signin").status
    kept = len(stuck.account.records(limit=5000))
    stuck.release()
    iam.create_user(UserName="new")
    iam.delete_user(UserName="new")

    assert {(503, "ServiceUnavailable")} == {(status, code) for _, status, code in answer}
    assert (200, 200) == (published, page)
    assert sum(count for count, _, _ in answer) == kept - before
    names = [each["eventName"] for each in stuck.account.records()[:2]]
    assert ["DeleteUser", "CreateUser"] == names
    assert logs.settled(stuck.crown).size > before


def test_a_full_disk_is_said_once_and_not_with_every_request(disk: Disk, caplog: pytest.LogCaptureFixture):
    iam = disk.account.client("iam")
    disk.write_protect()
    with caplog.at_level(logging.WARNING, "crownkeep"):
        for _ in range(5):
            until_refused(iam.list_users)
        disk.release()
        iam.list_users()

    said = [each.getMessage() for each in caplog.records if each.name == "crownkeep.storage"]
    assert 2 == len(said), said
    assert "takes no changes" in said[0]
    assert "takes changes again" in said[1]


TABLES = ("events", "trail_leaves")
"""What requests write, and what the sequencer does beside them: a change that is taken says that there is room again."""


def test_a_full_disk_of_postgresql_is_refused_as_one_of_sqlite(crowns: Crowns, caplog: pytest.LogCaptureFixture):
    crown = crowns.fresh("postgres")
    iam = crown.account().client("iam")
    database = Database(crown.settings.database_url)
    with database.transaction() as db:
        # What PostgreSQL says where a table can't grow (appendix A, disk_full).
        fails = "RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100';"
        db.exec_driver_sql(f"CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {fails} END $$")
        for table in TABLES:
            db.exec_driver_sql(
                f"CREATE TRIGGER disk_is_full BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION disk_is_full()"
            )
    with caplog.at_level(logging.WARNING, "crownkeep"):
        answer = [until_refused(iam.list_users), until_refused(iam.create_user, UserName="new")]
        with database.transaction() as db:
            for table in TABLES:
                db.exec_driver_sql(f"DROP TRIGGER disk_is_full ON {table}")
        iam.create_user(UserName="new")

    assert [(0, 503, "ServiceUnavailable")] * 2 == answer
    said = [each.getMessage() for each in caplog.records if each.name == "crownkeep.storage"]
    assert ["takes no changes", "takes changes again"] == [
        words for each in said for words in ("takes no changes", "takes changes again") if words in each
    ]
    database.close()
    crown.close()
