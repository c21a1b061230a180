"""The copy of the embedded database in another directory: whole at every moment, made where something changed, by one process."""

from __future__ import annotations

import logging
import shutil
import stat
import time
from pathlib import Path

import pytest
from tests.fixtures import coroutines

from crownkeep import settings as configuration
from crownkeep.backups.replication import Replication
from crownkeep.settings import InvalidSettings, Settings
from crownkeep.storage.replicas import DatabaseReplica


@pytest.fixture
def settings(made, data: Path, tmp_path: Path) -> Settings:
    """The settings of an installation with an account, whose copy is kept elsewhere."""
    made("--admin-user", "admin")
    return configuration.load({"data": str(data), "replica_directory": str(tmp_path / "copy")}, environment={})


def test_a_server_s_copy_is_enough_to_start_another_with(crownkeep, data, settings, tmp_path):
    replication = Replication(settings)
    assert coroutines.run(replication.look())
    new = tmp_path / "new"
    new.mkdir(mode=0o700)
    for name in ("sealing.key", "operator.token", "metrics.token"):
        shutil.copy(data / name, new / name)
    shutil.copy(tmp_path / "copy" / "crownkeep.db", new / "crownkeep.db")

    listed = [crownkeep("account", "list", "--data", str(place), "--json").json() for place in (data, new)]

    assert listed[0] == listed[1]
    assert 0 == crownkeep("trail", "verify", "--data", str(new)).code
    assert 0o600 == stat.S_IMODE((tmp_path / "copy" / "crownkeep.db").stat().st_mode)
    assert [".crownkeep.lock", "crownkeep.db"] == sorted(each.name for each in (tmp_path / "copy").iterdir())


def test_a_copy_is_made_again_only_after_something_was_committed(made, data, settings, tmp_path):
    replica = DatabaseReplica(data / "crownkeep.db", tmp_path / "copy")

    assert [True, False, False] == [replica.refresh() for _ in range(3)]
    made()
    assert [True, False] == [replica.refresh() for _ in range(2)]
    replica.place.unlink()
    assert replica.refresh()
    replica.close()


def test_of_two_processes_one_copies_and_the_other_takes_over(settings):
    first, second = Replication(settings), Replication(settings)

    async def story() -> list[bool]:
        done = [await first.look(), await second.look()]
        await first.stop()
        return [*done, await second.look()]

    assert [True, False, True] == coroutines.run(story())
    coroutines.run(second.stop())


def test_a_directory_that_can_not_be_written_is_logged_once_and_tried_again(settings, tmp_path, caplog):
    (tmp_path / "copy").write_text("in the way")
    replication = Replication(settings)

    with caplog.at_level(logging.WARNING, logger="crownkeep.backups"):
        assert [False, False] == [coroutines.run(replication.look()) for _ in range(2)]
    (tmp_path / "copy").unlink()

    assert 1 == len(caplog.records)
    assert coroutines.run(replication.look())
    coroutines.run(replication.stop())


@pytest.mark.parametrize("given", [{"database": "postgresql://db/crownkeep"}, {"replica_directory": "{data}/inside"}])
def test_a_copy_that_could_not_be_or_would_be_lost_too_is_refused(data, given):
    values = {"data": str(data), "replica_directory": "/mnt/copy"} | {
        name: text.format(data=data) for name, text in given.items()
    }

    with pytest.raises(InvalidSettings, match="replica_directory"):
        configuration.load(values, environment={})


def test_a_running_server_keeps_its_copy(crowns, tmp_path):
    crown = crowns.fresh("sqlite", replica_directory=str(tmp_path / "copy"), replica_seconds=1)
    until = time.monotonic() + 30
    while not (tmp_path / "copy" / "crownkeep.db").exists() and time.monotonic() < until:
        time.sleep(0.05)
    crown.close()

    assert (tmp_path / "copy" / "crownkeep.db").exists()


def test_the_doctor_says_where_a_copy_is_missing_or_on_the_same_disk(crownkeep, settings, data):
    def said() -> tuple[str, str]:
        found = crownkeep("doctor", "--json").json()["checks"]
        return next((each["status"], each["message"]) for each in found if each["check"] == "replica")

    assert "skipped" == said()[0]
    (data / "crownkeep.toml").write_text(f'replica_directory = "{settings.replica_directory}"\n')
    assert "there is no copy" in said()[1]
    coroutines.run(Replication(settings).look())
    assert "is on the same disk" in said()[1]
