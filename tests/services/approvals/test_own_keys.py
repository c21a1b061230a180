"""Keys of custodians after the first: another one, one that is lost, all that are lost, and invitations that are sent again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from tests.alerts.office import Mailbox, link_in
from tests.credentials.soft_authenticator import SoftAuthenticator
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown, Crowns
from tests.fixtures.custody import Custodian
from tests.services.approvals.test_invitations import Invited, invited
from tests.services.approvals.test_sealed_acts import Story, refused

from crownkeep import base64url
from crownkeep.storage.approvals import approver_keys


@pytest.fixture(scope="module")
def later_crown(crowns: Crowns) -> Iterator[Crown]:
    """A server of this module's own: its tests travel in time."""
    with closing(crowns.fresh("sqlite")) as crown:
        yield crown


@pytest.fixture
def story(later_crown: Crown) -> Story:
    return Story(later_crown)


def shown(story: Story, person: Custodian, *, purpose: str = "keys", device: SoftAuthenticator | None = None) -> dict[str, Any]:
    client = story.team.crown.session(None, "approvals")
    found = client.get_challenge(Purpose=purpose)
    assertion = json.dumps((device or person.device).authenticate(base64url.decode(found["Challenge"])))
    return dict(client.list_my_keys(Token=found["Token"], Assertion=assertion))


def new_device(story: Story) -> SoftAuthenticator:
    return SoftAuthenticator(story.ann.device.rp_id, story.ann.device.origin, credential_id=uuid4().bytes)


def add(story: Story, keys: dict[str, Any], device: SoftAuthenticator) -> Any:
    credential = device.register(base64url.decode(json.loads(keys["Options"])["challenge"]))
    client = story.team.crown.session(None, "approvals")
    return client.add_key(Ceremony=keys["Ceremony"], Credential=json.dumps(credential), Nickname="in the safe")["KeyId"]


def changes(story: Story) -> list[str]:
    records = [each for each in story.account.records() if each["eventName"] == "ApproverKeysChanged"]
    return [each["serviceEventDetails"]["change"] for each in records][::-1]


def address(person: Custodian) -> str:
    return f"{person.name}-{person.custodian_id[:8]}@test.example"


def test_a_second_key_decides_on_what_is_asked_after_it_and_on_nothing_from_before(story: Story) -> None:
    earlier, spare = story.ask(), new_device(story)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=2)):
        add(story, shown(story, story.ann), spare)
    approve = story.team.crown.session(None, "approvals").approve

    answer = story.team.answer(story.ann, earlier, device=spare)

    assert "enrolled after" in refused(approve, RequestId=earlier, Assertion=answer)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=4)):
        later = story.ask()
        approve(RequestId=later, Assertion=story.team.answer(story.ann, later, device=spare))
        again = story.team.answer(story.ann, later)
        assert "already" in refused(approve, RequestId=later, Assertion=again)
    assert ["in the safe"] == [each["Nickname"] for each in shown(story, story.ann)["Keys"] if not each["IsShown"]]
    assert ["added"] == changes(story)
    told = Mailbox(story.team.crown, address(story.ann)).wait("A security key was added")
    assert "call the other custodians" in told.get_body(("plain",)).get_content()


def test_a_lost_key_is_removed_by_the_other_one_and_the_last_one_stays(story: Story) -> None:
    spare, client = new_device(story), story.team.crown.session(None, "approvals")
    add(story, shown(story, story.ann), spare)
    found = shown(story, story.ann, device=spare)
    lost = next(each["KeyId"] for each in found["Keys"] if not each["IsShown"])
    kept = next(each["KeyId"] for each in found["Keys"] if each["IsShown"])

    client.remove_key(Ceremony=found["Ceremony"], KeyId=lost)

    assert "of no custodian" in refused_to_show(story, story.ann)
    assert "your last key" in refused(client.remove_key, Ceremony=found["Ceremony"], KeyId=kept)
    assert ["added", "removed"] == changes(story)


def refused_to_show(story: Story, person: Custodian, **options: Any) -> str:
    client = story.team.crown.session(None, "approvals")
    found = client.get_challenge(**{"Purpose": "keys", **options})
    assertion = json.dumps(person.device.authenticate(base64url.decode(found["Challenge"])))
    return refused(client.list_my_keys, Token=found["Token"], Assertion=assertion)


def test_nobody_adds_a_key_by_what_was_signed_for_something_else_too_late_or_by_a_key_that_is_gone(story: Story) -> None:
    client, keys = story.team.crown.session(None, "approvals"), shown(story, story.ann)
    of_bob = shown(story, story.bob)
    device = new_device(story)
    credential = json.dumps(device.register(base64url.decode(json.loads(keys["Options"])["challenge"])))

    assert "of no custodian" in refused_to_show(story, story.ann, Purpose="requests")
    swapped = refused(client.add_key, Ceremony=of_bob["Ceremony"], Credential=credential)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        late = refused(client.add_key, Ceremony=keys["Ceremony"], Credential=credential)
    story.team.change(lambda db: approver_keys.remove_all(db, story.ann.identity))
    gone = refused(client.add_key, Ceremony=keys["Ceremony"], Credential=credential)

    assert "not accepted" in swapped
    assert ("has expired", "has expired") == tuple("has expired" if "has expired" in each else each for each in (late, gone))
    assert "has expired" in refused(client.remove_key, Ceremony="AAAA", KeyId="f" * 32)
    assert [] == changes(story)


def test_an_operator_alone_gives_no_custodian_of_a_sealed_account_other_keys(story: Story) -> None:
    """Whoever operates the server and reads a custodian's mail would be that custodian: the team decides, whatever is sealed."""
    crown, wanted = story.team.crown, {"custodian_id": address(story.cid)}
    request_id, earlier = story.ask(), story.ask(Reason="from before")
    alone = crown.operator("POST", "/custodian-key-resets", wanted)
    for person in (story.ann, story.cid):
        story.team.approve(person, earlier)
    asked = crown.operator(
        "POST",
        f"/accounts/{story.account.id}/approval-requests",
        {"action": "operator:ResetCustodianKeys", "parameters": json.dumps(wanted), "reason": "cid lost the key"},
    ).json()["request_id"]
    for person in (story.ann, story.bob):
        story.team.approve(person, asked)

    done = crown.operator("POST", "/custodian-key-resets", wanted)
    link = link_in(Mailbox(crown, address(story.cid)).wait("Enrol a new security key"))
    cid = Invited(crown, {"email": address(story.cid)})
    fresh = cid.key
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=2)):
        enrolled = cid.enrol(link)

    assert (403, 200, 1) == (alone.status, done.status, done.json()["keys"])
    assert "is sealed (unseal)" in alone.text
    assert "void" == story.state(earlier)
    assert "The key is yours" in enrolled.text
    assert "This link is not valid" in cid.browser.get(link).text
    approve = crown.session(None, "approvals").approve
    answer = story.team.answer(story.cid, request_id, device=fresh)
    assert "enrolled after" in refused(approve, RequestId=request_id, Assertion=answer)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=4)):
        later = story.ask()
        assert (
            "waiting" == approve(RequestId=later, Assertion=story.team.answer(story.cid, later, device=fresh))["Request"]["State"]
        )
    assert ["reset", "added"] == changes(story)


def test_a_custodian_in_no_sealing_team_is_reset_by_the_operator_and_who_is_none_is_refused(
    crown: Crown, account: Account
) -> None:
    _, people = invited(account, crown)

    done = crown.operator("POST", "/custodian-key-resets", {"custodian_id": people[0].person["email"]})
    nobody = crown.operator("POST", "/custodian-key-resets", {"custodian_id": "person:d-0/none"})

    assert (200, 0, 404) == (done.status, done.json()["keys"], nobody.status)


def test_an_invitation_is_sent_again_and_the_link_before_is_void(crown: Crown, account: Account) -> None:
    arn, people = invited(account, crown)
    found = account.client("mpa").get_approval_team(Arn=arn)["Approvers"]
    approvers = {each["PrimaryIdentityId"]: each["ApproverId"] for each in found}
    mailbox, asking = Mailbox(crown, people[0].person["email"]), account.client("approvals")
    first = link_in(mailbox.wait("You are asked to be an approver"))
    wanted = {"TeamArn": arn, "ApproverId": approvers[people[0].person["custodian_id"]]}

    asking.resend_invitation(**wanted)
    second = link_in(mailbox.wait("You are asked to be an approver"))
    people[0].enrol(second)

    assert first != second
    assert "This link is not valid" in Browser(crown).get(first).text
    assert "You are an approver" in people[0].accept(second).text
    assert "nothing to send again" in refused(asking.resend_invitation, **wanted)
    assert "no approver" in refused(asking.resend_invitation, TeamArn=arn, ApproverId="f" * 32)
    other = crown.account().client("approvals")
    assert "no approval team" in refused(other.resend_invitation, **wanted)


def test_a_custodian_adds_and_removes_keys_on_the_pages(crown: Crown, account: Account) -> None:
    ann = invited(account, crown)[1][0]
    ann.enrol(ann.link())
    spare = SoftAuthenticator(ann.key.rp_id, ann.key.origin, credential_id=uuid4().bytes)

    ann.browser.get("/approvals/keys")
    listed = ann.prove()
    added = ann.browser.submit(
        {"credential": json.dumps(spare.register(ann.challenge("Add a security key"))), "nickname": "in the safe"},
        form="Add a security key",
    )
    ann.browser.get("/approvals/keys")
    both = ann.prove()
    removed = ann.browser.submit(form="Remove in the safe")
    ann.browser.get("/approvals/keys")
    again = ann.prove()
    expired = ann.browser.post(
        "/approvals/keys/remove", {**ann.browser.page.form("Add a security key")[1], "ceremony": "AAAA", "key": "0" * 32}
    )

    assert "the one that you have just shown" in listed.text
    assert ("The key is yours", "The key is removed") == (added.title, removed.title)
    assert "Remove in the safe" in both.text
    assert "Remove" not in again.text.replace("Removed", "")
    assert (403, "has expired") == (expired.status, "has expired" if "has expired" in expired.text else expired.text)
