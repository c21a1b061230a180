"""Root as evidence has it: whether it has credentials, and when they were used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crownkeep import untrusted_json
from crownkeep.advisor import calls, credential_report
from crownkeep.advisor.evidence import ApiQuestion, moment
from crownkeep.advisor.view import View


@dataclass(frozen=True, slots=True)
class RootUse:
    """One thing that root did."""

    at: datetime
    name: str


def has_password(view: View) -> bool:
    """Tell whether root has a password, as far as AWS says it.

    GetAccountSummary says it (AccountPasswordPresent); else the credential report's line of root is read.
    """
    summary = view.get(calls.SUMMARY)["SummaryMap"]
    if "AccountPasswordPresent" in summary:
        return bool(summary["AccountPasswordPresent"])
    line = credential_report.root(view)
    return line is None or line.has_password


def has_credentials(view: View) -> bool:
    """Tell whether anything signs in as root or signs for it."""
    return bool(view.get(calls.SUMMARY)["SummaryMap"]["AccountAccessKeysPresent"]) or has_password(view)


def last_use(view: View) -> RootUse | None:
    """Return what root's own credentials did last, as far as the events reach."""
    found = [RootUse(moment(record["eventTime"]), str(record.get("eventName", ""))) for record in _own_events(view)]
    return max(found, key=lambda use: use.at, default=None)


def sign_ins_without_mfa(view: View) -> list[datetime]:
    """Return when root signed in with its password alone."""
    return [
        moment(record["eventTime"])
        for record in events(view, calls.SIGN_INS)
        if _is_root(record)
        and (record.get("responseElements") or {}).get("ConsoleLogin") == "Success"
        and (record.get("additionalEventData") or {}).get("MFAUsed") == "No"
    ]


def events(view: View, asked: ApiQuestion) -> Iterator[Mapping[str, Any]]:
    """Return the records that a lookup found."""
    for each in view.get(asked)["Events"]:
        yield untrusted_json.read(each["CloudTrailEvent"])


def is_own_use(record: Mapping[str, Any]) -> bool:
    """Tell whether root's own credentials did this.

    A user may be called root; a session that an organization took on says so; a service that acts for root is no use of it.
    """
    return _is_root(record) and not is_central_use(record) and record.get("eventType") != "AwsServiceEvent"


def is_central_use(record: Mapping[str, Any]) -> bool:
    """Tell whether an organization took root on for a task (AssumeRoot)."""
    session = (record.get("userIdentity") or {}).get("sessionContext") or {}
    return _is_root(record) and session.get("assumedRoot") == "true"


def _own_events(view: View) -> Iterator[Mapping[str, Any]]:
    return (record for record in events(view, calls.ROOT_EVENTS) if is_own_use(record))


def _is_root(record: Mapping[str, Any]) -> bool:
    identity = record.get("userIdentity") or {}
    return identity.get("type") == "Root" and not identity.get("invokedBy")
