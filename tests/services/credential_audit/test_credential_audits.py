"""Credential audits through boto3: what is found, who may decide, what proves a removal, and what can't be changed afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import update
from tests.fixtures.crown import Account, Crown

from crownkeep import models
from crownkeep.audit import credential_evidence
from crownkeep.storage.audits import audited_credentials
from crownkeep.storage.database import Database

PASSWORD = "correct Horse battery 9"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


class Audited:
    """An account with an open audit, a user with a key and a password, and two reviewers: its administrator and root."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.iam = account.client("iam")
        self.admin = account.client("credential-audit")
        self.root = account.root("credential-audit")
        self.bob = account.user("bob")
        self.iam.create_login_profile(UserName="bob", Password=PASSWORD)
        self.id: str = self.admin.start_credential_audit(Name="2026 Q4")["CredentialAudit"]["AuditId"]

    def credentials(self, **filters: Any) -> list[dict[str, Any]]:
        """Return the audit's credentials."""
        found: list[dict[str, Any]] = self.admin.list_audited_credentials(AuditId=self.id, **filters)["AuditedCredentials"]
        return found

    def id_of(self, user: str, kind: str) -> str:
        """Return the id of a user's credential, of root's for an empty name."""
        return next(
            str(each["CredentialId"]) for each in self.credentials() if each.get("UserName", "") == user and each["Kind"] == kind
        )

    def decide(self, client: Any, *ids: str, decision: str = "KEEP") -> Any:
        """Decide of credentials."""
        return client.decide_credentials(AuditId=self.id, CredentialIds=list(ids), Decision=decision, Reason="seen by its team")

    def keep_all(self) -> None:
        """Keep everything: the administrator what is others', root what is the administrator's."""
        own = self.id_of("admin", "ACCESS_KEY")
        self.decide(self.root, own)
        self.decide(self.admin, *(each["CredentialId"] for each in self.credentials() if each["CredentialId"] != own))

    def event(self, name: str) -> str:
        """Return the id of the latest event of this name."""
        return next(str(each["eventID"]) for each in self.account.records() if each["eventName"] == name)

    def sign_off(self) -> Any:
        """Sign the audit off as its administrator."""
        return self.admin.sign_off_credential_audit(AuditId=self.id, Statement="I have reviewed them.")["CredentialAudit"]


@pytest.fixture
def audited(account: Account) -> Audited:
    return Audited(account)


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def test_an_audit_begins_with_every_credential_of_root_and_of_every_user(audited: Audited):
    found = [(each.get("UserName", ""), each["Kind"]) for each in audited.credentials()]

    assert [("", "ACCESS_KEY"), ("admin", "ACCESS_KEY"), ("bob", "PASSWORD"), ("bob", "ACCESS_KEY")] == found


def test_a_second_audit_waits_for_the_first(audited: Audited):
    with pytest.raises(ClientError) as refused:
        audited.admin.start_credential_audit(Name="again")

    assert "ConflictException" == code(refused)


def test_a_decision_stands_in_the_name_of_whoever_made_it_and_leads_to_its_event(audited: Audited):
    audited.decide(audited.root, audited.id_of("bob", "ACCESS_KEY"))

    decided = audited.credentials(UserName="bob", State="KEPT")[0]
    assert f"arn:aws:iam::{audited.account.id}:root" == decided["DecidedBy"]
    assert audited.event("DecideCredentials") == decided["DecisionEventId"]


def test_a_reviewer_can_not_decide_or_sign_for_another_because_no_parameter_names_who_does():
    operations = models.service("credential-audit").operations.values()

    taken = {member for each in operations if each.input for member in each.input.members}

    assert {
        "AuditId",
        "Change",
        "CredentialId",
        "CredentialIds",
        "Decision",
        "EventId",
        "MaxResults",
        "Name",
        "NextToken",
        "Reason",
        "State",
        "Statement",
        "Status",
        "UserName",
    } == taken


def test_nobody_decides_of_credentials_of_their_own(audited: Audited):
    with pytest.raises(ClientError) as refused:
        audited.decide(audited.admin, audited.id_of("bob", "ACCESS_KEY"), audited.id_of("admin", "ACCESS_KEY"))

    assert "AccessDeniedException" == code(refused)
    assert 4 == len(audited.credentials(State="UNDECIDED"))


def test_nobody_decides_of_credentials_of_their_own_through_a_role(audited: Audited):
    trust = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}'
    role = audited.iam.create_role(RoleName="reviewer", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    audited.iam.attach_role_policy(RoleName="reviewer", PolicyArn=ADMINISTRATOR)
    session = audited.account.client("sts").assume_role(RoleArn=role, RoleSessionName="admin")["Credentials"]
    reviewer = audited.account.crown.session(session, "credential-audit")

    with pytest.raises(ClientError) as refused:
        audited.decide(reviewer, audited.id_of("admin", "ACCESS_KEY"))

    assert "AccessDeniedException" == code(refused)


def test_a_user_without_permission_is_told_which_one_is_missing(audited: Audited):
    with pytest.raises(ClientError) as refused:
        audited.bob.client("credential-audit").get_credential_audit(AuditId=audited.id)

    assert "AccessDeniedException" == code(refused)
    assert f"credential-audit:GetCredentialAudit on resource: arn:aws:credential-audit::{audited.account.id}:audit/" in str(
        refused.value
    )


def test_another_account_does_not_see_an_audit(audited: Audited, crown: Crown):
    with pytest.raises(ClientError) as refused:
        crown.account().client("credential-audit").get_credential_audit(AuditId=audited.id)

    assert "ResourceNotFoundException" == code(refused)


def test_a_removal_is_proved_by_the_event_of_the_call_that_made_it(audited: Audited):
    key = audited.id_of("bob", "ACCESS_KEY")
    audited.decide(audited.admin, key, decision="REMOVE")
    audited.iam.delete_access_key(UserName="bob", AccessKeyId=key.partition("/")[2])
    event = audited.event("DeleteAccessKey")

    removed = audited.admin.record_credential_removal(AuditId=audited.id, CredentialId=key, EventId=event)

    answer = removed["AuditedCredential"]
    assert ("REMOVED", "DeleteAccessKey", event) == (answer["State"], answer["RemovalName"], answer["RemovalEventId"])


@pytest.mark.parametrize("claimed", ["CreateAccessKey", "DeleteLoginProfile", "made up", "00000000-0000-7000-8000-000000000000"])
def test_a_removal_can_not_be_claimed_by_an_event_of_something_else(audited: Audited, claimed: str):
    key = audited.id_of("bob", "ACCESS_KEY")
    audited.decide(audited.admin, key, decision="REMOVE")
    audited.iam.delete_login_profile(UserName="bob")
    event = audited.event(claimed) if claimed[0].isupper() else claimed

    with pytest.raises(ClientError) as refused:
        audited.admin.record_credential_removal(AuditId=audited.id, CredentialId=key, EventId=event)

    assert "ConflictException" == code(refused)


def test_a_removal_that_was_refused_proves_nothing(audited: Audited):
    key = audited.id_of("bob", "ACCESS_KEY")
    audited.decide(audited.admin, key, decision="REMOVE")
    with pytest.raises(ClientError):
        audited.bob.client("iam").delete_access_key(UserName="bob", AccessKeyId=key.partition("/")[2])

    with pytest.raises(ClientError) as refused:
        audited.admin.record_credential_removal(AuditId=audited.id, CredentialId=key, EventId=audited.event("DeleteAccessKey"))

    assert "ConflictException" == code(refused)


def test_a_password_that_was_given_back_is_not_removed(audited: Audited):
    password = audited.id_of("bob", "PASSWORD")
    audited.decide(audited.admin, password, decision="REMOVE")
    audited.iam.delete_login_profile(UserName="bob")
    audited.iam.create_login_profile(UserName="bob", Password=PASSWORD)

    with pytest.raises(ClientError) as refused:
        audited.admin.record_credential_removal(
            AuditId=audited.id, CredentialId=password, EventId=audited.event("DeleteLoginProfile")
        )

    assert "is there again, and active" in str(refused.value)


def test_a_removal_that_was_undone_after_it_was_recorded_is_not_signed(audited: Audited):
    audited.keep_all()
    password = audited.id_of("bob", "PASSWORD")
    audited.decide(audited.admin, password, decision="REMOVE")
    audited.iam.delete_login_profile(UserName="bob")
    event_id = audited.event("DeleteLoginProfile")
    audited.admin.record_credential_removal(AuditId=audited.id, CredentialId=password, EventId=event_id)
    audited.iam.create_login_profile(UserName="bob", Password=PASSWORD)

    with pytest.raises(ClientError) as refused:
        audited.sign_off()
    audited.iam.delete_login_profile(UserName="bob")
    audited.sign_off()

    assert "is there again, and active" in str(refused.value)


def test_an_audit_is_not_signed_off_before_everything_is_decided_and_done(audited: Audited):
    with pytest.raises(ClientError) as undecided:
        audited.sign_off()
    audited.keep_all()
    audited.decide(audited.admin, audited.id_of("bob", "PASSWORD"), decision="REMOVE")

    with pytest.raises(ClientError) as not_done:
        audited.sign_off()

    assert "are undecided" in str(undecided.value)
    assert "are to be removed and were not" in str(not_done.value)


def test_the_evidence_of_a_signed_audit_is_what_the_trail_says_was_signed(audited: Audited):
    audited.keep_all()
    signed = audited.sign_off()

    document = audited.admin.get_credential_audit_evidence(AuditId=audited.id)["Document"].encode()

    claims = credential_evidence.read(document)
    records = {each["eventID"]: each for each in audited.account.records()}
    credential_evidence.hold(claims, started=records[claims.start_event_id], signed=records[claims.sign_off_event_id])
    assert (signed["EvidenceSha256"], 4) == (claims.sha256, claims.credentials)


def test_rows_that_were_altered_behind_the_server_s_back_are_not_handed_out_as_evidence(audited: Audited):
    audited.keep_all()
    audited.sign_off()
    database = Database(audited.account.crown.settings.database_url)
    with database.engine.begin() as connection:
        altered = update(audited_credentials.table).where(audited_credentials.table.c.audit_id == audited.id)
        connection.execute(altered.values(decided_by="arn:aws:iam::123456789012:user/mallory"))
    database.close()

    with pytest.raises(ClientError) as refused:
        audited.admin.get_credential_audit_evidence(AuditId=audited.id)

    assert "is not what was signed off" in str(refused.value)


def test_of_a_signed_audit_nothing_can_be_changed(audited: Audited):
    audited.keep_all()
    audited.sign_off()
    key = audited.id_of("bob", "ACCESS_KEY")

    refusals = []
    for change in (
        lambda: audited.decide(audited.admin, key, decision="REMOVE"),
        lambda: audited.admin.record_credential_removal(AuditId=audited.id, CredentialId=key, EventId="x"),
        lambda: audited.admin.cancel_credential_audit(AuditId=audited.id, Reason="again"),
        audited.sign_off,
    ):
        with pytest.raises(ClientError) as refused:
            change()
        refusals.append(code(refused))

    assert ["ConflictException"] * 4 == refusals


def test_the_next_audit_says_what_is_new_changed_and_gone_since_the_last_one_that_was_signed(audited: Audited):
    audited.keep_all()
    audited.sign_off()
    audited.iam.delete_login_profile(UserName="bob")
    key = audited.id_of("bob", "ACCESS_KEY").partition("/")[2]
    audited.iam.update_access_key(UserName="bob", AccessKeyId=key, Status="Inactive")
    audited.account.user("new")

    audited.id = audited.admin.start_credential_audit(Name="2027 Q1")["CredentialAudit"]["AuditId"]

    found = {(each.get("UserName", ""), each["Kind"]): each["Change"] for each in audited.credentials()}
    assert {
        ("", "ACCESS_KEY"): "UNCHANGED",
        ("admin", "ACCESS_KEY"): "UNCHANGED",
        ("bob", "ACCESS_KEY"): "CHANGED",
        ("new", "ACCESS_KEY"): "NEW",
        ("bob", "PASSWORD"): "GONE",
    } == found


def test_a_cancelled_audit_stays_on_record_and_lets_the_next_one_begin(audited: Audited):
    audited.admin.cancel_credential_audit(AuditId=audited.id, Reason="started by mistake")
    audited.admin.start_credential_audit(Name="2026 Q4, again")

    listed = audited.admin.list_credential_audits()["CredentialAudits"]

    assert ["OPEN", "CANCELLED"] == [each["Status"] for each in listed]
    assert [] == audited.admin.list_credential_audits(Status="SIGNED_OFF")["CredentialAudits"]


def test_a_user_is_found_whatever_the_letters_case_of_its_name(audited: Audited):
    found = audited.credentials(UserName="BOB", State="UNDECIDED")

    assert ["PASSWORD", "ACCESS_KEY"] == [each["Kind"] for each in found]


def test_lists_are_paged(audited: Audited):
    first = audited.admin.list_audited_credentials(AuditId=audited.id, MaxResults=3)

    second = audited.admin.list_audited_credentials(AuditId=audited.id, MaxResults=3, NextToken=first["NextToken"])

    assert (3, 1, False) == (len(first["AuditedCredentials"]), len(second["AuditedCredentials"]), "NextToken" in second)


def test_a_purged_account_leaves_no_audit_behind(audited: Audited):
    answer = audited.account.crown.operator("DELETE", f"/accounts/{audited.account.id}")
    again = audited.account.crown.account(account_id=audited.account.id)

    assert 204 == answer.status
    assert [] == again.client("credential-audit").list_credential_audits()["CredentialAudits"]
