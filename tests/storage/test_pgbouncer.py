"""PgBouncer in transaction mode, between servers and PostgreSQL: each transaction may run on another connection."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url
from tests.fixtures.crown import Crown, Crowns

from crownkeep.storage.database import Database

PGBOUNCER = Path("/usr/sbin/pgbouncer")
POOLED = 2
"""Connections of the pool: fewer than anybody has who asks."""
_PATIENCE_SECONDS = 20
pytestmark = pytest.mark.nightly


@pytest.fixture
def pooled(postgres) -> Iterator[str]:
    """The URL of an empty database, by way of a pooler; Debian's package `pgbouncer` is asked for by `make nightly`."""
    url = make_url(postgres.database())
    folder = Path(tempfile.mkdtemp(prefix="pooler-", dir=postgres.directory))
    settings = {
        "listen_addr": "",
        "unix_socket_dir": folder,
        "listen_port": 6432,
        "auth_type": "any",
        "pool_mode": "transaction",
        "default_pool_size": POOLED,
        "logfile": folder / "log",
    }
    target = f"host={postgres.directory} user={url.username}"
    written = "\n".join(f"{name} = {value}" for name, value in settings.items())
    (folder / "pooler.ini").write_text(f"[databases]\n* = {target}\n[pgbouncer]\n{written}\n")
    user: list[str] = []
    if os.getuid() == 0:
        for each in (folder, folder / "pooler.ini"):
            shutil.chown(each, "postgres", "postgres")
        user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
    command: list[str | Path] = ["setpriv", *user, "--pdeathsig", "TERM", PGBOUNCER, "-q", folder / "pooler.ini"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not (folder / ".s.PGSQL.6432").exists():
        assert time.monotonic() < deadline, "the pooler does not start"
        time.sleep(0.02)
    yield f"postgresql://{url.username}@/{url.database}?host={folder}&port=6432&pgbouncer=true"
    running.send_signal(signal.SIGKILL)
    running.wait()


def test_two_servers_behind_a_pooler_in_transaction_mode_do_everything_as_ever(crowns: Crowns, pooled: str, tmp_path: Path):
    data = str(tmp_path / "data")
    servers: list[Crown] = [crowns.fresh("postgres", data=data, database=pooled) for _ in range(2)]
    account = servers[0].account()
    beside = servers[1].session(account.created["admin"], "iam")

    for number in range(30):
        account.client("iam").create_user(UserName=f"user-{number}")
        beside.tag_user(UserName=f"user-{number}", Tags=[{"Key": "n", "Value": str(number)}])
        beside.get_user(UserName=f"user-{number}")
    users = beside.list_users()["Users"]
    answer = [each["eventName"] for each in account.records()]
    for each in servers:
        each.close()

    assert {f"user-{number}" for number in range(30)} <= {each["UserName"] for each in users}
    assert (30, 30, 30) == tuple(answer.count(name) for name in ("CreateUser", "TagUser", "GetUser"))


def test_no_statement_is_prepared_behind_a_pooler(pooled: str):
    database = Database(pooled)

    def ask(number: int) -> int:
        with database.snapshot() as db:
            return int(db.exec_driver_sql("SELECT %s + 1", (number,)).scalar_one())

    with ThreadPoolExecutor(4) as many:
        answers = list(many.map(ask, range(200)))
    with psycopg.connect(pooled.replace("&pgbouncer=true", ""), prepare_threshold=None) as connection:
        prepared = connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
    database.close()

    assert list(range(1, 201)) == answers
    assert (0,) == prepared
