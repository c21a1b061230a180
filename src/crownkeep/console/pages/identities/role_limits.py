"""What limits a role's sessions: how long they last, and when they were revoked."""

from __future__ import annotations

import json

from crownkeep.console.kit import parts
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.translation import ngettext

_HOURS = (1, 2, 4, 8, 12)

POLICY = "AWSRevokeOlderSessions"


def durations() -> dict[str, str]:
    """Return how long a role's sessions may last, in words by seconds."""
    return {str(hours * 3600): ngettext("%(num)s hour", "%(num)s hours", hours) for hours in _HOURS}


def revoking(name: str, before: str) -> Equivalent:
    """Return the call that ends all sessions of a role that began before a time."""
    condition = {"DateLessThan": {"aws:TokenIssueTime": before}}
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": condition}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)
    return Equivalent("iam", "PutRolePolicy", {"RoleName": name, "PolicyName": POLICY, "PolicyDocument": document})


def revoked_before(found: Part) -> str:
    """Return the time before which sessions have no more permissions; empty where there is none."""
    try:
        document = json.loads(parts.readable(found.text("PolicyDocument")))
        return str(document["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"])
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return ""
