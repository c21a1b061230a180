"""A key file that isn't the database's is refused at the start, and a secret that opens with no key is a recorded failure."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.cli.conftest import Terminal
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import CHEAP, Crown
from tests.services.iam.asking import refusal
from tests.signin import people

from crownkeep import app, data_directory
from crownkeep.domain.accounts.key_check import WrongSealingKey
from crownkeep.settings import Settings
from crownkeep.storage.credentials import access_keys, mfa_devices
from crownkeep.storage.database import Database


def opened(crown: Crown, **options: Any) -> None:
    """Open a running server's database as another node does, with settings of that node's own."""
    settings = Settings(**{"data": crown.settings.data, "database": crown.settings.database_url, **CHEAP, **options})
    database, _ = app.open_wiring(settings, data_directory.prepare(settings))
    database.close()


def test_a_node_with_a_key_file_of_its_own_is_refused(fresh_crown: Callable[..., Crown], tmp_path: Path) -> None:
    crown = fresh_crown()

    with pytest.raises(
        WrongSealingKey, match=r"`sealing\.key` lacks the key [0-9a-f]{8}, which seals this database's secrets since"
    ):
        opened(crown, data=str(tmp_path / "own"))

    opened(crown)


def test_a_key_file_from_before_the_last_rotation_is_refused(fresh_crown: Callable[..., Crown], tmp_path: Path) -> None:
    crown = fresh_crown()
    crown.account()
    shutil.copytree(crown.settings.data, tmp_path / "old")
    rotate = Terminal({"CROWNKEEP_DATA": crown.settings.data, "CROWNKEEP_DATABASE": crown.settings.database_url})
    assert 0 == rotate("keys", "rotate", "--wait", "0").code

    with pytest.raises(WrongSealingKey, match="put the newest key file of its servers, or its backup, in its place"):
        opened(crown, data=str(tmp_path / "old"))


def test_a_wrong_key_file_beside_a_database_that_knows_no_key_is_refused(
    fresh_crown: Callable[..., Crown], tmp_path: Path
) -> None:
    crown = fresh_crown()
    crown.account()
    database = Database(crown.settings.database_url)
    with database.transaction() as db:
        db.execute(text("DELETE FROM known_sealing_keys"))
    database.close()

    with pytest.raises(WrongSealingKey, match="opens no secret of this database"):
        opened(crown, data=str(tmp_path / "own"))

    opened(crown)


def test_a_command_with_a_wrong_key_file_says_so_in_one_sentence(fresh_crown: Callable[..., Crown], tmp_path: Path) -> None:
    crown = fresh_crown()

    ended = Terminal({"CROWNKEEP_DATA": str(tmp_path / "own"), "CROWNKEEP_DATABASE": crown.settings.database_url})(
        "account", "list"
    )

    assert 1 == ended.code
    assert ended.err.startswith("Error: `sealing.key` lacks the key ")


def swap(crown: Crown, table: Any, column: str, account_ids: tuple[str, str]) -> None:
    """Give one account's row the sealed value of another's, as somebody who can write to the database might."""
    database = Database(crown.settings.database_url)
    others = f"SELECT {column} FROM {table.name} WHERE account_id = :other"
    statement = f"UPDATE {table.name} SET {column} = ({others}) WHERE account_id = :own"
    with database.transaction() as db:
        db.execute(text(statement), {"own": account_ids[0], "other": account_ids[1]})
        db.execute(text("UPDATE accounts SET revision = revision + 1 WHERE account_id = :own"), {"own": account_ids[0]})
    database.close()


def test_an_access_key_whose_secret_was_swapped_is_a_recorded_failure(crown: Crown) -> None:
    one, two = (crown.account(root_access_key=False) for _ in range(2))
    swap(crown, access_keys.table, "sealed_secret", (one.id, two.id))

    answer = refusal(one.client("iam").list_users)

    assert answer == "InternalFailure: The request processing has failed because the secret of the access key can't be read."
    claimed = {"claimedAccessKeyId": one.created["admin"]["access_key_id"]}
    (record,) = [each for each in crown.records("") if each.get("additionalEventData") == claimed]
    assert ("ListUsers", "InternalFailure") == (record["eventName"], record["errorCode"])
    assert two.client("iam").list_users()


def test_a_device_whose_seed_was_swapped_is_a_recorded_failure_that_blames_the_server(crown: Crown) -> None:
    (one, _, seed), (two, _, _) = people.root_with_app(crown), people.root_with_app(crown)
    swap(crown, mfa_devices.table, "sealed_seed", (one.id, two.id))
    browser = Browser(crown)
    people.sign_in_root(browser, one)

    page = browser.submit({"code": people.code(seed, ahead=1)}, form="code")

    assert 403 == page.status
    assert "The server can't read this device's secret." in page.text
    failed = people.sign_in_events(one, "ConsoleLogin")[0]
    assert {"ConsoleLogin": "Failure"} == failed["responseElements"]
