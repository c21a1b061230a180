"""Rules of a team beyond a number: groups that must each approve, and going on alone after a delay; the team decides on both."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from tests.fixtures import custody
from tests.fixtures.crown import Crown
from tests.services.approvals.test_sealed_acts import ACT, RULE, Story, refused

from crownkeep.credentials import approval_proofs
from crownkeep.storage.approvals import approver_keys

NAMES = ("ann", "bob", "cid", "dee")


@pytest.fixture
def story(crown: Crown) -> Story:
    return four(crown)


def four(crown: Crown) -> Story:
    story = Story.__new__(Story)
    story.account = crown.account()
    story.team = custody.seat(crown, story.account.id, names=NAMES)
    story.team.seal(what=["alerts"])
    story.alerts, story.asking = story.account.client("alerts"), story.account.client("approvals")
    story.ann, story.bob, story.cid = story.team.people[:3]
    return story


def update(story: Story, **rules: Any) -> str:
    return str(story.asking.update_team_rules(TeamArn=story.team.arn, **rules)["Request"]["RequestId"])


def group(name: str, *people: custody.Custodian, least: int = 1) -> dict[str, Any]:
    return {"Name": name, "MinApprovals": least, "Approvers": [each.approver_id for each in people]}


def shown(story: Story) -> Any:
    return next(each for each in story.asking.list_teams()["Teams"] if each["Arn"] == story.team.arn)


def halves(story: Story) -> list[dict[str, Any]]:
    ann, bob, cid, dee = story.team.people
    return [group("passwords", ann, bob), group("keys", cid, dee)]


def test_two_of_one_group_approve_nothing_and_one_of_each_do(story: Story) -> None:
    before = update(story, Groups=halves(story), Reason="dual control")
    untouched = shown(story).get("Groups")
    for person in (story.ann, story.bob):
        story.team.approve(person, before)
    request_id = story.ask()

    for person in (story.ann, story.bob):
        story.team.approve(person, request_id)

    assert untouched is None
    assert [("passwords", 1, ["ann", "bob"]), ("keys", 1, ["cid", "dee"])] == [
        (each["Name"], each["ApprovalsNeeded"], each["Approvers"]) for each in shown(story)["Groups"]
    ]
    assert "waiting" == story.state(request_id)
    assert story.is_refused()
    story.team.approve(story.cid, request_id)
    story.alerts.put_alert_rule(**RULE)
    proof = approval_proofs.read(story.asking.get_request(RequestId=request_id)["Proof"].encode())
    assert 3 == proof.quorum.least
    assert {"ann", "bob", "cid"} == {each.name for each in approval_proofs.verify(proof)}


def test_a_group_that_refuses_ends_a_request_that_others_would_approve(story: Story) -> None:
    change = update(story, Groups=halves(story))
    for person in (story.ann, story.cid):
        story.team.approve(person, change)
    request_id = story.ask()

    states = [story.team.refuse(person, request_id)["State"] for person in (story.team.people[2], story.team.people[3])]

    assert ["waiting", "refused"] == states


def test_the_former_rule_decides_on_a_weaker_one(story: Story) -> None:
    change = update(story, Groups=halves(story))
    for person in (story.ann, story.cid):
        story.team.approve(person, change)
    weaker = update(story, Groups=[])

    for person in (story.ann, story.bob):
        story.team.approve(person, weaker)
    still = shown(story).get("Groups")
    story.team.approve(story.cid, weaker)

    assert still is not None
    assert "Groups" not in shown(story)


def test_rules_that_make_no_sense_are_refused(story: Story) -> None:
    ann, bob, cid, _ = story.team.people
    wanted: dict[str, dict[str, Any]] = {
        "nobody is in two groups": {"Groups": [group("a", ann, bob), group("b", bob, cid)]},
        "would have 1 people": {"Groups": [group("a", ann, least=2)]},
        "the same name": {"Groups": [group("a", ann), group("a", bob)]},
        "is nobody in the team": {"Groups": [{"Name": "a", "MinApprovals": 1, "Approvers": ["f" * 32]}]},
        "24 to 48 hours": {"AloneAfterHours": 5},
        "say what to change": {},
    }

    for text, rules in wanted.items():
        assert text in refused(story.asking.update_team_rules, TeamArn=story.team.arn, **rules)
    other = story.team.crown.account().client("approvals")
    assert "no approval team" in refused(other.update_team_rules, TeamArn=story.team.arn, AloneAfterHours=24)


def test_awss_own_update_keeps_the_groups_and_the_delay_and_breaks_none(story: Story) -> None:
    change = update(story, Groups=halves(story), AloneAfterHours=24)
    for person in (story.ann, story.cid):
        story.team.approve(person, change)
    mpa = story.account.client("mpa")
    source = f"arn:aws:mpa:us-east-1:{story.account.id}:identity-source/custodians"
    staying = [{"PrimaryIdentityId": each.custodian_id, "PrimaryIdentitySourceArn": source} for each in story.team.people]

    answer = refused(mpa.update_approval_team, Arn=story.team.arn, Approvers=staying[:2] + staying[:1])
    fewer = refused(mpa.update_approval_team, Arn=story.team.arn, Approvers=[*staying[:2], _stranger(story, source)])
    mpa.update_approval_team(Arn=story.team.arn, Approvers=staying[1:])
    asked = mpa.get_approval_team(Arn=story.team.arn)["UpdateSessionArn"].rpartition("/")[2]
    for person in (story.ann, story.cid):
        story.team.approve(person, asked)

    assert "named twice" in answer
    assert "the group `keys` would have 0 people" in fewer
    found = shown(story)
    assert (["bob"], ["cid", "dee"], 24) == (*(each["Approvers"] for each in found["Groups"]), found["AloneAfterHours"])


def _stranger(story: Story, source: str) -> dict[str, str]:
    other = custody.seat(story.team.crown, story.account.id).people[0]
    return {"PrimaryIdentityId": other.custodian_id, "PrimaryIdentitySourceArn": source}


def test_alone_after_a_delay_that_the_team_has_approved_and_never_where_nobody_could_refuse(
    fresh_crown: Callable[..., Crown],
) -> None:
    story = four(fresh_crown())
    change = update(story, AloneAfterHours=24)
    for person in (story.ann, story.bob):
        story.team.approve(person, change)
    kept, lost = story.ask(), story.ask(Parameters=json.dumps({**RULE, "Name": "other"}))
    asked = story.asking.get_request(RequestId=kept)["Request"]

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
        story.alerts.put_alert_rule(**RULE)
        story.team.change(lambda db: [approver_keys.remove_all(db, each.identity) for each in story.team.people[:3]])
        assert "waiting" == story.state(lost)
        assert story.is_refused(Name="other")

    assert timedelta(hours=48) == asked["ExpiresAt"] - asked["AskedAt"]
    assert timedelta(hours=24) == asked["AloneFrom"] - asked["AskedAt"]
    used = next(each for each in story.account.records() if each["eventName"] == "ApprovalUsed")
    assert "delay" == used["serviceEventDetails"]["approvedBy"]


def test_the_operator_asks_a_team_for_rules_by_the_addresses_of_its_custodians(story: Story) -> None:
    crown = story.team.crown
    addresses = [f"{each.name}-{each.custodian_id[:8]}@test.example" for each in story.team.people]
    rules = {"team_arn": story.team.arn, "groups": [{"name": "keys", "min_approvals": 2, "approvers": addresses[2:]}]}

    asked = crown.operator("POST", "/approval-team-rules", rules)
    missing = crown.operator("POST", "/approval-team-rules", {**rules, "team_arn": story.team.arn[:-1] + "z"})
    for person in (story.ann, story.bob):
        story.team.approve(person, asked.json()["request_id"])

    assert (201, 404) == (asked.status, missing.status)
    listed: Any = crown.operator("GET", f"/accounts/{story.account.id}/approval-teams").json()["teams"]
    (found,) = next(each for each in listed if each["arn"] == story.team.arn)["groups"]
    assert {"name": "keys", "approvals_needed": 2, "approvers": ["cid", "dee"]}.items() <= found.items()
    assert ACT not in json.dumps(listed)
