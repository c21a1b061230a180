"""Built-in rules about custody, members and the server, each of which a story brings about; every other rule has its test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from botocore.exceptions import ClientError
from tests.alerts.office import Mailbox
from tests.alerts.test_built_in_rules import ACTS, ORGANIZATION, SIGN_IN, Office
from tests.alerts.test_webhooks import add
from tests.fixtures import custody
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown, Crowns, User
from tests.fixtures.custody import Custody
from tests.fixtures.organization import Organization
from tests.services.approvals.test_sealed_acts import RULE
from tests.services.iam.asking import allow, enrol
from tests.services.iam.test_delegation_requests import Provider
from tests.signin.people import choose_root_password, root_with_app
from tests.signin.test_sealed_root import latest, to_the_custodians

from crownkeep import clock
from crownkeep.alerts import built_in
from crownkeep.alerts.built_in import ADMINISTRATOR, KEY_FROM_NEW_NETWORK
from crownkeep.alerts.reviews import Reviews
from crownkeep.credentials.approval_requests import ApprovalDecision

CUSTODY = {
    "account-sealed",
    "account-unsealed",
    "approval-asked",
    "approval-cancelled",
    "approval-given",
    "approval-refused",
    "approval-used",
    "approval-vetoed",
    "approver-keys-changed",
    "sealed-root-reviewed",
    "unseal-without-team-begun",
    "unseal-without-team-cancelled",
    "unsealed-without-team",
}
MEMBER = {
    "root-email-changed-by-organization",
    "root-mfa-removed",
    "root-mfa-removed-by-organization",
    "root-password-recovery-allowed",
    "root-password-removed",
}
SERVER = {
    KEY_FROM_NEW_NETWORK,
    "custodian-added",
    "custodian-keys-reset",
    "custodian-removed",
    "hardware-token-not-returned",
    "hardware-token-of-the-server-not-returned",
    "last-way-in-guard-switched-off",
    "permissions-requested",
    "sealing-or-trail-keys-changed",
}
ELSEWHERE: Mapping[str, str] = {
    "account-audit-worse": "schedule/test_audits.py",
    "account-audited": "schedule/test_audits.py",
    "certificate-expires": "alerts/test_reviews.py",
    "credential-audit-due": "alerts/test_reviews.py",
    "credential-over-age": "alerts/test_reviews.py",
    "password-of-root-over-age": "alerts/test_reviews.py",
    "receiver-unreachable": "alerts/test_webhooks.py",
    "trail-altered": "alerts/test_reviews.py",
    "trail-delivery-failed": "trail/test_delivery.py",
    "witness-silent": "alerts/test_reviews.py",
}
"""Rules that no act through the API brings about at once, and the tests in which each of them fires."""


@pytest.fixture
def crown(crowns: Crowns) -> Iterator[Crown]:
    fresh = crowns.fresh("sqlite", trusted_proxies=("127.0.0.1",))
    yield fresh
    fresh.close()


def test_each_built_in_rule_about_sealed_accounts_fires_in_one_story(crown: Crown):
    account, _, seed = root_with_app(crown)
    office, team = Office(crown, account), custody.seat(crown, account.id)
    team.seal(unseal_delay_hours=24)
    root_signs_in(office, team, seed)
    refused, cancelled = (asked(account, name) for name in ("refused", "cancelled"))
    for person in team.people[:2]:
        team.refuse(person, refused)
    account.client("approvals").cancel_request(RequestId=cancelled)
    unsealed(office, team)
    team.seal(unseal_delay_hours=24)
    without_team(office)
    lost = {"custodian_id": team.people[0].custodian_id}
    assert 200 == office.crown.operator("POST", "/custodian-key-resets", lost).status

    assert set() == CUSTODY - office.alerted()


def root_signs_in(office: Office, team: Custody, seed: bytes) -> None:
    """Let a sealed root sign in with the approval of two, and have it reviewed."""
    browser = to_the_custodians(office.crown, office.account, seed, ahead=1)
    browser.submit({"reason": "quarterly review"}, form="Ask the custodians")
    request_id = latest(office.crown, office.account)
    for person in team.people[:2]:
        team.approve(person, request_id)
    browser.submit({}, form="Continue once")
    review = team.answer(team.people[2], request_id, ApprovalDecision.REVIEW)
    office.crown.session(None, "approvals").sign_off_review(RequestId=request_id, Assertion=review)


def asked(account: Account, name: str) -> str:
    """Ask for the approval of an alert rule."""
    wanted = {"Action": "alerts:PutAlertRule", "Parameters": json.dumps({**RULE, "Name": name}), "Reason": name}
    return str(account.client("approvals").request_approval(**wanted)["Request"]["RequestId"])


def unsealed(office: Office, team: Custody) -> None:
    """Lift the seal with the approval of two, whom the operator has asked."""
    path = f"/accounts/{office.account.id}"
    wanted = {"action": "operator:UnsealAccount", "reason": "the team changes"}
    wanted["parameters"] = json.dumps({"account_id": office.account.id})
    made = office.crown.operator("POST", f"{path}/approval-requests", wanted)
    assert 201 == made.status, made.text
    for person in team.people[:2]:
        team.approve(person, made.json()["request_id"])
    assert 204 == office.crown.operator("DELETE", f"{path}/seal").status


def without_team(office: Office) -> None:
    """Begin to lift the seal without the team, cancel that, and do it after all."""
    path = f"/accounts/{office.account.id}/seal/without-team"
    answers = [office.crown.operator(method, path).status for method in ("POST", "DELETE", "POST")]
    with time_machine.travel(clock.now() + timedelta(hours=25)):
        answers.append(office.crown.operator("POST", f"{path}/finish").status)
    assert [200, 200, 200, 204] == answers


def test_each_built_in_rule_about_what_is_done_to_a_member_s_root_fires_in_one_story(crown: Crown):
    organization = Organization(crown)
    organization.trust_iam("RootCredentialsManagement", "RootSessions")
    organization.client.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
    member = organization.invited()
    office = Office(crown, member)
    choose_root_password(Browser(crown), member)
    address = f"new-{member.id}@acme.example"
    central = organization.management.client("account")
    central.start_primary_email_update(AccountId=member.id, PrimaryEmail=address)
    otp = str(Mailbox(crown, address).wait("Your code is")["Subject"]).rpartition(" ")[2]
    central.accept_primary_email_update(AccountId=member.id, PrimaryEmail=address, Otp=otp)
    root = member.root("iam")
    serial, app = enrol(root, "root", "first")
    with_mfa = member.root("sts").get_session_token(SerialNumber=serial, TokenCode=app.code(1))["Credentials"]
    crown.session(with_mfa, "iam").deactivate_mfa_device(UserName="root", SerialNumber=serial)
    serial, _ = enrol(root, "root", "second")
    organization.root_of(member.id, "IAMDeleteRootUserCredentials").deactivate_mfa_device(SerialNumber=serial)
    organization.root_of(member.id, "IAMDeleteRootUserCredentials").delete_login_profile()
    organization.root_of(member.id, "IAMCreateRootUserPassword").create_login_profile()

    assert set() == MEMBER - office.alerted()


def test_each_built_in_rule_about_the_server_and_its_keys_fires_in_one_story(crown: Crown):
    office = Office(crown)
    account_id = office.account.id
    bob = office.account.user("bob")
    for address in ("203.0.113.7", "203.0.113.99"):
        call_from(address, bob)
    assert KEY_FROM_NEW_NETWORK not in office.alerted()
    call_from("198.51.100.7", bob)
    add(crown, office.account, "soc@watch.example", "mail")
    office.account.client("account-security").update_last_way_in_guard(Enabled=False)
    Provider(crown).ask(OwnerAccountId=account_id)
    made = crown.operator("POST", "/custodians", {"name": "Dana", "email": "dana@acme.example"}).json()["custodian"]
    crown.operator("POST", "/custodian-key-resets", {"custodian_id": made["custodian_id"]})
    crown.operator("DELETE", f"/custodians/{made['custodian_id']}")
    assert 204 == crown.operator("POST", "/key-rotations", {}).status
    for serial, owner in (("1", {"account_id": account_id}), ("2", {})):
        token = {"serial": serial, "model": "Acme", "vault": "box", "envelope": "1", "holder": "root"}
        assert 201 == crown.operator("POST", "/hardware-tokens", token | owner).status
        taken = {"to": "Dora", "reason": "a drill", "hours": 4}
        assert 200 == crown.operator("POST", f"/hardware-tokens/{serial}/check-out", taken).status
    house = crown._served._app._house
    with time_machine.travel(clock.now() + timedelta(hours=30)):
        crown._served.run(Reviews(house.database, house.writer).look())

    assert set() == SERVER - office.alerted()


def attached(account: Account) -> None:
    """Attach a policy of the account's own, which does not say in its name what it is."""
    account.client("iam").attach_user_policy(UserName="risen", PolicyArn=everything(account))


def put_in_force(account: Account) -> None:
    """Put in force a version that was there before."""
    iam, arn = account.client("iam"), everything(account)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(allow("s3:*")), SetAsDefault=True)
    iam.attach_user_policy(UserName="risen", PolicyArn=arn)
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")


def joined(account: Account) -> None:
    """Join a group whose inline policy allows everything."""
    iam = account.client("iam")
    iam.create_group(GroupName="powerful")
    iam.put_group_policy(GroupName="powerful", PolicyName="p", PolicyDocument=json.dumps(allow("iam:*")))
    iam.add_user_to_group(GroupName="powerful", UserName="risen")


def harmless(account: Account) -> None:
    """Do the same with what makes nobody an administrator."""
    iam = account.client("iam")
    arn = str(iam.create_policy(PolicyName="ordinary", PolicyDocument=json.dumps(allow("s3:*")))["Policy"]["Arn"])
    iam.create_group(GroupName="readers")
    iam.attach_group_policy(GroupName="readers", PolicyArn=arn)
    iam.add_user_to_group(GroupName="readers", UserName="risen")
    with suppress(ClientError):
        iam.attach_user_policy(UserName="nobody", PolicyArn=everything(account, "powerful"))


def everything(account: Account, name: str = "ordinary") -> str:
    """Make a policy that allows everything."""
    made = account.client("iam").create_policy(PolicyName=name, PolicyDocument=json.dumps(allow("*")))
    return str(made["Policy"]["Arn"])


@pytest.mark.parametrize(("act", "is_told"), [(attached, True), (put_in_force, True), (joined, True), (harmless, False)])
def test_privilege_escalation_by_a_policy_from_before_or_by_a_group_is_told(
    crown: Crown, act: Callable[[Account], None], is_told: bool
):
    office = Office(crown)
    office.account.client("iam").create_user(UserName="risen")

    act(office.account)

    assert is_told is (ADMINISTRATOR in office.alerted())


def call_from(address: str, user: User) -> None:
    """Use a user's access key from an address, as a trusted proxy names it."""
    client = user.client("sts")
    client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header("X-Forwarded-For", address))
    client.get_caller_identity()


def test_every_built_in_rule_is_brought_about_by_a_test():
    stories = (ACTS.keys(), ORGANIZATION.keys(), SIGN_IN, CUSTODY, MEMBER, SERVER, ELSEWHERE.keys())
    texts = {name: (Path(__file__).parents[1] / file).read_text() for name, file in ELSEWHERE.items()}

    assert built_in.RULES.keys() == set().union(*stories)
    assert [] == [name for name, text in texts.items() if name not in text and built_in.RULES[name].subject not in text]
