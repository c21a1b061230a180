"""The pages of custody and recoverability: what is so is shown, to whoever may see it, and never as markup of a stranger's."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tests.console.members import ADMINISTRATOR, MARKUP, NOTHING, member
from tests.fixtures import custody
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown

from crownkeep.storage.approvals import approver_keys, seals

CUSTODY = "/console/custody"
RECOVERABILITY = "/console/recoverability"
RULE = {"Name": "users-made", "Pattern": '{ $.eventName = "CreateUser" }'}


@pytest.fixture
def account(crown: Crown) -> Account:
    return crown.account()


def ask(account: Account, reason: str) -> str:
    asking = account.client("approvals")
    asked = asking.request_approval(Action="alerts:PutAlertRule", Parameters=json.dumps(RULE), Reason=reason)
    return str(asked["Request"]["RequestId"])


def text(browser: Browser, path: str) -> str:
    response = browser.get(path).response
    assert 200 == response.status, (path, response.text)
    return response.text


def test_a_sealed_account_shows_its_seal_and_who_can_approve(crown: Crown, account: Account) -> None:
    team = custody.seat(crown, account.id)
    team.seal(what=["root-sign-in", "alerts"])
    team.change(lambda db: seals.change(db, account.id, review_is_due=True, last_used_at=datetime.now(UTC)))
    team.change(lambda db: approver_keys.remove_all(db, team.people[2].identity))
    browser = member(account, arn=ADMINISTRATOR)

    shown, home = text(browser, CUSTODY), text(browser, "/console")

    for part in ("Sign-in as root", "Changing alert rules", "review of root", "Has no key", "nobody may be missing"):
        assert part.lower() in shown.lower(), part
    assert "Closing the account" not in shown
    assert "Root is sealed" in home
    assert "waits for a custodian" in home


def test_a_team_is_asked_for_groups_and_a_delay_on_a_form_that_shows_what_is_in_force(crown: Crown, account: Account) -> None:
    team, browser = custody.seat(crown, account.id), member(account, arn=ADMINISTRATOR)
    ann, bob, cid = (each.approver_id for each in team.people)
    path = f"{CUSTODY}/rules?team={team.arn}"
    browser.get(path)
    wanted = {f"of-{ann}": "1", f"of-{bob}": "1", f"of-{cid}": "2", "name-1": "Passwords", "name-2": "Keys", "alone": "24"}
    nonsense = browser.submit({**wanted, "least-2": "2"}, form="Ask the team")
    browser.get(path)
    listed = browser.submit({**wanted, "reason": "dual control"}, form="Ask the team")
    request_id = account.client("approvals").list_requests()["Requests"][0]["RequestId"]
    for person in (team.people[0], team.people[2]):
        team.approve(person, request_id)

    shown, again = text(browser, CUSTODY), text(browser, path)

    assert "would have 1 people" in nonsense.text
    assert "dual control" in listed.text
    assert "Of the group Keys, 1 must approve: cid." in shown
    assert "go on alone after 24 hours" in shown
    assert '<option value="1" selected>Passwords</option>' in again
    assert "There is no such team" in text(browser, f"{CUSTODY}/rules?team=arn:none")


def test_an_account_that_is_not_sealed_is_told_how_it_could_be(account: Account) -> None:
    browser = member(account, arn=ADMINISTRATOR)

    assert f"crownkeep seal {account.id} --team ARN" in text(browser, CUSTODY)
    assert "Not sealed" in text(browser, "/console")
    assert "No tokens are registered" in text(browser, f"{CUSTODY}/tokens")


def test_the_ceremony_is_a_timeline_with_what_was_done_by_it(crown: Crown, account: Account) -> None:
    team = custody.seat(crown, account.id)
    team.seal(what=["alerts"])
    request_id, other = ask(account, "watch users"), ask(account, MARKUP)
    for person in team.people[:2]:
        team.approve(person, request_id)
    account.client("alerts").put_alert_rule(**RULE)
    browser = member(account, arn=ADMINISTRATOR)

    listed = text(browser, f"{CUSTODY}/requests")
    done = text(browser, f"{CUSTODY}/requests/one?id={request_id}")
    waiting = text(browser, f"{CUSTODY}/requests/one?id={other}")

    assert ("Open" in listed, "Past" in listed, MARKUP in listed) == (True, True, False)
    order = [
        done.index(f"<b>{each}") for each in ("Asked", "Custodians were told", "ann approved", "bob approved", "Approved", "Used")
    ]
    assert sorted(order) == order
    assert ">PutAlertRule</a>" in done
    assert "Nothing was done by it" in waiting
    assert "0 of 2 approvals" in waiting
    assert MARKUP not in waiting


def test_a_request_of_another_account_is_not_there(crown: Crown, account: Account) -> None:
    other = crown.account()
    custody.seat(crown, other.id).seal(what=["alerts"])
    request_id = ask(other, "theirs")

    assert 404 == member(account, arn=ADMINISTRATOR).get(f"{CUSTODY}/requests/one?id={request_id}").response.status


def test_recoverability_is_a_picture_with_its_figures_beside_it(crown: Crown, account: Account) -> None:
    team = custody.seat(crown, account.id)
    team.seal()
    browser = member(account, arn=ADMINISTRATOR)

    shown = text(browser, RECOVERABILITY)

    assert 'role="img" aria-labelledby="picture-title picture-text"' in shown
    assert 3 == shown.count('class="custodian able"')
    assert "2 of 3 needed, 1 may be missing" in shown
    assert "If 2 custodians are missing, the team can approve nothing" in shown
    assert "Never rehearsed" in shown
    assert f"root-{account.id}" not in shown


def test_whoever_may_see_nothing_sees_nothing_of_custody(crown: Crown, account: Account) -> None:
    team = custody.seat(crown, account.id)
    team.seal(what=["alerts"])
    request_id = ask(account, "a secret reason")
    browser = member(account, policy=NOTHING)

    for path in (CUSTODY, f"{CUSTODY}/requests", f"{CUSTODY}/requests/one?id={request_id}", f"{CUSTODY}/tokens", RECOVERABILITY):
        shown = browser.get(path).response.text

        assert "which you don't have here" in shown.replace("&#39;", "'"), path
        assert "a secret reason" not in shown
        assert team.team_id not in shown
