"""The trail as an account sees it: proofs of its own records, how the trail stands, and events page by page."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown
from tests.fixtures.patience import until
from tests.services.iam.asking import allow
from tests.trail import logs

from crownkeep.audit import notes, tlog_policy
from crownkeep.trail import proving


def refusal(operation: Callable[..., Any], **parameters: Any) -> str:
    """Call and return the code that it is refused with, empty where it isn't."""
    try:
        operation(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def made_user(account: Account, name: str) -> dict[str, Any]:
    """Make a user and return the record of that, once it has its place in the trail."""
    account.client("iam").create_user(UserName=name)
    found = next(each for each in account.records() if each["eventName"] == "CreateUser" and name in str(each))
    until(lambda: refusal(account.client("trail").get_proof, EventId=found["eventID"]) == "")
    return found


def test_a_proof_of_an_own_record_is_checked_by_the_log_s_keys_alone(account: Account):
    record = made_user(account, "bob")
    client = account.client("trail")

    proof = client.get_proof(EventId=record["eventID"])["Proof"]

    trusted = tlog_policy.trusting([notes.read_key(key) for key in client.get_integrity()["Keys"]])
    assert record == json.loads(proving.check(proof.encode(), trusted).record)


def test_forgery_a_changed_byte_of_a_proof_is_found_or_in_a_signature_that_is_not_needed(account: Account):
    record = made_user(account, "bob")
    client = account.client("trail")
    proof = client.get_proof(EventId=record["eventID"])["Proof"].encode()
    trusted = tlog_policy.trusting([notes.read_key(key) for key in client.get_integrity()["Keys"]])
    signatures = proof.index("— ".encode())

    proven = proving.check(proof, trusted)
    # A third of the bytes before the signatures, and of these enough to meet names, ids and both kinds.
    for at in (*range(0, signatures, 3), *range(signatures, len(proof), 13)):
        try:
            answer = proving.check(proof[:at] + bytes([proof[at] ^ 1]) + proof[at + 1 :], trusted)
        except (proving.Unproven, notes.MalformedNote):
            continue
        # A signature of a name or an id that nobody knows is passed over (C2SP signed-note): the log's other one proves it.
        assert at >= signatures, (at, proof[at - 20 : at + 20])
        assert proven == answer


def test_a_proof_of_another_account_s_record_is_not_there(crown: Crown, account: Account):
    theirs = made_user(crown.account(), "bob")["eventID"]

    answer = refusal(account.client("trail").get_proof, EventId=theirs)

    assert "ResourceNotFoundException" == answer
    assert "ResourceNotFoundException" == refusal(account.client("trail").get_proof, EventId=theirs[:-1] + "0")
    assert "ValidationException" == refusal(account.client("trail").get_proof, EventId="-" * 36)


def test_how_the_trail_stands_is_what_was_signed(crown: Crown, account: Account):
    account.client("iam").list_users()
    head = logs.settled(crown)

    answer = account.client("trail").get_integrity()

    assert logs.vkeys(crown) == answer["Keys"]
    assert (head.origin, 0) == (answer["Origin"], answer["WithheldRecords"])
    assert answer["Checkpoint"]["Size"] >= head.size
    assert answer["TreeSize"] >= answer["Checkpoint"]["Size"]


def test_a_verification_is_told_of_once_the_operator_has_recorded_one(crown: Crown, account: Account):
    size = logs.settled(crown).size
    crown.operator("POST", "/trail/verifications", {"size": size, "findings": 2})
    found = account.client("trail").get_integrity()["LastVerification"]
    crown.operator("POST", "/trail/verifications", {"size": size, "findings": 0})
    sound = account.client("trail").get_integrity()["LastVerification"]
    too_large = crown.operator("POST", "/trail/verifications", {"size": size + 10**6, "findings": 0})

    assert (size, False, 2) == (found["Size"], found["IsAsItWas"], found["Findings"])
    assert (size, True, 0) == (sound["Size"], sound["IsAsItWas"], sound["Findings"])
    assert 400 == too_large.status


def test_records_that_the_operator_withheld_are_counted(crown: Crown, account: Account):
    record = made_user(account, "bob")
    body = {"event_id": record["eventID"], "reason": "a judge"}

    crown.operator("POST", f"/accounts/{account.id}/withhold-records", body)

    client = account.client("trail")
    assert 1 == client.get_integrity()["WithheldRecords"]
    assert "ResourceNotFoundException" == refusal(client.get_proof, EventId=record["eventID"])


def test_events_come_in_the_order_of_the_tree_and_go_on_behind_the_last_index(crown: Crown, account: Account):
    made_user(crown.account(), "theirs")
    made_user(account, "bob")
    client = account.client("trail")

    pages, after = [], -1
    # Each answer is an event, too: a page that isn't full is as near to the end as anybody gets.
    while not pages or len(pages[-1]["Events"]) == 2:
        pages.append(client.stream_events(After=after, MaxResults=2))
        after = pages[-1]["LastIndex"]

    found = [each for page in pages for each in page["Events"]]
    records = [json.loads(each["CloudTrailEvent"]) for each in found]
    assert sorted(each["Index"] for each in found) == [each["Index"] for each in found]
    assert {account.id} == {record["recipientAccountId"] for record in records}
    assert len(records) == len({record["eventID"] for record in records})
    assert {"CreateAccount", "CreateUser"} <= {record["eventName"] for record in records}


def test_without_an_index_events_begin_with_the_next_one(account: Account):
    made_user(account, "bob")

    answer = account.client("trail").stream_events()

    assert [] == answer["Events"]
    assert answer["LastIndex"] > 0
    assert "ValidationException" == refusal(account.client("trail").stream_events, After=10**9)


def test_whoever_has_a_purged_account_s_id_next_follows_none_of_its_events(crown: Crown):
    first = crown.account()
    event_id = made_user(first, "bob")["eventID"]
    crown.operator("DELETE", f"/accounts/{first.id}")
    second = crown.account(account_id=first.id)

    answer = second.client("trail").stream_events(After=-1)

    assert "bob" not in json.dumps(answer["Events"])
    assert "ResourceNotFoundException" == refusal(second.client("trail").get_proof, EventId=event_id)
    assert 0 == second.client("trail").get_integrity()["WithheldRecords"]


@pytest.mark.parametrize("action", ["GetIntegrity", "GetProof", "StreamEvents"])
def test_each_takes_its_own_permission_and_is_recorded_as_a_read(account: Account, action: str):
    carol = account.user("carol", policy=allow(f"trail:{action}")).client("trail")
    asked = {
        "GetIntegrity": lambda: refusal(carol.get_integrity),
        "GetProof": lambda: refusal(carol.get_proof, EventId="00000000-0000-0000-0000-000000000000"),
        "StreamEvents": lambda: refusal(carol.stream_events),
    }

    denied = {name for name, ask in asked.items() if "AccessDenied" in ask()}

    assert set(asked) - {action} == denied
    kept = {each["eventName"]: each for each in account.records() if each["eventSource"] == "trail.crownkeep"}
    assert dict.fromkeys(asked, True) == {name: record["readOnly"] for name, record in kept.items()}
