"""Invitations in-process: a link, a key, an acceptance; and everybody who should get nowhere with them."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from fido2.utils import websafe_decode
from tests.alerts.office import Mailbox, link_in
from tests.credentials.soft_authenticator import SoftAuthenticator
from tests.fixtures.browsing import Browser, Page
from tests.fixtures.crown import Account, Crown
from tests.fixtures.single_sign_on import SingleSignOn
from tests.services.iam.asking import refusal
from tests.services.mpa.test_teams import custodians, wanted

INVALID = "This link is not valid"


class Invited:
    """Somebody with a mailbox, a browser and a security key of their own."""

    def __init__(self, crown: Crown, person: dict[str, Any], **key: Any) -> None:
        self.crown = crown
        self.person = person
        self.browser = Browser(crown)
        self.key = SoftAuthenticator(rp_id="localhost", origin=crown.settings.url.replace("127.0.0.1", "localhost"), **key)
        self.key.credential_id = os.urandom(16)

    def link(self) -> str:
        """Return the path of the link that came last."""
        mailbox = Mailbox(self.crown, self.person["email"])
        return link_in(mailbox.wait("You are asked to be an approver"))

    def enrol(self, link: str) -> Page:
        """Open a link and enrol the key."""
        self.browser.get(link)
        if "Enrol a security key" not in self.browser.page.response.text:
            return self.browser.page
        answer = self.key.register(self.challenge())
        return self.browser.submit({"credential": json.dumps(answer)}, form="Enrol a security key")

    def accept(self, link: str) -> Page:
        """Open a link and accept by the key."""
        self.browser.get(link)
        if "Accept with your key" not in self.browser.page.response.text:
            return self.browser.page
        self.key.counter += 1
        answer = self.key.authenticate(self.challenge())
        return self.browser.submit({"credential": json.dumps(answer)}, form="Accept with your key")

    def join(self) -> str:
        """Follow the link to its end, and return it."""
        link = self.link()
        self.enrol(link)
        assert "You are an approver" in self.accept(link).text
        return link

    def decide(self, request_id: str, decision: str) -> Page:
        """Show the key at the page of custodians, and decide on a request there by the key."""
        self.browser.get(f"/approvals?request={request_id}")
        self.prove()
        button = {"approve": "Approve with", "refuse": "Refuse with", "review": "Sign off"}[decision]
        return self.browser.submit({"credential": self._signed(button)}, form=button)

    def prove(self) -> Page:
        """Show the key at the page that is open."""
        return self.browser.submit({"credential": self._signed("Use your security key")}, form="Use your security key")

    def _signed(self, button: str) -> str:
        self.key.counter += 1
        return json.dumps(self.key.authenticate(self.challenge(button)))

    def challenge(self, button: str = "") -> bytes:
        from html import unescape

        accepts = "with your key" if "Accept with" in self.browser.page.response.text else "Enrol"
        attributes, _ = self.browser.page.form(button or accepts)
        options = json.loads(unescape(attributes.partition('data-options="')[2].partition('"')[0]))
        return websafe_decode(options["challenge"])


def invited(account: Account, crown: Crown) -> tuple[str, list[Invited]]:
    """Make a team of three and return its ARN and those who are invited."""
    people = custodians(crown)
    arn = account.client("mpa").create_approval_team(**wanted(account, people))["Arn"]
    return arn, [Invited(crown, each) for each in people]


def test_a_team_is_active_once_everybody_has_accepted_with_a_key_of_their_own(account: Account, crown: Crown):
    arn, people = invited(account, crown)
    mpa = account.client("mpa")

    standing = []
    for each in people:
        each.join()
        standing.append(mpa.get_approval_team(Arn=arn)["Status"])

    found = mpa.get_approval_team(Arn=arn)
    assert ["PENDING", "PENDING", "ACTIVE"] == standing
    assert {"ACCEPTED"} == {each["PrimaryIdentityStatus"] for each in found["Approvers"]}
    assert {"RESPONDED_TO_INVITATION"} == {each["LastActivity"] for each in found["Approvers"]}
    assert [1, 1, 1] == [len(each["MfaMethods"]) for each in found["Approvers"]]
    done = {record["eventName"] for record in account.records() if record["eventSource"] == "approvals.crownkeep"}
    assert {"GetInvitation", "EnrolKey", "AcceptInvitation"} <= done


def test_a_replayed_link_or_a_strangers_link_opens_nothing(account: Account, crown: Crown):
    _, (carol, _, _) = invited(account, crown)
    link = carol.join()
    stranger = Browser(crown)

    assert INVALID in stranger.get(link).text
    assert INVALID in stranger.get(f"{link.partition('=')[0]}={'A' * 43}").text


def test_a_key_enrolled_without_user_verification_is_refused(account: Account, crown: Crown):
    _, people = invited(account, crown)
    carol = Invited(crown, people[0].person, flags=0x01)

    page = carol.enrol(carol.link())

    assert "The key was not accepted" in page.text
    assert "Enrol a security key" in page.response.text


def test_the_same_key_enrolled_for_two_approvers_is_refused(account: Account, crown: Crown):
    _, (carol, dan, _) = invited(account, crown)
    carol.enrol(carol.link())
    dan.key.credential_id = carol.key.credential_id

    assert "somebody" in dan.enrol(dan.link()).text


def test_two_people_who_share_one_device_are_told_by_the_device(account: Account, crown: Crown):
    _, (carol, dan, _) = invited(account, crown)
    carol.enrol(carol.link())

    from fido2.utils import websafe_encode

    assert websafe_encode(carol.key.credential_id) in dan.browser.get(dan.link()).response.text


def test_whoever_reads_the_mail_of_somebody_with_a_key_can_not_accept(account: Account, crown: Crown):
    arn, (carol, _, _) = invited(account, crown)
    link = carol.link()
    carol.enrol(link)
    thief = Invited(crown, carol.person)

    assert "The key was not accepted" in thief.accept(link).text
    assert "PENDING" == account.client("mpa").get_approval_team(Arn=arn)["Status"]


def test_one_refusal_ends_the_invitations_of_all(account: Account, crown: Crown):
    arn, (carol, dan, _) = invited(account, crown)
    link = dan.link()
    carol.browser.get(carol.link())

    assert "You have refused" in carol.browser.submit(form="Refuse").text
    found = account.client("mpa").get_approval_team(Arn=arn)
    assert ("INACTIVE", "FAILED_ACTIVATION") == (found["Status"], found["StatusCode"])
    assert INVALID in dan.browser.get(link).text


def test_a_removed_custodians_key_and_link_are_worth_nothing(account: Account, crown: Crown):
    arn, (carol, _, _) = invited(account, crown)
    link = carol.link()
    carol.enrol(link)

    assert 204 == crown.operator("DELETE", f"/custodians/{carol.person['custodian_id']}").status

    assert INVALID in carol.accept(link).text
    statuses = {each["PrimaryIdentityStatus"] for each in account.client("mpa").get_approval_team(Arn=arn)["Approvers"]}
    assert {"PENDING", "INVALID"} == statuses


@pytest.mark.parametrize("goes", ["person", "instance"])
def test_a_person_of_single_sign_on_who_is_gone_is_no_approver(crown: Crown, goes: str):
    sso = SingleSignOn(crown)
    mpa, address = sso.management.client("mpa"), f"eve-{sso.management.id}@acme.example"
    user = sso.user("eve", Emails=[{"Value": address}])
    source = mpa.create_identity_source(
        IdentitySourceParameters={"IamIdentityCenter": {"InstanceArn": sso.arn, "Region": "us-east-1"}}
    )["IdentitySourceArn"]
    wished = wanted(sso.management, custodians(crown, 2))
    wished["Approvers"].append({"PrimaryIdentityId": user, "PrimaryIdentitySourceArn": source})
    arn = mpa.create_approval_team(**wished)["Arn"]
    eve = Invited(crown, {"email": address})
    eve.join()

    if goes == "person":
        sso.people.delete_user(**sso.store, UserId=user)
    else:
        sso.management.client("sso-admin").delete_instance(InstanceArn=sso.arn)

    found = {each["PrimaryIdentityId"]: each for each in mpa.get_approval_team(Arn=arn)["Approvers"]}
    assert ("INVALID", []) == (found[user]["PrimaryIdentityStatus"], found[user]["MfaMethods"])


def test_changing_a_team_without_its_approval_changes_nothing(account: Account, crown: Crown):
    arn, people = invited(account, crown)
    for each in people:
        each.join()
    mpa = account.client("mpa")

    mpa.update_approval_team(Arn=arn, ApprovalStrategy={"MofN": {"MinApprovalsRequired": 3}}, Description="Stricter.")
    found = mpa.get_approval_team(Arn=arn)

    assert ("ACTIVE", {"MofN": {"MinApprovalsRequired": 2}}) == (found["Status"], found["ApprovalStrategy"])
    assert "UPDATE_PENDING_APPROVAL" == found["PendingUpdate"]["StatusCode"]
    session = mpa.get_session(SessionArn=found["UpdateSessionArn"])
    assert ("PENDING", "mpa:UpdateApprovalTeam") == (session["Status"], session["ActionName"])
    assert ["NO_RESPONSE"] * 3 == [each["Response"] for each in session["ApproverResponses"]]
    assert "ConflictException" in refusal(mpa.start_active_approval_team_deletion, Arn=arn)
    eve = account.user("eve", arn="arn:aws:iam::aws:policy/AdministratorAccess").client("mpa")
    assert "AccessDenied" in refusal(eve.cancel_session, SessionArn=found["UpdateSessionArn"])
    mpa.cancel_session(SessionArn=found["UpdateSessionArn"])
    assert "UPDATE_FAILED_APPROVAL" == mpa.get_approval_team(Arn=arn)["PendingUpdate"]["StatusCode"]
    rehearsal = mpa.start_approval_team_baseline(Arn=arn)["BaselineSessionArn"]
    listed = mpa.list_sessions(
        ApprovalTeamArn=arn, Filters=[{"FieldName": "SessionStatus", "Operator": "EQ", "Value": "PENDING"}]
    )["Sessions"]
    assert [rehearsal] == [each["SessionArn"] for each in listed]
    assert {rehearsal} == {each["PendingBaselineSessionArn"] for each in mpa.get_approval_team(Arn=arn)["Approvers"]}


@pytest.mark.parametrize("operation", ["AcceptInvitation", "RefuseInvitation"])
def test_nobody_answers_an_invitation_by_the_wire_without_its_link(crown: Crown, operation: str):
    body = {"InvitationToken": "A" * 43, "Ceremony": "A", "Assertion": "{}"}
    headers = {"X-Amz-Target": f"CrownkeepApprovals.{operation}", "Content-Type": "application/x-amz-json-1.1"}

    answer = crown.request("POST", crown.settings.url, headers=headers, body=json.dumps(body).encode())

    assert (400, 403)[answer.status == 403] == answer.status
    assert "AccessDenied" in answer.text
