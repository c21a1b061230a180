"""`make bench-alerts`: what looking for rules that fire costs one record, beside decoding the record.

The rules are the built-in ones, and a hundred of an account: the filters that CIS publishes, and others that each look for a text
of their own in whatever event. What is aimed at is 20 microseconds for a record.
Times are of computing, the best of several rounds; on a busy machine read the ratios.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from crownkeep import ids
from crownkeep.alerts import built_in, rule_set
from crownkeep.alerts.filters import compile_filter
from crownkeep.alerts.rule import AlertSeverity, ContactType, Rule
from crownkeep.alerts.rule_set import RuleSet
from crownkeep.storage.trail.events import EventRow

RULES = 100
AIM_MICROSECONDS = 20
_ROUNDS, _TIMES = 9, 3_000
_FILTERS = Path(__file__).parents[1] / "tests/alerts/cis_filters.json"
_NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
_RECORD = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "IAMUser",
        "principalId": "AIDAEXAMPLE",
        "arn": "arn:aws:iam::111122223333:user/bob",
        "accountId": "111122223333",
        "accessKeyId": "AKIAEXAMPLE",
        "userName": "bob",
    },
    "eventTime": "2026-11-24T12:00:00Z",
    "eventSource": "iam.amazonaws.com",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "203.0.113.7",
    "userAgent": "aws-cli/2.38.1 md/awscrt#0.31 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13",
    "requestParameters": {"userName": "alice", "path": "/"},
    "responseElements": None,
    "requestID": "00000000-0000-0000-0000-000000000000",
    "eventID": "00000000-0000-0000-0000-000000000000",
    "readOnly": False,
    "eventType": "AwsApiCall",
    "recipientAccountId": "111122223333",
}


def main() -> None:
    """Measure and print."""
    texts = sorted({each["pattern"] for each in json.loads(_FILTERS.read_text())})
    texts += [
        f'{{ $.errorCode = "Refused{number}*" && $.awsRegion != "eu-west-{number}" }}' for number in range(RULES - len(texts))
    ]
    own = RuleSet(_rule(number, text) for number, text in enumerate(texts))
    common = RuleSet(built_in.RULES.values())
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; microseconds for a record, aimed at {AIM_MICROSECONDS}")
    for name in ("CreateUser", "GetUser", "PutUserPolicy"):
        event = _event(name)
        bare = _microseconds(lambda event=event: rule_set.decode(event.record))  # type: ignore[misc]
        ours = _microseconds(lambda event=event: common.fired(event))  # type: ignore[misc]
        theirs = _microseconds(lambda event=event: own.fired(event))  # type: ignore[misc]
        print(
            f"{name:14} decoding {bare:5.1f}   {len(built_in.RULES)} built-in {ours:5.1f} ({ours / bare:4.1f} decodings)"
            f"   {RULES} of an account {theirs:5.1f} ({theirs / bare:4.1f} decodings), of which {len(own.fired(event))} fire"
        )


def _rule(number: int, pattern: str) -> Rule:
    made = compile_filter(pattern)
    security = (ContactType.SECURITY,)
    return Rule(f"rule-{number}", AlertSeverity.HIGH, security, "", "", pattern, made, is_built_in=False)


def _event(name: str) -> EventRow:
    record = json.dumps(_RECORD | {"eventName": name}, separators=(",", ":")).encode()
    event_id = ids.event_id(_NOON, bytes(10))
    return EventRow("111122223333", event_id, _NOON, "iam.amazonaws.com", name, "false", "bob", "AKIAEXAMPLE", record)


def _microseconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.thread_time()
        for _ in range(_TIMES):
            work()
        best = min(best, time.thread_time() - began)
    return best / _TIMES * 1_000_000


if __name__ == "__main__":
    main()
