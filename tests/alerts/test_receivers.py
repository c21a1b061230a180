"""Receivers, rules and silences: what accounts may set, and that root can't silence what is said about root by any door."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.alerts.listening import SyslogReceiver, wait_until
from tests.alerts.office import Mailbox, text_of
from tests.alerts.test_webhooks import INSIDE, add, history
from tests.fixtures.crown import Account, Crown

from crownkeep import clock
from crownkeep.alerts import account_rules, built_in

PROTECTED = sorted(name for name, rule in built_in.RULES.items() if rule.is_protected)


def refusal(work: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        work(**parameters)
    return str(refused.value.response["Error"]["Code"])


def tomorrow() -> Any:
    return clock.now() + timedelta(days=1)


def test_root_can_silence_no_protected_rule(account: Account):
    client = account.root("alerts")

    answer = {refusal(client.silence_alert_rule, Name=name, Reason="x", EndsAt=tomorrow()) for name in PROTECTED}
    taken = {refusal(client.put_alert_rule, Name=name, Pattern="{ $.a = b }") for name in PROTECTED}
    removed = {refusal(client.delete_alert_rule, Name=name) for name in PROTECTED}

    assert ({"AccessDeniedException"}, {"ConflictException"}, {"ConflictException"}) == (answer, taken, removed)


def test_root_can_not_remove_what_the_operator_has_added(account: Account):
    soc = f"soc-{account.id}@acme.example"
    made = add(account.crown, account, soc, "mail")
    client = account.root("alerts")

    assert "AccessDeniedException" == refusal(client.delete_alert_receiver, ReceiverId=made["id"])
    assert "AccessDeniedException" == refusal(client.rotate_alert_receiver_secret, ReceiverId=made["id"])
    account.root("iam").create_access_key()

    assert Mailbox(account.crown, soc).wait("The root user got an access key")


def test_a_contact_that_root_takes_away_and_who_stays_hear_of_it(account: Account):
    security = f"security-{account.id}@acme.example"
    root = account.root("account")
    root.put_alternate_contact(
        AlternateContactType="SECURITY", Name="S", Title="O", EmailAddress=security, PhoneNumber="+1 555 0100"
    )

    root.delete_alternate_contact(AlternateContactType="SECURITY")

    assert Mailbox(account.crown, security).wait("You are no longer the security contact")
    assert Mailbox(account.crown, account.email).wait("An alternate contact of the account was deleted")


def test_the_operator_can_switch_a_protected_rule_off_and_root_hears_of_that(account: Account):
    path = f"/accounts/{account.id}/alerts/rules/root-access-key-created"
    mailbox = Mailbox(account.crown, account.email)

    assert 204 == account.crown.operator("POST", f"{path}/off", {"reason": "a drill"}).status
    assert mailbox.wait("The operator switched an alert off")
    account.root("iam").create_access_key()
    assert "AccessDeniedException" == refusal(account.root("alerts").end_alert_silence, Name="root-access-key-created")

    assert not any("got an access key" in subject for subject in mailbox.subjects())
    assert 204 == account.crown.operator("POST", f"{path}/on", {}).status


def test_a_receiver_that_an_account_adds_hears_nothing_before_its_code_came_back(account: Account):
    address = f"team-{account.id}@acme.example"
    client, mailbox = account.client("alerts"), Mailbox(account.crown, address)
    made = client.create_alert_receiver(Channel="mail", Target=address)["Receiver"]
    code = re.search(r"^  ([A-Z2-7]{8})$", text_of(mailbox.wait("Confirm that you want alerts")), re.MULTILINE)
    assert code is not None
    account.root("iam").create_access_key()
    assert 1 == len(mailbox.subjects())

    assert "ValidationException" == refusal(client.confirm_alert_receiver, ReceiverId=made["ReceiverId"], Code="WRONG222")
    client.confirm_alert_receiver(ReceiverId=made["ReceiverId"], Code=code[1])
    key = account.created["root"]["access_key_id"]
    account.root("iam").update_access_key(AccessKeyId=key, Status="Active")

    assert mailbox.wait("An access key of the root user was changed")


def test_a_code_can_not_be_guessed(account: Account):
    client = account.client("alerts")
    made = client.create_alert_receiver(Channel="mail", Target="victim@acme.example")["Receiver"]

    answer = [refusal(client.confirm_alert_receiver, ReceiverId=made["ReceiverId"], Code="AAAAAAAA") for _ in range(6)]

    assert ["ValidationException"] * 5 + ["ConflictException"] == answer


def test_strangers_can_not_be_mailed_codes_without_end(account: Account):
    client = account.client("alerts")

    def once() -> str:
        try:
            made = client.create_alert_receiver(Channel="mail", Target="victim@acme.example")["Receiver"]
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        client.delete_alert_receiver(ReceiverId=made["ReceiverId"])
        return "made"

    assert ["made"] * 10 + ["TooManyRequestsException"] == [once() for _ in range(11)]


@pytest.mark.parametrize("target", ["http://127.0.0.1/", "https://169.254.169.254/", "https://[::ffff:10.0.0.1]/"])
def test_an_account_can_not_add_a_receiver_inside(account: Account, target: str):
    assert "ValidationException" == refusal(account.root("alerts").create_alert_receiver, Channel="webhook", Target=target)


def test_a_rule_of_an_account_fires_from_the_next_record_on_and_is_tried_out_on_those_before(account: Account):
    client, iam = account.client("alerts"), account.client("iam")
    iam.create_user(UserName="before")
    pattern = '{ $.eventName = CreateUser && $.requestParameters.userName = "*" }'

    tried = client.test_alert_rule(Pattern=pattern)
    client.put_alert_rule(Name="new-user", Pattern=pattern, Severity="critical")
    iam.create_user(UserName="after")

    assert (1, "CreateUser") == (tried["Matched"], tried["Examples"][0]["EventName"])
    assert Mailbox(account.crown, account.email).wait("Your rule new-user fired")


def test_a_rule_that_can_not_be_evaluated_is_refused_when_it_is_saved(account: Account):
    with pytest.raises(ClientError, match="character 9: a value is expected here"):
        account.client("alerts").put_alert_rule(Name="broken", Pattern="{ $.a = }")


def test_at_most_five_rules_have_regular_expressions(account: Account):
    client = account.client("alerts")
    for number in range(account_rules.MOST_WITH_EXPRESSIONS):
        client.put_alert_rule(Name=f"r{number}", Pattern="{ $.a = %x+% }")

    assert "ConflictException" == refusal(client.put_alert_rule, Name="more", Pattern="{ $.a = %x+% }")


def test_a_silence_of_a_rule_that_is_not_protected_ends_by_itself(account: Account):
    client = account.client("alerts")
    client.silence_alert_rule(Name="administrator-added", Reason="migration", EndsAt=tomorrow())
    account.user("bob", arn="arn:aws:iam::aws:policy/AdministratorAccess")

    assert not any("administrator" in subject for subject in Mailbox(account.crown, account.email).subjects())
    too_long = clock.now() + timedelta(days=31)
    assert "ValidationException" == refusal(client.silence_alert_rule, Name="mfa-removed", Reason="x", EndsAt=too_long)


def test_an_account_can_not_end_what_the_operator_switched_off_by_a_silence_of_its_own_in_its_place(account: Account):
    client, path = account.client("alerts"), f"/accounts/{account.id}/alerts/rules/mfa-removed"
    assert 204 == account.crown.operator("POST", f"{path}/off", {"reason": "a migration"}).status

    silenced = refusal(client.silence_alert_rule, Name="mfa-removed", Reason="x", EndsAt=tomorrow())
    ended = refusal(client.end_alert_silence, Name="mfa-removed")

    assert ("AccessDeniedException", "AccessDeniedException") == (silenced, ended)
    [rule] = [each for each in client.list_alert_rules()["Rules"] if each["Name"] == "mfa-removed"]
    assert ("operator", "a migration") == (rule["SilencedBy"], rule["SilencedBecause"])


def test_many_refusals_of_one_caller_are_told(account: Account):
    bob = account.user("bob").client("iam")
    for _ in range(20):
        assert "AccessDenied" == refusal(bob.list_users)

    assert Mailbox(account.crown, account.email).wait("Many requests of one caller were refused")


def test_one_account_sees_and_changes_nothing_of_another_s_alerts(crown: Crown):
    mine, other = crown.account(), crown.account()
    made = add(crown, other, "soc@acme.example", "mail")
    client = mine.root("alerts")

    assert [] == client.list_alert_receivers()["Receivers"]
    assert "ResourceNotFoundException" == refusal(client.test_alert_receiver, ReceiverId=made["id"])
    assert "ResourceNotFoundException" == refusal(client.delete_alert_receiver, ReceiverId=made["id"])
    assert all(other.email != each["Recipient"] for each in client.list_alerts()["Alerts"])


@pytest.mark.usefixtures("trusted")
def test_an_alert_arrives_by_syslog_over_tls(fresh_crown: Callable[..., Crown], tls: ssl.SSLContext):
    crown, receiver = fresh_crown(alert_networks=INSIDE), SyslogReceiver(tls)
    account = crown.account()
    made = add(crown, account, f"localhost:{receiver.port}", "syslog", rules=["root-access-key-created"])

    account.root("iam").create_access_key()

    wait_until(lambda: bool(receiver.got))
    length, _, message = receiver.got[0].partition(b" ")
    assert int(length) == len(message)
    assert re.match(rb"<106>1 \S+Z localhost crownkeep - alert.root-access-key-created \[alert@32473 ", message)
    assert b"The root user got an access key" in message
    wait_until(lambda: ["sent"] == [each["state"] for each in history(crown, account, made["id"])])
    receiver.stop()


def test_the_record_of_a_new_receiver_holds_no_secret(account: Account):
    made = account.client("alerts").create_alert_receiver(
        Channel="webhook", Target="https://hook.acme.example/a-path-that-admits"
    )

    (record,) = [each for each in account.records() if each["eventName"] == "CreateAlertReceiver"]

    assert made["Secret"].startswith("whsec_")
    assert made["Secret"] not in json.dumps(record)
    assert "a-path-that-admits" not in json.dumps(record)
    assert "https://hook.acme.example/HIDDEN_DUE_TO_SECURITY_REASONS" == record["requestParameters"]["target"]


@pytest.mark.parametrize("target", ["http://hook.acme.example/a-path-that-admits", "https://127.0.0.1/a-path-that-admits-ü"])
def test_the_record_of_a_receiver_that_is_refused_holds_no_path(account: Account, target: str):
    client = account.client("alerts")

    with pytest.raises(ClientError) as refused:
        client.create_alert_receiver(Channel="webhook", Target=target)

    (record,) = [each for each in account.records() if each["eventName"] == "CreateAlertReceiver"]
    assert "ValidationException" == refused.value.response["Error"]["Code"]
    assert "a-path-that-admits" not in json.dumps(record)
