"""Reviews: what gets too old, ends or is due is told once for each threshold, by one process, however much there is."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from tests.alerts.test_delivery import Office
from tests.alerts.test_silencing import soc_of
from tests.fixtures.crown import Account, Crowns
from tests.trail import logs

from crownkeep import clock
from crownkeep.alerts import reviews
from crownkeep.alerts.reviews import Reviews
from crownkeep.audit.checkpoints import Signer
from crownkeep.audit.notes import SignatureType
from crownkeep.settings import Settings
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.credentials import access_keys, server_certificates, signing_certificates
from crownkeep.storage.credentials.access_keys import AccessKeyRow
from crownkeep.storage.credentials.server_certificates import ServerCertificateRow
from crownkeep.storage.credentials.signing_certificates import SigningCertificateRow
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.notices import outbox
from crownkeep.storage.trail import checkpoints
from crownkeep.storage.trail.checkpoints import CheckpointRow
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Writer
from crownkeep.trail import witnesses as witness_rounds
from crownkeep.trail.witnesses import Witnesses

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ID = "111122223333"


def days(number: float) -> datetime:
    return NOON + timedelta(days=number)


def key(number: int, made: datetime, status: str = "Active") -> AccessKeyRow:
    return AccessKeyRow(f"AKIA{number:016}", ID, "AIDA", b"", status, made, None, None, None)


def account() -> AccountRow:
    return AccountRow(
        ID, "acme", "root@acme.example", "root@acme.example", "ACTIVE", days(-400), None, 1, None, days(-366), None, 0
    )


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path)


def looked(office: Office, at: datetime, processes: int = 1) -> list[str]:
    """Let processes look, one after the other, and return what they told: event, thing and threshold."""
    answer: list[str] = []

    def observe(db: Transaction, events: list[EventRow]) -> None:
        office.outbox.observe(db, events)
        for event in events:
            details = json.loads(event.record)["serviceEventDetails"]
            answer.append(f"{event.name} {details['what']} {details['id'][-4:]} {details['days']}")

    async def look() -> None:
        writer = Writer(office.database, observe)  # type: ignore[arg-type]
        try:
            for _ in range(processes):
                await Reviews(office.database, writer).look()
        finally:
            await writer.stop()

    with time_machine.travel(at, tick=False), ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, look()).result()
    return sorted(answer)


def test_what_is_over_age_ends_or_is_due_is_told_once_for_each_threshold(office: Office):
    signing = SigningCertificateRow("SIGNCERT", ID, "AIDA", "f", "", "Active", NOON, days(45))
    inactive = replace(signing, certificate_id="OFF", fingerprint="g", status="Inactive")
    unread = replace(signing, certificate_id="OLD", fingerprint="h", expires_at=None)
    certificate = ServerCertificateRow("ASCACERT", ID, "web", "web", "/", "", None, NOON, days(35))

    def work(db: Transaction) -> None:
        accounts.add(db, account())
        for each in (key(1, days(-91)), key(2, days(-10)), key(3, days(-91), "Inactive")):
            access_keys.add(db, each)
        server_certificates.add(db, certificate)
        for row in (signing, inactive, unread):
            signing_certificates.add(db, row)

    office.database.write(work)

    assert [
        "CredentialAuditDue quarterly audit 3333 276",
        "CredentialOverAge access key 0001 90",
        "RootPasswordOverAge root password 3333 365",
    ] == looked(office, NOON)
    assert [] == looked(office, days(1))
    assert ["CertificateExpires server certificate CERT 30"] == looked(office, days(6))
    assert ["CertificateExpires signing certificate CERT 30"] == looked(office, days(16))
    assert ["CertificateExpires server certificate CERT 7"] == looked(office, days(29))
    assert ["CertificateExpires signing certificate CERT 7"] == looked(office, days(39))
    assert ["CredentialOverAge access key 0001 180", "CredentialOverAge access key 0002 90"] == looked(office, days(95))
    with office.database.snapshot() as db:
        rules = {row.rule for row in outbox.latest(db, ID, limit=100)}
    assert {"credential-audit-due", "credential-over-age", "password-of-root-over-age", "certificate-expires"} == rules


def test_things_of_one_moment_beyond_a_page_are_each_told_once(office: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reviews, "PAGE", 2)
    office.database.write(lambda db: [access_keys.add(db, key(number, days(-91))) for number in range(5)])

    assert [f"CredentialOverAge access key {number:04} 90" for number in range(5)] == looked(office, NOON)


def test_of_several_processes_one_looks_within_a_day(office: Office):
    office.database.write(lambda db: access_keys.add(db, key(1, days(-91))))

    assert ["CredentialOverAge access key 0001 90"] == looked(office, NOON, processes=3)


def test_a_witness_that_is_silent_for_an_hour_is_told_to_the_operator_s_receivers(account: Account, tmp_path: Path):
    soc, house = soc_of(account), account.crown._served._app._house
    logs.settled(account.crown)
    policy = tmp_path / "policy"
    key = Signer("mute.example", SignatureType.ED25519_COSIGNATURE, bytes(32)).key.text
    policy.write_text(f"witness mute {key} http://127.0.0.1:1\nquorum mute\n")
    settings = Settings(data=str(tmp_path), trail_policy=str(policy))
    witnesses = Witnesses(house.database, house.writer, settings, house.sequencer)

    account.crown._served.run(witnesses.send())
    assert not any("witness" in subject for subject in soc.subjects())
    with time_machine.travel(clock.now() + witness_rounds.SILENT_AFTER, tick=True):
        account.crown._served.run(witnesses.send())
        assert soc.wait("A witness of the server's trail has been silent for an hour")


def test_a_tree_that_was_altered_is_told_to_the_operator_s_receivers_once(crowns: Crowns, caplog: pytest.LogCaptureFixture):
    crown = crowns.fresh("sqlite")
    soc, house = soc_of(crown.account()), crown._served._app._house
    logs.settled(crown)

    with house.database.transaction() as db:
        checkpoints.add(db, CheckpointRow(1_000_000, "log", bytes(32), NOON, ""), [])

    assert soc.wait("The server's trail was altered in the database, and is no longer signed")
    # The fault counts the records, and so is another one each time.
    for _ in range(3):
        crown._served.run(house.sequencer._go_on())
    told = [each for each in crown.records("") if each["eventName"] == "TrailTreeAltered"]
    assert ["the last checkpoint counts 1000000 records"] == [each["serviceEventDetails"]["fault"].split(",")[0] for each in told]
    assert 1 == sum("no checkpoint is signed" in each for each in caplog.messages)
    crown.close()
