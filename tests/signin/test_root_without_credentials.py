"""Root users of members without credentials: nobody signs in as one, and nobody recovers its password until that is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Table, func, select
from tests.alerts.office import Mailbox, link_in
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Crown
from tests.fixtures.organization import Organization
from tests.signin.browser import in_house
from tests.signin.people import PASSWORD
from tests.signin.recovering import ASK, NEW, ask, choose

from crownkeep import clock
from crownkeep.operations.call import Origin
from crownkeep.signin import recovery
from crownkeep.storage.database import Transaction
from crownkeep.storage.notices import outbox
from crownkeep.storage.sign_in import one_time_links
from crownkeep.storage.writer import Commit

TASKS = "arn:aws:iam::aws:policy/root-task/"
TABLES = (one_time_links.table, outbox.table)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let answers not wait."""
    monkeypatch.setattr(recovery, "ANSWERED_AFTER_SECONDS", 0.0)


@pytest.fixture
def organization(crown: Crown) -> Organization:
    made = Organization(crown)
    made.trust_iam("RootCredentialsManagement")
    return made


def email_of(organization: Organization, account_id: str) -> str:
    return str(organization.client.describe_account(AccountId=account_id)["Account"]["Email"])


def central(organization: Organization, account_id: str, task: str) -> Any:
    sts = organization.management.client("sts")
    issued = sts.assume_root(TargetPrincipal=account_id, TaskPolicyArn={"arn": TASKS + task})["Credentials"]
    return organization.crown.session(issued, "iam")


def notices(organization: Organization, email: str) -> int:
    return sum(ASK in subject for subject in Mailbox(organization.crown, email).subjects())


def written(crown: Crown, email: str) -> tuple[int, ...]:
    """Return how many rows asking for a link writes, seen from within its transaction: notices leave at any time."""
    wiring = crown._served._app._house.door.wiring

    def work(db: Transaction) -> Commit[tuple[int, ...]]:
        before = [_count(db, table) for table in TABLES]
        recovery._request(db, wiring, email, Origin("192.0.2.1", "", "us-east-1", ""), clock.now())
        return Commit(tuple(_count(db, table) - earlier for table, earlier in zip(TABLES, before, strict=True)), [])

    return tuple(in_house(crown, work))


def _count(db: Transaction, table: Table) -> int:
    return int(db.execute(select(func.count()).select_from(table)).scalar_one())


def test_a_stranger_cannot_recover_what_root_is_not_to_have_nor_learn_that_there_is_such_a_root(organization: Organization):
    crown = organization.crown
    email = email_of(organization, organization.created())

    of_nobody = ask(Browser(crown), f"nobody-of-{email}")
    of_member = ask(Browser(crown), email)

    assert (of_nobody.status, of_nobody.title) == (of_member.status, of_member.title)
    assert of_nobody.text.replace(f"nobody-of-{email}", "E") == of_member.text.replace(email, "E")
    assert written(crown, f"nobody-of-{email}") == written(crown, email)
    assert [] == Mailbox(crown, email).subjects()


def test_nobody_signs_in_as_a_root_without_credentials(organization: Organization):
    email = email_of(organization, organization.created())
    browser = Browser(organization.crown)
    browser.get("/signin?choose")
    browser.submit({"kind": "root", "email": email})

    page = browser.submit({"password": PASSWORD})

    assert "authentication information is incorrect" in page.text


def test_once_recovery_is_allowed_whoever_reads_roots_mail_chooses_its_password(organization: Organization):
    member = organization.created()
    email = email_of(organization, member)

    central(organization, member, "IAMCreateRootUserPassword").create_login_profile()
    ask(Browser(organization.crown), email)
    page = choose(Browser(organization.crown), link_in(Mailbox(organization.crown, email).wait(ASK)), NEW)

    assert 200 == page.status
    assert "MFA" in page.text
    summary = central(organization, member, "IAMAuditRootUserCredentials").get_account_summary()["SummaryMap"]
    assert 1 == summary["AccountPasswordPresent"]


def test_a_link_that_was_mailed_is_void_once_recovery_is_taken_back(organization: Organization):
    member = organization.created()
    email = email_of(organization, member)
    central(organization, member, "IAMCreateRootUserPassword").create_login_profile()
    ask(Browser(organization.crown), email)
    link = link_in(Mailbox(organization.crown, email).wait(ASK))

    central(organization, member, "IAMDeleteRootUserCredentials").delete_login_profile()

    assert "This link is not valid" in choose(Browser(organization.crown), link).text


def test_root_whose_password_is_taken_away_is_signed_out_and_recovers_nothing(organization: Organization):
    member = organization.created()
    email = email_of(organization, member)
    central(organization, member, "IAMCreateRootUserPassword").create_login_profile()
    ask(Browser(organization.crown), email)
    browser = Browser(organization.crown)
    choose(browser, link_in(Mailbox(organization.crown, email).wait(ASK)), NEW)

    central(organization, member, "IAMDeleteRootUserCredentials").delete_login_profile()
    mailed = notices(organization, email)
    ask(Browser(organization.crown), email)

    assert "Sign in" == browser.get("/console").title
    assert mailed == notices(organization, email)
