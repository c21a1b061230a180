"""Each built-in rule that an act through the API brings about: the act is done, and an alert of that rule is on its way."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.alerts.office import Mailbox, link_in
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown, Crowns
from tests.fixtures.organization import SCP, Organization
from tests.fixtures.trails import trail
from tests.services.iam.asking import allow
from tests.services.iam.making_certificates import certificate
from tests.signin.people import PASSWORD, code, enrol_app, root_with_app, sign_in_root
from tests.signin.recovering import LOST, asked_link, choose, mailed_link
from tests.signin.test_factors import made_codes
from tests.signin.test_recovery_email import code_sent, give, start
from tests.signin.test_recovery_mfa import complete, opened, report_lost

from crownkeep import clock
from crownkeep.signin import recovery


class Office:
    """An account of this module's own with a contact for everything, so that what fires is sent to somebody."""

    def __init__(self, crown: Crown, account: Account | None = None) -> None:
        self.crown = crown
        self.account = account or crown.account()
        for kind in ("SECURITY", "BILLING", "OPERATIONS"):
            self.account.client("account").put_alternate_contact(
                AlternateContactType=kind,
                Name="x",
                Title="x",
                EmailAddress=f"{kind.lower()}@acme.example",
                PhoneNumber="+1 555 0100",
            )

    def alerted(self) -> set[str]:
        """Return the rules that have fired so far."""
        answer = self.crown.operator("GET", f"/accounts/{self.account.id}/alerts/history?max_results=1000")
        return {each["rule"] for each in answer.json()["alerts"] if "rule" in each}


def _root_s(service: str, operation: str, **parameters: Any) -> Callable[[Office], object]:
    return lambda office: getattr(office.account.root(service), operation)(**parameters)


def _s(service: str, operation: str, **parameters: Any) -> Callable[[Office], object]:
    return lambda office: getattr(office.account.client(service), operation)(**parameters)


def _of_the_operator(office: Office) -> None:
    answer = office.crown.operator("PUT", f"/accounts/{office.account.id}/quotas/UsersQuota", {"value": 20_000})
    assert 200 == answer.status, answer.text
    failed = {"target": "/t", "reason": "disk full", "account_id": office.account.id}
    answer = office.crown.operator("POST", "/backups/0a0a0a0a/fail", failed)
    assert 200 == answer.status, answer.text


def _of_root_s_certificate(office: Office) -> None:
    iam = office.account.root("iam")
    made = iam.upload_signing_certificate(CertificateBody=certificate("root.example", by=None).certificate)["Certificate"]
    iam.update_signing_certificate(CertificateId=made["CertificateId"], Status="Inactive")
    iam.delete_signing_certificate(CertificateId=made["CertificateId"])


def _of_root_s_key(office: Office) -> None:
    iam = office.account.root("iam")
    key = iam.create_access_key()["AccessKey"]["AccessKeyId"]
    iam.update_access_key(AccessKeyId=key, Status="Inactive")
    iam.delete_access_key(AccessKeyId=key)


def _of_a_trail(office: Office) -> None:
    made = trail(office.account)
    cloudtrail = office.account.client("cloudtrail")
    cloudtrail.start_logging(Name=made["TrailARN"])
    cloudtrail.stop_logging(Name=made["TrailARN"])


def _of_an_administrator(office: Office) -> None:
    iam = office.account.client("iam")
    iam.create_user(UserName="risen")
    iam.attach_user_policy(UserName="risen", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.put_user_policy(UserName="risen", PolicyName="p", PolicyDocument=json.dumps(allow("*")))


def _of_a_device(office: Office) -> None:
    iam = office.account.client("iam")
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    seed = base64.b32decode(made["Base32StringSeed"])
    codes = [code(seed, ahead=-1), code(seed)]
    iam.create_user(UserName="holder")
    iam.enable_mfa_device(
        UserName="holder", SerialNumber=made["SerialNumber"], AuthenticationCode1=codes[0], AuthenticationCode2=codes[1]
    )
    iam.deactivate_mfa_device(UserName="holder", SerialNumber=made["SerialNumber"])


def _of_a_contact(office: Office) -> None:
    office.account.client("account").delete_alternate_contact(AlternateContactType="OPERATIONS")


def _of_many_refusals(office: Office) -> None:
    nobody = office.account.user("nobody").client("iam")
    for _ in range(20):
        with suppress(ClientError):
            nobody.list_users()


def _of_closing(office: Office) -> None:
    assert 200 == office.crown.operator("POST", f"/accounts/{office.account.id}/close").status


def _of_alerts(office: Office) -> None:
    address = f"/accounts/{office.account.id}/alerts/rules/mfa-removed"
    answer = office.crown.operator("POST", f"{address}/off", {"reason": "x"})
    assert 204 == answer.status, answer.text
    office.account.client("alerts").silence_alert_rule(
        Name="administrator-added", Reason="x", EndsAt=clock.now() + timedelta(days=1)
    )


_CONTACT: Mapping[str, str] = {
    "FullName": "x",
    "AddressLine1": "x",
    "City": "x",
    "PostalCode": "1",
    "CountryCode": "US",
    "StateOrRegion": "NY",
    "PhoneNumber": "+1 555 0100",
}

ACTS: Mapping[str, Callable[[Office], object]] = {
    "root-access-key-created": _of_root_s_key,
    "root-access-key-changed": _of_root_s_key,
    "root-access-key-deleted": _of_root_s_key,
    "root-access-key-used": _root_s("iam", "list_users"),
    "root-certificate-added": _of_root_s_certificate,
    "root-certificate-changed": _of_root_s_certificate,
    "root-certificate-deleted": _of_root_s_certificate,
    "alternate-contact-set": lambda office: None,
    "alternate-contact-deleted": _of_a_contact,
    "primary-contact-changed": _s("account", "put_contact_information", ContactInformation=_CONTACT),
    "alert-switched-off-by-operator": _of_alerts,
    "alerts-changed": _of_alerts,
    "trail-changed": _of_a_trail,
    "trail-stopped": _of_a_trail,
    "mfa-removed": _of_a_device,
    "password-policy-weak": _s("iam", "update_account_password_policy", MinimumPasswordLength=8),
    "administrator-added": _of_an_administrator,
    "administrator-added-by-policy": _of_an_administrator,
    "account-closed": _of_closing,
    "many-refusals": _of_many_refusals,
    "operator-acted": _of_the_operator,
    "backup-failed": _of_the_operator,
}
"""What brings each rule about; an act that several rules are about is done for each."""


@pytest.fixture(scope="module")
def alerted(crowns: Crowns) -> Iterator[Callable[[Callable[[Office], object]], set[str]]]:
    """Do an act in an account of its own, once for all rules that are about it, and return which fired."""
    crown = crowns.fresh("sqlite")

    @cache
    def after(act: Callable[[Office], object]) -> set[str]:
        office = Office(crown)
        act(office)
        return office.alerted()

    yield after
    crown.close()


@pytest.mark.parametrize("rule", ACTS)
def test_each_built_in_rule_fires_on_its_act(alerted: Callable[[Callable[[Office], object]], set[str]], rule: str):
    assert rule in alerted(ACTS[rule])


TASK = {"arn": "arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials"}


def _of_central_powers(organization: Organization, member: Account) -> None:
    client, iam = organization.client, organization.management.client("iam")
    client.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    iam.enable_organizations_root_credentials_management()
    iam.enable_organizations_root_sessions()
    client.register_delegated_administrator(AccountId=member.id, ServicePrincipal="iam.amazonaws.com")
    client.deregister_delegated_administrator(AccountId=member.id, ServicePrincipal="iam.amazonaws.com")


def _of_a_members_root(organization: Organization, member: Account) -> None:
    member.root("iam").create_access_key()
    member.root("iam").upload_signing_certificate(CertificateBody=certificate("root.example", by=None).certificate)
    sts = organization.management.client("sts")
    taken_on = organization.crown.session(sts.assume_root(TargetPrincipal=member.id, TaskPolicyArn=TASK)["Credentials"], "iam")
    taken_on.list_access_keys()
    for key in taken_on.list_access_keys()["AccessKeyMetadata"]:
        taken_on.delete_access_key(AccessKeyId=key["AccessKeyId"])
    for each in taken_on.list_signing_certificates()["Certificates"]:
        taken_on.delete_signing_certificate(CertificateId=each["CertificateId"])


def _of_central_powers_ended(organization: Organization, member: Account) -> None:
    client, iam = organization.client, organization.management.client("iam")
    iam.disable_organizations_root_sessions()
    iam.disable_organizations_root_credentials_management()
    client.disable_aws_service_access(ServicePrincipal="iam.amazonaws.com")


def _of_policies_and_leaving(organization: Organization, member: Account) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]})
    made = organization.client.create_policy(Name="no-s3", Description="x", Type=SCP, Content=text)["Policy"]["PolicySummary"][
        "Id"
    ]
    organization.client.attach_policy(PolicyId=made, TargetId=member.id)
    organization.client.detach_policy(PolicyId=made, TargetId=member.id)
    member.client("organizations").leave_organization()


_MANAGEMENT = (
    "central-root-credentials-enabled central-root-credentials-disabled"
    " central-root-sessions-enabled central-root-sessions-disabled"
    " iam-trusted iam-no-longer-trusted iam-delegated-administrator-added iam-delegated-administrator-removed"
    " organization-policy-removed"
)
_MEMBER = (
    "root-taken-on root-used-centrally root-access-key-deleted-by-organization root-certificate-deleted-by-organization"
    " organization-joined organization-left"
)
ORGANIZATION = {name: whose for whose, names in (("management", _MANAGEMENT), ("member", _MEMBER)) for name in names.split()}
"""Rules about an organization, and whose contacts hear of each."""


def test_each_built_in_rule_about_an_organization_fires_on_its_act(crowns: Crowns):
    crown = crowns.fresh("sqlite")
    organization = Organization(crown)
    offices = {"management": Office(crown, organization.management), "member": Office(crown)}
    member = offices["member"].account
    member.client("organizations").accept_handshake(HandshakeId=organization.invite(member))
    for act in (_of_central_powers, _of_a_members_root, _of_central_powers_ended, _of_policies_and_leaving):
        act(organization, member)

    fired = {whose: office.alerted() for whose, office in offices.items()}

    assert {} == {name: whose for name, whose in ORGANIZATION.items() if name not in fired[whose]}
    crown.close()


SIGN_IN = {
    "root-signed-in",
    "root-sign-in-failed",
    "root-password-changed",
    "root-password-recovery-requested",
    "root-password-recovered",
    "root-mfa-reported-lost",
    "root-mfa-recovery-opened",
    "root-mfa-recovery-confirmed",
    "root-mfa-recovered",
    "root-recovery-confirmed-by-operator",
    "root-custodian-set",
    "root-custodian-removed",
    "root-recovery-code-used",
    "root-recovery-codes-created",
    "root-email-changed",
    "root-mfa-added",
}
"""Rules about root's sign-in and recovery, each of which one story brings about."""


def test_each_built_in_rule_about_sign_in_and_recovery_fires_in_one_story(crowns: Crowns, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recovery, "ANSWERED_AFTER_SECONDS", 0.0)
    crown = crowns.fresh("sqlite")
    account, browser, _ = root_with_app(crown)
    office = Office(crown, account)
    codes = made_codes(browser)
    enter_by_recovery_code(crown, account, codes[0])
    sign_in_root(Browser(crown), account, "a wrong Horse 1")
    # The address is changed, and from then on recovery goes to the new one.
    start(browser, f"new-{account.id}@acme.example")
    give(browser, code_sent(crown, f"new-{account.id}@acme.example"))
    account.email = f"new-{account.id}@acme.example"
    choose(Browser(crown), asked_link(crown, account), PASSWORD)
    # The devices are lost twice: a custodian confirms once, the operator once.
    for confirm in (by_custodian, by_operator):
        crown.operator("PUT", f"/accounts/{account.id}/root/custodian", {"email": "custodian@acme.example"})
        report_lost(crown, account)
        link = mailed_link(account, LOST)
        opener, shown = opened(crown, link)
        confirm(crown, account, shown)
        complete(opener, link)
        crown.operator("DELETE", f"/accounts/{account.id}/root/custodian")
        again = Browser(crown)
        sign_in_root(again, account)
        enrol_app(again, "new-phone")

    assert set() == SIGN_IN - office.alerted()
    crown.close()


def by_custodian(crown: Crown, account: Account, shown: str) -> None:
    second = Browser(crown)
    second.get(link_in(Mailbox(crown, "custodian@acme.example").wait("Confirm the recovery")))
    second.submit({"code": shown})


def by_operator(crown: Crown, account: Account, shown: str) -> None:
    crown.operator("POST", f"/accounts/{account.id}/root/confirm-recovery", {"code": shown})


def enter_by_recovery_code(crown: Crown, account: Account, given: str) -> None:
    browser = Browser(crown)
    sign_in_root(browser, account)
    browser.submit({"recovery": given}, form="Recovery code")
