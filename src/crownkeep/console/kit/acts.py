"""Acts: events of the trail, read for people: who did what, from where, with which credentials, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crownkeep.audit import redact
from crownkeep.translation import gettext

_MOST_PARAMETERS = 3
_LONGEST_PARAMETER = 80


@dataclass(frozen=True, slots=True)
class Act:
    """One event, read from its record."""

    event_id: str
    name: str
    source: str
    at: datetime
    who: str
    is_root: bool
    is_central: bool
    """Whether root was taken on by its organization for a task (AssumeRoot), which is no use of root's own credentials."""
    credentials: str
    """What it was done with, such as `access key AKIA...`."""
    has_long_term_key: bool
    address: str
    agent: str
    region: str
    is_read: bool
    from_console: bool
    has_mfa: bool
    error: str
    error_message: str
    parameters: tuple[tuple[str, str], ...]
    request_id: str
    page: str
    """The page of the console that it helped to draw; empty for everything else."""
    task: str
    """Of an AssumeRoot: whose root user was taken on, and for which task."""

    @property
    def has_failed(self) -> bool:
        """Whether it was refused, or a sign-in that did not succeed."""
        return bool(self.error or self.error_message)

    @property
    def outcome(self) -> str:
        """What came of it, in a word or AWS's code."""
        return self.error or self.error_message or gettext("Done")

    @property
    def program(self) -> str:
        """What it was done with, in short; the whole of it is the user agent."""
        first = self.agent.partition(" ")[0]
        return gettext("a browser") if first.startswith("Mozilla/") else first

    @property
    def about(self) -> str:
        """The first few things that it was given, for a table."""
        if self.task:
            return self.task
        # The condition on the first letter drops structures and, since every text holds the empty one, empty values as well.
        answer = [
            f"{name} {value}"
            for name, value in self.parameters
            if value != redact.HIDDEN and len(value) <= _LONGEST_PARAMETER and value[:1] not in "[{"
        ]
        return ", ".join(answer[:_MOST_PARAMETERS])


def of(record: Mapping[str, Any]) -> Act:
    """Read a CloudTrail record."""
    identity = record.get("userIdentity") or {}
    session = (identity.get("sessionContext") or {}).get("attributes") or {}
    # A ConsoleLogin is done with no session yet: its record says beside the identity whether MFA was used.
    additional = record.get("additionalEventData") or {}
    key = str(identity.get("accessKeyId") or "")
    return Act(
        event_id=str(record["eventID"]),
        name=str(record["eventName"]),
        source=str(record["eventSource"]),
        at=datetime.fromisoformat(str(record["eventTime"])),
        who=_who(identity),
        is_root=identity.get("type") == "Root",
        is_central=_is_central(identity),
        credentials=_credentials(record, key),
        has_long_term_key=key.startswith("AKIA"),
        address=str(record.get("sourceIPAddress") or ""),
        agent=str(record.get("userAgent") or ""),
        region=str(record.get("awsRegion") or ""),
        is_read=str(record.get("readOnly")).lower() == "true",
        from_console=str(record.get("sessionCredentialFromConsole")).lower() == "true",
        has_mfa=str(session.get("mfaAuthenticated")).lower() == "true" or additional.get("MFAUsed") == "Yes",
        error=str(record.get("errorCode") or ""),
        error_message=str(record.get("errorMessage") or ""),
        parameters=_flat(record.get("requestParameters")),
        request_id=str(record.get("requestID") or ""),
        page=str(additional.get("consolePage") or ""),
        task=_task(record),
    )


def _who(identity: Mapping[str, Any]) -> str:
    if _is_central(identity):
        person = (identity.get("sessionContext") or {}).get("sourceIdentity")
        if person:
            return gettext("The root user, taken on centrally by the organization for %(person)s,", person=person)
        return gettext("The root user, taken on centrally by the organization,")
    if identity.get("type") == "Root":
        return gettext("The root user")
    name = identity.get("userName") or identity.get("arn") or identity.get("invokedBy") or gettext("Somebody unknown")
    return gettext("The user %(name)s", name=name) if identity.get("type") == "IAMUser" else str(name)


def _is_central(identity: Mapping[str, Any]) -> bool:
    """Tell a session of AssumeRoot from root itself (IAM user guide, "Track privileged tasks in AWS CloudTrail")."""
    # The call of AssumeRoot is marked, too, and made by somebody who is not root.
    context = identity.get("sessionContext") or {}
    return identity.get("type") == "Root" and str(context.get("assumedRoot")).lower() == "true"


def _task(record: Mapping[str, Any]) -> str:
    if (record["eventSource"], record["eventName"]) != ("sts.amazonaws.com", "AssumeRoot"):
        return ""
    asked = record.get("requestParameters")
    if not isinstance(asked, Mapping) or not asked.get("targetPrincipal"):
        return ""
    policy = asked.get("taskPolicyArn")
    task = str(policy.get("arn") or "").rpartition("/")[2] if isinstance(policy, Mapping) else ""
    account = asked["targetPrincipal"]
    if task:
        return gettext("the root user of %(account)s for the task %(task)s", account=account, task=task)
    return gettext("the root user of %(account)s", account=account)


def _credentials(record: Mapping[str, Any], key: str) -> str:
    if record.get("eventType") == "AwsConsoleSignIn":
        return gettext("the sign-in page")
    if str(record.get("sessionCredentialFromConsole")).lower() == "true":
        return gettext("the console")
    if not key:
        return gettext("no credentials")
    # AKIA begins long-term keys, ASIA temporary ones (IAM user guide, "Understanding unique ID prefixes").
    return gettext("access key %(key)s", key=key) if key.startswith("AKIA") else gettext("temporary credentials %(key)s", key=key)


def _flat(parameters: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(parameters, Mapping):
        return ()
    return tuple(
        (str(name), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in parameters.items()
    )
