"""The rules of the account's password policy, for pages on which somebody sets a password of somebody else."""

from __future__ import annotations

from starlette.requests import Request

from crownkeep import models
from crownkeep.console.kit import parts
from crownkeep.credentials import password_policy
from crownkeep.credentials.password_policy import PasswordPolicy, PasswordRules

# IAM tells it beside the settings, and computes it from MaxPasswordAge (API_PasswordPolicy).
_NOT_ASKED = frozenset({"ExpirePasswords"})


async def ask(request: Request) -> PasswordRules | None:
    """Ask for the policy, as whoever is signed in; None where they may not see it: IAM then tells what a password lacks."""
    found = await parts.ask(request, "GetAccountPasswordPolicy")
    if found.is_missing:
        return password_policy.rules(None)
    if found.refusal is not None:
        return None
    answer = {models.snake_case(name): value for name, value in found.one("PasswordPolicy").items() if name not in _NOT_ASKED}
    return password_policy.rules(PasswordPolicy(**answer))
