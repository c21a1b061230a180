"""The account's password policy as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from crownkeep.console.kit import calls
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.translation import gettext_noop

GET = Equivalent("iam", "GetAccountPasswordPolicy")
LABELS = {
    "MinimumPasswordLength": gettext_noop("Minimum length"),
    "RequireUppercaseCharacters": gettext_noop("Upper-case letter"),
    "RequireLowercaseCharacters": gettext_noop("Lower-case letter"),
    "RequireNumbers": gettext_noop("Number"),
    "RequireSymbols": gettext_noop("Symbol"),
    "AllowUsersToChangePassword": gettext_noop("Users may change their own password"),
    "MaxPasswordAge": gettext_noop("Days until it expires"),
    "HardExpiry": gettext_noop("After expiry only an administrator can reset it"),
    "PasswordReusePrevention": gettext_noop("Remembered passwords"),
}
Fields = Mapping[str, object]
"""A policy by UpdateAccountPasswordPolicy's members; what it says nothing of is absent."""


async def current(request: Request) -> Fields | Refused | None:
    """Return the account's own policy, None where AWS's default holds."""
    found = await calls.ask(request, GET.service, GET.operation)
    if isinstance(found, Refused):
        return found if found.code != "NoSuchEntity" else None
    policy: Mapping[str, Any] = found["PasswordPolicy"]
    return {name: policy[name] for name in LABELS if policy.get(name)}
