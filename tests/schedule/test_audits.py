"""Scheduled audits: by one process, in the account's own words of `crownkeep audit`, told once, and within bounds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from tests.advisor.conftest import clients_of
from tests.alerts.conftest import database as database
from tests.console.members import administrator
from tests.fixtures import coroutines
from tests.fixtures.crown import Account, Crown, Crowns

from crownkeep import clock, data_directory
from crownkeep.advisor import findings, reader
from crownkeep.advisor.check import CheckState
from crownkeep.advisor.evidence import Evidence, Missing
from crownkeep.alerts import built_in
from crownkeep.alerts.observer import Observer
from crownkeep.alerts.rule_set import RuleSet
from crownkeep.alerts.sealed_outbox import SealedOutbox
from crownkeep.operations import auditor, invoke, registry
from crownkeep.operations.call import Origin, Request, Wiring
from crownkeep.operations.standing import Standings
from crownkeep.schedule import audits, own_reader
from crownkeep.schedule.audits import ScheduledAudits
from crownkeep.schedule.own_reader import OwnReader
from crownkeep.storage.audits import account_audits
from crownkeep.storage.audits.account_audits import AccountAuditRow
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Writer

RULES = RuleSet(built_in.RULES.values())
ANYBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


class Office:
    """The schedule of a server that the tests run by hand, beside the server that answers."""

    def __init__(self, crown: Crown) -> None:
        settings = crown.settings
        keyring = data_directory.prepare(settings).keyring
        self.database = Database(settings.database_url)
        self.wiring = Wiring(settings, keyring, Standings(keyring), Observer(SealedOutbox(keyring)))
        self.fired: list[str] = []
        """The rules that fired for what was told; the server beside sends their notices off at once."""

    def reader(self) -> OwnReader:
        return OwnReader(self.database, self.wiring)

    def look(self, *, processes: int = 1) -> list[int]:
        """Let processes look at once; returns how many accounts each of them audited."""

        def observe(db: Transaction, events: Sequence[EventRow]) -> None:
            self.wiring.outbox.observe(db, events)
            self.fired += [rule.name for event in events for rule in RULES.fired(event)]

        async def look() -> list[int]:
            writers = [Writer(self.database, observe) for _ in range(processes)]
            try:
                each = (ScheduledAudits(self.database, writer, self.wiring).look() for writer in writers)
                return list(await asyncio.gather(*each))
            finally:
                for writer in writers:
                    await writer.stop()

        return coroutines.run(look())

    def begin(self) -> bool:
        """Start the schedule and stop it; returns whether it would have looked."""

        async def begin() -> bool:
            writer = Writer(self.database, self.wiring.outbox.observe)
            schedule = ScheduledAudits(self.database, writer, self.wiring)
            schedule.start()
            runs = schedule.is_running
            await schedule.stop()
            await writer.stop()
            return runs

        return coroutines.run(begin())


@pytest.fixture
def office(fresh_crown: Callable[..., Crown], monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Crown, Office]]:
    monkeypatch.setattr(audits, "PAUSES", 0)
    crown = fresh_crown()
    made = Office(crown)
    yield crown, made
    made.database.close()


@pytest.fixture
def on_sqlite(crowns: Crowns) -> Account:
    """An account of the process's own server: what is read is the same on both databases, whose stories are told above."""
    return crowns.shared("sqlite").account()


def audited(account: Account) -> list[dict[str, Any]]:
    return [record["serviceEventDetails"] for record in account.records() if record["eventName"] == "AccountAudited"]


def test_a_scheduled_audit_finds_what_one_over_the_wire_finds(on_sqlite: Account):
    account, made = on_sqlite, Office(on_sqlite.crown)

    by_schedule = findings.audit(made.reader().gather(account.id))

    over_the_wire = findings.audit(reader.gather(clients_of(account), workers=2))
    made.database.close()
    states = [
        {(each.check.name, each.resource): each.state for each in report.findings} for report in (by_schedule, over_the_wire)
    ]
    different = {key for key in states[0].keys() | states[1].keys() if states[0].get(key) != states[1].get(key)}
    assert set() == different


def test_accounts_are_audited_in_turn_by_one_of_many_processes_and_told_once(office: tuple[Crown, Office]):
    crown, made = office
    first, second = crown.account(), crown.account()

    with time_machine.travel(clock.now() + timedelta(days=2), tick=False):
        counts = made.look(processes=3)
        again = made.look()

    assert [0, 0, 2] == sorted(counts)
    assert [0] == again
    assert [1, 1] == [len(audited(each)) for each in (first, second)]
    assert ["account-audited", "account-audited"] == made.fired


def test_an_account_that_a_check_stumbles_over_keeps_no_other_from_its_audit(
    office: tuple[Crown, Office], monkeypatch: pytest.MonkeyPatch
):
    crown, made = office
    accounts = [crown.account() for _ in range(3)]
    audit = findings.audit

    def stumble(evidence: Evidence) -> findings.Report:
        if evidence.account_id == accounts[0].id:
            raise RecursionError("a policy that is nested too deep")
        return audit(evidence)

    monkeypatch.setattr(audits, "_AT_ONCE", 1)
    monkeypatch.setattr(findings, "audit", stumble)

    with time_machine.travel(clock.now() + timedelta(days=2), tick=False):
        counts = made.look()

    assert [2] == counts
    assert [0, 1, 1] == [len(audited(each)) for each in accounts]


def test_the_next_audit_tells_what_became_worse_and_better(office: tuple[Crown, Office]):
    crown, made = office
    account = crown.account()
    now = clock.now()
    with time_machine.travel(now + timedelta(days=2), tick=False):
        made.look()
    iam = account.client("iam")
    iam.create_account_alias(AccountAlias=f"quiet-{account.id}")
    iam.create_role(RoleName="open", AssumeRolePolicyDocument=json.dumps(ANYBODY))

    with time_machine.travel(now + timedelta(days=95), tick=False):
        made.look()

    answer = audited(account)[0]
    assert answer["isWorse"]
    assert "trust-anybody" in answer["worse"]
    assert "account-alias" in answer["better"]
    assert "worse: " in answer["summary"]
    assert ["account-audited", "account-audit-worse", "account-audited"] == made.fired
    listed = account.client("account-security").list_account_audits()
    assert [True, False] == [any(c["Check"] == "trust-anybody" for c in each["Failing"]) for each in listed["AccountAudits"]]


def test_the_first_page_draws_audits_over_time_and_has_the_figures_in_a_table(office: tuple[Crown, Office]):
    crown, made = office
    account, browser = administrator(crown)
    rows = [AccountAuditRow(account.id, clock.now() - timedelta(days=days), 40, 4, 9, 1, 2, 3, 4, "{}") for days in (92, 1)]
    browser.get("/console")
    assert "No audit has been made yet." in browser.page.text

    made.database.write(lambda db: [account_audits.add(db, row) for row in rows])
    browser.get("/console")

    assert "At the last audit 10 findings failed, 3 of them critical or high." in browser.page.text
    shown = browser.page.response.text
    assert 2 == shown.partition('class="history"')[2].partition("</svg>")[0].count("<path")
    assert all(f'<th scope="row">{row.audited_at.date()}</th>' in shown for row in rows)


def test_of_many_audits_the_last_ones_are_kept(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(account_audits, "MOST_KEPT", 3)
    rows = [
        AccountAuditRow("111122223333", clock.now() - timedelta(days=days), 1, 0, 0, 0, 0, 0, 0, "{}") for days in range(5, 0, -1)
    ]

    database.write(lambda db: [account_audits.add(db, row) for row in rows])

    with database.snapshot() as db:
        assert list(reversed(rows[2:])) == account_audits.newest(db, "111122223333", limit=10)


def test_a_schedule_that_is_switched_off_audits_nothing(crowns: Crowns):
    crown = crowns.fresh("sqlite", audit_every_days=0)
    account, made = crown.account(), Office(crown)

    with time_machine.travel(clock.now() + timedelta(days=400), tick=False):
        audited_accounts = made.begin()

    answer = account.client("account-security").list_account_audits()
    made.database.close()
    crown.close()
    assert not audited_accounts
    assert ([], False) == (answer["AccountAudits"], "NextAuditAt" in answer)


def test_the_auditor_can_change_nothing_and_read_no_more_than_an_audit_needs(on_sqlite: Account):
    account, made = on_sqlite, Office(on_sqlite.crown)

    def refusal(service: str, operation: str, **parameters: object) -> str:
        served = registry.service(service)
        found = served.find(operation) if served else None
        assert found is not None
        now = clock.now()
        request = Request(found, parameters, auditor.of_account(account.id, now), Origin("-", "-", "us-east-1", "-"), now)
        error = invoke.perform_now(made.database, request, made.wiring).error
        return error.code if error is not None else ""

    codes = [
        refusal("iam", "GetUser", UserName="admin"),
        refusal("account-security", "GetRecoverability"),
        refusal("iam", "CreateUser", UserName="mallory"),
        refusal("iam", "CreateAccessKey", UserName="admin"),
    ]
    made.database.close()

    assert ["", "AccessDenied"] == codes[:2]
    assert "" not in codes[2:]


def test_a_list_with_too_many_pages_is_unknown_and_never_passes(on_sqlite: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(own_reader, "MOST_PAGES", 0)
    account, made = on_sqlite, Office(on_sqlite.crown)

    evidence: Evidence = made.reader().gather(account.id)

    made.database.close()
    assert "TooMany" in {each.code for each in evidence.answers.values() if isinstance(each, Missing)}
    assert CheckState.PASS not in {
        each.state for each in findings.audit(evidence).findings if each.check.name.startswith("users-")
    }


def test_an_audit_keeps_who_has_mfa_and_how_many_credentials_are_old(office: tuple[Crown, Office]):
    crown, made = office
    account = crown.account()
    account.client("iam").create_login_profile(UserName="admin", Password="Plum-Lantern-Quartz-47!")
    now = clock.now()

    for days in (2, 95):
        with time_machine.travel(now + timedelta(days=days), tick=False):
            made.look()

    listed = account.client("account-security").list_account_audits()["AccountAudits"]
    counted = [(each["Passwords"], each["PasswordsWithMfa"], each["OldCredentials"] == each["Credentials"]) for each in listed]
    assert [(counted[0][0], 0, True), (counted[1][0], 0, False)] == counted
    assert all(each["Credentials"] >= 2 for each in listed)
    assert [] == [each for each in listed if each["PasswordsWithMfa"] > each["Passwords"]]


def test_the_first_page_draws_mfa_and_old_credentials_over_time_of_the_audits_that_counted_them(office: tuple[Crown, Office]):
    crown, made = office
    account, browser = administrator(crown)
    uncounted, *counted = (
        AccountAuditRow(account.id, clock.now() - timedelta(days=days), 40, 4, 9, 1, 2, 3, 4, "{}", *counts)
        for days, counts in ((183, ()), (92, (4, 1, 8, 6)), (1, (4, 3, 8, 2)))
    )

    made.database.write(lambda db: [account_audits.add(db, row) for row in (uncounted, *counted)])

    page = browser.get("/console").text
    said = "3 of 4 people with a password had MFA, and 2 of 8 passwords and access keys were 90 days old or older."
    assert f"{said} At the one before it, 25 % had MFA and 75 % were old." in page
    assert "Not counted" in page
    drawn = browser.page.response.text.split('class="history"')[2].partition("</svg>")[0]
    assert 2 == drawn.count("<path")
