"""Silencing: by whatever door a rogue root tries to keep others from hearing, they hear of just that."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable

import pytest
from tests.alerts.listening import HttpReceiver
from tests.alerts.office import Mailbox, text_of
from tests.alerts.test_receivers import PROTECTED, refusal
from tests.alerts.test_webhooks import INSIDE, add
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization
from tests.fixtures.trails import logging_trail
from tests.signin.people import root_with_app

from crownkeep.alerts import delivery, outbound, receivers


def soc_of(account: Account) -> Mailbox:
    """Let the operator add a receiver to an account, and return its mailbox."""
    address = f"soc-{account.id}@watch.example"
    add(account.crown, account, address, "mail")
    return Mailbox(account.crown, address)


def test_root_can_silence_no_protected_rule_by_the_console(crown: Crown):
    account, browser, _ = root_with_app(crown)
    page = browser.get("/console/alerts")
    offered = set(re.findall(r'<label for="reason-([a-z-]+)">', page.response.text))

    refused = browser.submit({"name": "root-signed-in", "reason": "quiet", "days": "30"}, form='value="silence"')

    assert offered.isdisjoint(PROTECTED)
    assert 403 == refused.status
    rules = crown.operator("GET", f"/accounts/{account.id}/alerts/rules").json()["rules"]
    assert not any("silenced_by" in each for each in rules)


def test_the_link_of_an_alert_asks_strangers_to_sign_in_and_changes_nothing_by_itself(crown: Crown):
    account, browser, _ = root_with_app(crown)
    link = "/console/alerts/lock-down?event=0a0a0a0a-0000-0000-0000-000000000000"
    before = [each["eventName"] for each in account.records() if not each["readOnly"]]

    stranger, owner = Browser(crown).get(link), browser.get(link)

    assert "Was it not you?" not in stranger.text
    assert "Was it not you?" in owner.text
    assert before == [each["eventName"] for each in account.records() if not each["readOnly"]]


def test_a_rogue_root_that_changes_its_address_is_told_to_the_former_one_and_to_who_stays(crown: Crown):
    account, browser, _ = root_with_app(crown)
    former, new, soc = Mailbox(crown, account.email), f"rogue-{account.id}@acme.example", soc_of(account)

    browser.get("/console/email")
    browser.submit({"email": new}, form="Send a code")
    sent = str(Mailbox(crown, new).wait("Your code is")["Subject"]).rpartition(" ")[2]
    browser.submit({"code": sent}, form="Change the email address</button>")

    assert former.wait("This is no longer the e-mail address of a root user")
    assert soc.wait("The root user's e-mail address was changed")
    assert Mailbox(crown, new).wait("The root user's e-mail address was changed")


def test_a_rogue_root_that_stops_or_deletes_a_trail_is_told_and_rules_go_on_without(account: Account):
    made, soc = logging_trail(account), soc_of(account)
    root = account.root("cloudtrail")

    root.stop_logging(Name=made["TrailARN"])
    root.delete_trail(Name=made["TrailARN"])
    account.root("iam").create_access_key()

    events = [text_of(soc.wait("A trail of the account was stopped or deleted")) for _ in range(2)]
    assert ["StopLogging" in events[0], "DeleteTrail" in events[1]] == [True, True]
    assert soc.wait("The root user got an access key")


def test_a_rogue_root_that_closes_its_account_is_told(crown: Crown):
    account, browser, _ = root_with_app(crown)
    soc = soc_of(account)
    name = str(account.client("account").get_account_information()["AccountName"])

    browser.get("/console/account/close")
    browser.submit({"name": name}, form="Close the account")

    assert soc.wait("The account was closed")
    assert Mailbox(crown, account.email).wait("The account was closed")


def test_a_rogue_root_that_leaves_its_organization_is_told_to_who_managed_it(crown: Crown):
    organization = Organization(crown)
    member = organization.invited()
    soc = soc_of(organization.management)

    member.root("organizations").leave_organization()

    assert "AccountDepartedOrganization" in text_of(soc.wait("An account left the organization"))


def test_a_rogue_root_that_takes_all_places_for_receivers_leaves_the_operator_s(
    account: Account, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(receivers, "MOST", 1)
    client = account.root("alerts")
    client.create_alert_receiver(Channel="mail", Target="rogue@acme.example")

    assert "ConflictException" == refusal(client.create_alert_receiver, Channel="mail", Target="rogue2@acme.example")
    assert soc_of(account).wait("The recipients of the account's alerts were changed")


def test_a_receiver_that_a_rogue_root_lets_answer_slowly_holds_up_none_of_the_operator_s_and_gets_all_in_order(
    fresh_crown: Callable[..., Crown], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(delivery, "_LANES_OF_ACCOUNT", 1)
    monkeypatch.setattr(outbound, "SECONDS", 60.0)
    crown, until = fresh_crown(alert_networks=INSIDE), threading.Event()
    account, slow, other = crown.account(), HttpReceiver(), HttpReceiver()
    root, iam, key = account.root("alerts"), account.root("iam"), account.created["root"]["access_key_id"]
    made = root.create_alert_receiver(Channel="webhook", Target=slow.url)["Receiver"]
    code = json.loads(slow.wait()[0].body)["data"]["code"]
    root.confirm_alert_receiver(ReceiverId=made["ReceiverId"], Code=code)
    slow.hangs = until
    add(crown, account, other.url, rules=["root-access-key-changed"])

    for _ in range(3):
        iam.update_access_key(AccessKeyId=key, Status="Active")

    answer = [each.headers["webhook-id"] for each in other.wait(3)]
    assert 2 >= len(slow.got)
    until.set()
    slow.wait(5)
    heard = [each.headers["webhook-id"] for each in slow.got[1:]]
    assert (sorted(answer), sorted(heard)) == (answer, heard)
    for each in (slow, other):
        each.stop()
