"""A server of the version before and one of this beside each other, as during an upgrade of several nodes: nobody notices.

old:  start ------ changes ------------------------------------ stop
new:                        start, takes the steps -- changes ------
"""

from __future__ import annotations

import io
import signal
import subprocess
import tarfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from shared.postgresql import Cluster
from tests.fixtures.clients import Credentials
from tests.fixtures.patience import until
from tests.fixtures.process import ROOT, Process
from tests.fixtures.survivors import hold_against_the_tree, records_of, request_id, users_of

from crownkeep.storage import health, migrate
from crownkeep.storage.database import Database

pytestmark = pytest.mark.nightly

VERSION_BEFORE = "1bb8ce4e0677"
"""The commit of the version before this one: its newest step is 0035. Name the release's tag once there is one."""
_ENOUGH = 20


class Older(Process):
    """A server that runs the code of another version."""

    source: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment, in which that version's code comes first."""
        return super().environment | {"PYTHONPATH": str(self.source)}


def step_of(url: str) -> str | None:
    """Return the schema step that a database is at."""
    database = Database(url)
    with database.snapshot() as db:
        found = health.step(db)
    database.close()
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The code of the version before."""
    archive = subprocess.run(["git", "archive", VERSION_BEFORE, "src"], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        opened.extractall(tmp_path, filter="data")
    return tmp_path / "src"


def test_an_upgrade_of_one_node_after_another_loses_nothing_and_refuses_nobody(
    serve: Callable[..., Process], postgres: Cluster, source: Path, tmp_path: Path
) -> None:
    url = postgres.database()
    (tmp_path / "old").mkdir()
    old = Older(tmp_path / "old", database=url)
    old.source = source
    old.start()
    account = old.account(admin_user="admin")
    told: dict[str, str] = {}
    refused: list[str] = []
    ends = threading.Event()

    def change(server: Process, prefix: str) -> None:
        client, count = server.client("iam", account["admin"], read_timeout=30), 0
        while not ends.is_set():
            count += 1
            try:
                told[request_id(client.create_user(UserName=f"{prefix}{count}"))] = f"{prefix}{count}"
            except (ClientError, BotoCoreError) as error:
                refused.append(str(error))

    def has_made(*prefixes: str, more_than: int = 0) -> bool:
        made = list(told.values())
        return all(sum(name.startswith(prefix) for name in made) > more_than + _ENOUGH for prefix in prefixes)

    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(change, old, "old")]
        until(lambda: has_made("old"))
        assert "0035" == step_of(url)
        before = len(told)
        new = serve(database=url, data=old.data)
        working.append(pool.submit(change, new, "new"))
        until(lambda: has_made("old", more_than=before) and has_made("new"))
        ends.set()
        for each in working:
            each.result(timeout=60)

    assert [] == refused
    assert {"admin", *told.values()} == users_of(old, account) == users_of(new, account)
    # What one revokes, the other refuses at once.
    key = new.client("iam", account["admin"]).create_access_key(UserName="old1")["AccessKey"]
    old.client("iam", account["admin"]).delete_access_key(UserName="old1", AccessKeyId=key["AccessKeyId"])
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        new.client("sts", Credentials.of(key)).get_caller_identity()
    assert -signal.SIGTERM == old.stop()
    assert told.keys() <= records_of(new, account).keys()
    assert migrate.newest() == step_of(url)
    hold_against_the_tree(new)
