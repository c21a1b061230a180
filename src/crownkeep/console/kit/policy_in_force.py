"""The account's password policy as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from crownkeep.console.kit import calls
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent

GET = Equivalent("iam", "GetAccountPasswordPolicy")
LABELS = {
    "MinimumPasswordLength": "Minimum length",
    "RequireUppercaseCharacters": "Upper-case letter",
    "RequireLowercaseCharacters": "Lower-case letter",
    "RequireNumbers": "Number",
    "RequireSymbols": "Symbol",
    "AllowUsersToChangePassword": "Users may change their own password",
    "MaxPasswordAge": "Days until it expires",
    "HardExpiry": "After expiry only an administrator can reset it",
    "PasswordReusePrevention": "Remembered passwords",
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
