"""MaxSigninSessionDuration: how long a user's or a role's sign-in sessions may last, set, changed and unset."""

from __future__ import annotations

from crownkeep import errors


def refuse_both(seconds: int | None, *, is_reset: bool) -> None:
    """Raise InvalidInput where one request sets the duration and unsets it (API_UpdateRole, API_UpdateLoginProfile)."""
    if seconds is not None and is_reset:
        raise errors.InvalidInput("MaxSigninSessionDuration and ResetMaxSigninSessionDuration cannot be specified together.")


def members(seconds: int | None) -> dict[str, object]:
    """Return the member that shows the duration, which is absent where it is unset."""
    return {} if seconds is None else {"MaxSigninSessionDuration": seconds}
