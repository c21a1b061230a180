"""Notices: root and the security contact hear of what matters, and only when it has really happened."""

from __future__ import annotations

import pytest
import time_machine
from botocore.exceptions import ClientError
from tests.alerts.office import Mailbox, text_of
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization
from tests.signin.browser import in_house
from tests.signin.people import code, root_with_app, sign_in_root

from crownkeep import clock
from crownkeep.alerts import rule
from crownkeep.errors import ServiceUnavailable
from crownkeep.operations.notices import Notice
from crownkeep.storage.database import Transaction
from crownkeep.storage.writer import Commit


def contact(account: Account, email: str, kind: str = "SECURITY") -> None:
    account.client("account").put_alternate_contact(
        AlternateContactType=kind, Name="Sec", Title="Officer", EmailAddress=email, PhoneNumber="+1 555 0100"
    )


def test_a_sign_in_of_root_is_told_to_root_and_to_the_security_contact(crown: Crown):
    account, _, seed = root_with_app(crown)
    security = f"security-{account.id}@acme.example"
    contact(account, security)
    mailboxes = [Mailbox(crown, account.email), Mailbox(crown, security)]
    mailboxes[0].wait("The root user signed in")
    browser = Browser(crown)

    sign_in_root(browser, account)
    browser.submit({"code": code(seed, ahead=1)})

    answer = [text_of(mailbox.wait("The root user signed in")) for mailbox in mailboxes]
    assert [True, True] == [account.id in each and browser.address in each for each in answer]


def test_a_key_of_root_is_told_with_its_id(account: Account):
    key = account.root("iam").create_access_key()["AccessKey"]

    message = Mailbox(account.crown, account.email).wait("The root user got an access key")

    assert key["AccessKeyId"] in text_of(message)
    assert key["SecretAccessKey"] not in message.as_string()


def test_what_users_do_is_not_told(account: Account):
    account.user("bob")
    account.client("iam").create_access_key(UserName="bob")

    assert [] == Mailbox(account.crown, account.email).subjects()


def test_what_root_is_refused_is_told_as_a_use_of_its_key(account: Account):
    iam = account.root("iam")
    iam.create_access_key()
    with pytest.raises(ClientError, match="LimitExceeded"):
        iam.create_access_key()

    answer = Mailbox(account.crown, account.email).subjects()

    assert ["The root user got an access key", "The root user's access key was used"] == [each.split(" (")[0] for each in answer]


def test_a_deed_that_does_not_commit_sends_nothing(account: Account):
    outbox = account.crown._served._app._house.door.wiring.outbox

    def work(db: Transaction) -> Commit[None]:
        outbox.send(db, Notice("email-code", account.email, account.id, clock.now(), {}))
        raise ArithmeticError("a fault of ours")

    with pytest.raises(ServiceUnavailable):
        in_house(account.crown, work)

    assert [] == Mailbox(account.crown, account.email).subjects()


def test_a_new_security_contact_is_told_and_so_is_the_former_one(account: Account):
    former, present = f"former-{account.id}@acme.example", f"present-{account.id}@acme.example"
    contact(account, former)

    contact(account, present)

    assert Mailbox(account.crown, former).wait("You are no longer the security contact")
    assert Mailbox(account.crown, present).wait("An alternate contact of the account was set")
    assert Mailbox(account.crown, account.email).wait("An alternate contact of the account was set")


def test_a_security_contact_that_is_removed_hears_of_it(account: Account):
    former = f"former-{account.id}@acme.example"
    contact(account, former)

    account.client("account").delete_alternate_contact(AlternateContactType="SECURITY")

    assert Mailbox(account.crown, former).wait("You are no longer the security contact")


def test_a_billing_contact_that_is_replaced_is_not_written_to(account: Account):
    former = f"former-{account.id}@acme.example"
    contact(account, former, "BILLING")

    contact(account, "present@acme.example", "BILLING")

    assert not any("no longer" in subject for subject in Mailbox(account.crown, former).subjects())


def test_a_failed_sign_in_of_root_is_told_at_once_and_what_follows_is_summed_up(crown: Crown):
    account, _, _ = root_with_app(crown)
    mailbox = Mailbox(crown, account.email)

    _fail(crown, account, 4)

    assert 1 == sum("Somebody failed to sign in" in subject for subject in mailbox.subjects())
    with time_machine.travel(clock.now() + rule.SPAN, tick=True):
        assert mailbox.wait("Somebody failed to sign in")
        assert "3 more since the last message" in text_of(mailbox.wait("Somebody failed to sign in"))


def test_each_use_of_root_is_a_message_of_its_own(account: Account):
    iam = account.root("iam")
    key = account.created["root"]["access_key_id"]

    for _ in range(12):
        iam.update_access_key(AccessKeyId=key, Status="Active")
    iam.list_users()

    answer = Mailbox(account.crown, account.email).subjects()
    assert 12 == sum("An access key of the root user was changed" in subject for subject in answer)
    assert 1 == sum("The root user's access key was used" in subject for subject in answer)


def test_a_flood_of_uses_of_root_neither_fills_a_mailbox_nor_goes_unsaid(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rule, "MOST_MAILS", 3)
    iam = account.root("iam")
    mailbox = Mailbox(account.crown, account.email)
    used = "The root user's access key was used"

    for _ in range(5):
        iam.list_users()

    assert 3 == sum(used in subject for subject in mailbox.subjects())
    for _ in range(3):
        mailbox.wait(used)
    with time_machine.travel(clock.now() + rule.FIRST_SUMMARY, tick=True):
        assert "2 more since the last message" in text_of(mailbox.wait(used))
        iam.list_users()
        assert 4 == sum(used in subject for subject in mailbox.subjects())
    with time_machine.travel(clock.now() + 5 * rule.FIRST_SUMMARY, tick=True):
        assert "1 more since the last message" in text_of(mailbox.wait(used))


def test_a_user_named_root_is_not_root(account: Account):
    bob = account.user("root", arn="arn:aws:iam::aws:policy/AdministratorAccess")

    bob.client("iam").create_access_key()

    answer = Mailbox(account.crown, account.email).subjects()
    assert [] == [subject for subject in answer if "root" in subject.lower()]


def test_a_member_hears_of_what_its_organization_does_to_its_root_user(crown: Crown):
    organization = Organization(crown)
    organization.trust_iam("RootCredentialsManagement")
    account = organization.invited()
    security = f"security-{account.id}@acme.example"
    contact(account, security)
    key = account.created["root"]["access_key_id"]

    organization.root_of(account.id, "IAMDeleteRootUserCredentials").delete_access_key(AccessKeyId=key)
    organization.root_of(account.id, "IAMCreateRootUserPassword").create_login_profile()
    organization.root_of(account.id, "IAMDeleteRootUserCredentials").delete_login_profile()

    for mailbox in (Mailbox(crown, account.email), Mailbox(crown, security)):
        assert key in text_of(mailbox.wait("The organization deleted an access key of the root user"))
        assert mailbox.wait("The organization took the root user's password away")
        assert "ask whoever manages your organization" in text_of(mailbox.wait("The organization lets the root user recover"))
    answer = Mailbox(crown, organization.management.email).subjects()
    assert [] == [subject for subject in answer if account.id in subject]


def test_the_management_account_hears_of_the_power_over_root_users_whoever_changed_it(crown: Crown):
    organization = Organization(crown)
    security = f"security-{organization.management.id}@acme.example"
    contact(organization.management, security)
    organization.trust_iam("RootSessions")
    delegate = organization.invited()
    organization.client.register_delegated_administrator(AccountId=delegate.id, ServicePrincipal="iam.amazonaws.com")

    delegate.client("iam").disable_organizations_root_sessions()

    for mailbox in (Mailbox(crown, organization.management.email), Mailbox(crown, security)):
        assert mailbox.wait("IAM got trusted access in the organization")
        assert mailbox.wait("Members' root users can now be taken on for tasks")
        assert mailbox.wait("A member may now administer IAM for the organization")
        assert delegate.id in text_of(mailbox.wait("Members' root users can no longer be taken on for tasks"))
    assert not any("taken on" in subject for subject in Mailbox(crown, delegate.email).subjects())


def _fail(crown: Crown, account: Account, times: int) -> int:
    for _ in range(times):
        sign_in_root(Browser(crown), account, "not the password 1A")
    return times
