"""What to do about a refusal: which statement is missing, and who can give it, by the reason that the refusal names."""

from __future__ import annotations

import json
from dataclasses import dataclass

from crownkeep.translation import gettext, gettext_noop


@dataclass(frozen=True, slots=True)
class Help:
    """Who can change what was refused, and the statement to add; no statement where adding one would not help."""

    who: str
    statement: str = ""


_BY_REASON = (
    (
        "explicit deny in a service control policy",
        gettext_noop(
            "A service control policy of your organization denies this. Only those who manage the organization can change that."
        ),
    ),
    (
        "explicit deny in a resource control policy",
        gettext_noop(
            "A resource control policy of the organization denies this. Only those who manage the organization can change that."
        ),
    ),
    (
        "explicit deny in a permissions boundary",
        gettext_noop("Your permissions boundary denies this. Ask whoever set it: more policies don't help."),
    ),
    (
        "explicit deny in a session policy",
        gettext_noop("The policy of this session denies this. Sign in again without that policy."),
    ),
    # Behind those that name the kind of policy: their texts hold these two words as well.
    (
        "explicit deny",
        gettext_noop(
            "A policy denies this in so many words, and no other policy can allow it. Ask an administrator which, and why."
        ),
    ),
    (
        "no service control policy allows",
        gettext_noop(
            "No service control policy of your organization allows this. Only those who manage the organization can change that."
        ),
    ),
    (
        "no resource control policy allows",
        gettext_noop("No resource control policy of the organization allows this."),
    ),
    (
        "no permissions boundary allows",
        gettext_noop("Your permissions boundary leaves this out. Ask whoever set it: more policies don't help."),
    ),
    (
        "no session policy allows",
        gettext_noop("The policy of this session leaves this out. Sign in again without that policy."),
    ),
)
"""By what a refusal says of its reason, in the order in which it is looked for: what would help, where no statement does."""


def help_for(action: str, message: str) -> Help:
    """Return what helps somebody who was refused an action with AWS's message."""
    for reason, answer in _BY_REASON:
        if reason in message:
            return Help(gettext(answer))
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    who = gettext(
        "An administrator of this account can give it: somebody who may change your policies or those of your groups, "
        "or of the role that you have taken on. This is the statement to add; a narrower Resource is better where one is known."
    )
    return Help(who, json.dumps(statement, indent=2))
