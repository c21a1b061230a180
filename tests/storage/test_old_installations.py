"""Installations of earlier code, kept as files: each is brought up to today's schema, and its people, keys and trail are there.

`scripts/make_old_installation.py` says how they were made. They are opened 20 minutes after that: no session has ended.
"""

from __future__ import annotations

import gzip
import json
import tarfile
from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import time_machine
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from shared.postgresql import Cluster
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import DATABASES, Crown, Crowns
from tests.fixtures.patience import until
from tests.signin import people

from crownkeep import data_directory
from crownkeep.credentials import sealing
from crownkeep.operations import sealed
from crownkeep.storage import sealed_values
from crownkeep.storage.database import Database
from crownkeep.storage.schema import metadata
from crownkeep.storage.trail import leaves
from crownkeep.trail import verifying

FOLDER = Path(__file__).parents[1] / "fixtures" / "installations"
STEPS = sorted(each.name for each in FOLDER.iterdir())


class Old:
    """An installation that today's code has opened, and what is known of it."""

    def __init__(self, crown: Crown, known: Mapping[str, Any]) -> None:
        self.crown = crown
        self.known = known

    def client(self, account: Mapping[str, Any], service: str) -> Any:
        """Return a client of an account's administrator, by the key it always had."""
        return self.crown.session(account["admin"], service)


@pytest.fixture(scope="module", params=[(step, kind) for step in STEPS for kind in DATABASES], ids="-".join)
def old(request: pytest.FixtureRequest, crowns: Crowns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Old]:
    """Each kept installation, opened by today's code."""
    step, kind = request.param
    place = FOLDER / step / kind
    known = json.loads((place / "known.json").read_text())
    data = tmp_path_factory.mktemp("old")
    with tarfile.open(place / "data.tar.xz") as archive:
        archive.extractall(data, filter="data")
    data.chmod(0o700)
    database = ""
    if kind == "postgres":
        cluster: Cluster = request.getfixturevalue("postgres")
        database = cluster.database()
        with psycopg.connect(database, autocommit=True) as connection:
            # Written by our own script, not by anybody we don't know.
            connection.execute(gzip.decompress((place / "dump.sql.gz").read_bytes()))
    with time_machine.travel(datetime.fromisoformat(known["made"]) + timedelta(minutes=20)):
        crown = crowns.fresh(kind, data=str(data), database=database)
        yield Old(crown, known)
        crown.close()


def test_the_steps_lead_from_an_old_database_to_the_tables_of_the_code(old: Old) -> None:
    database = Database(old.crown.settings.database_url)
    with database.snapshot() as db:
        differences = compare_metadata(MigrationContext.configure(db), metadata)
    database.close()

    assert [] == differences


def test_old_keys_and_sessions_still_sign(old: Old) -> None:
    user = old.known["user"]

    by_key = old.crown.session(user["key"], "iam").get_user()["User"]
    by_session = old.crown.session(user["session"], "sts").get_caller_identity()

    assert user["name"] == by_key["UserName"]
    assert by_key["Arn"] == by_session["Arn"]


def test_root_of_an_old_installation_signs_in_with_its_password_and_device(old: Old) -> None:
    browser = Browser(old.crown)
    browser.get("/signin?choose")
    browser.submit({"kind": "root", "email": old.known["root"]["email"]})
    browser.submit({"password": old.known["password"]})

    browser.submit({"code": people.code(b64decode(old.known["root"]["seed"]))}, form="code")

    assert "crownkeep-session" in browser.cookies, browser.page.text


def test_an_old_browser_is_still_signed_in(old: Old) -> None:
    browser = Browser(old.crown)
    browser.cookies = dict(old.known["browser"]["cookies"])

    page = browser.get("/console")

    assert 200 == page.status
    assert old.known["browser"]["user"] in page.text


def test_the_trail_of_an_old_installation_is_listed(old: Old) -> None:
    account = old.known["account"]

    listed = old.client(account, "cloudtrail").lookup_events(MaxResults=50)["Events"]
    records = old.crown.records(account["account_id"])

    assert 50 == len(listed)
    assert old.known["events"] <= len(records)
    assert "CreateAccount" == records[-1]["eventName"]


def test_every_record_of_an_old_installation_gets_its_place_in_the_tree(old: Old) -> None:
    database = Database(old.crown.settings.database_url)

    def is_settled() -> bool:
        with database.snapshot() as db:
            return leaves.pending_count(db) == 0

    until(is_settled)
    with database.snapshot() as db:
        report = verifying.verify(db, policy=None, olds=[], progress=lambda _: None)
    database.close()

    assert [] == report.findings.first
    assert report.size == report.records > old.known["events"]


def test_an_old_organization_still_binds_its_members(old: Old) -> None:
    kept = old.known["organization"]
    management = old.client(kept["management"], "organizations")
    member = old.client(kept["invited"], "iam")

    with pytest.raises(member.exceptions.ClientError, match="service control policy"):
        member.create_user(UserName="new")
    listed = {each["Id"] for each in management.list_accounts()["Accounts"]}
    delegated = management.list_delegated_administrators()["DelegatedAdministrators"]

    assert kept["id"] == management.describe_organization()["Organization"]["Id"]
    assert {kept["created"], *(kept[name]["account_id"] for name in ("management", "invited"))} == listed
    assert [kept["invited"]["account_id"]] == [each["Id"] for each in delegated]


def test_an_old_delegation_request_is_found(old: Old) -> None:
    kept = old.known["delegation"]

    found = old.client(kept["provider"], "iam").get_delegation_request(DelegationRequestId=kept["request"])

    assert "ACCEPTED" == found["DelegationRequest"]["State"]


def test_every_old_secret_opens_with_the_old_key(old: Old) -> None:
    keyring = data_directory.load_keyring(old.crown.settings.data_directory)
    database = Database(old.crown.settings.database_url)
    opened = 0
    with database.snapshot() as db:
        for column in sealed_values.COLUMNS:
            for value in sealed_values.page(db, column, after="", limit=1000):
                again = sealed.reseal(keyring, value.blob, purpose=column.purpose, place=value.place)
                opened += sealing.is_current(keyring, again)
    database.close()

    assert opened > 10


def test_what_is_new_is_made_in_an_old_installation(old: Old) -> None:
    account = old.crown.account(email="root@new.example")

    account.client("iam").create_user(UserName="new")

    assert {"admin", "new"} == {each["UserName"] for each in account.client("iam").list_users()["Users"]}
