"""Temporary credentials for the caller itself, proven by a second factor where one is given."""

from __future__ import annotations

from datetime import timedelta

from crownkeep import errors
from crownkeep.domain.credentials import issue, mfa
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Permission, everything
from crownkeep.principals import PrincipalKind, Session
from crownkeep.services.sts.service import sts

_DEFAULT_SECONDS = {PrincipalKind.USER: 43_200, PrincipalKind.ROOT: 3_600}
_ROOT_LONGEST_SECONDS = 3_600


@sts.operation("GetSessionToken", resource=everything, permission=Permission.UNLESS_DENIED, effect=Effect.STATE)
def get_session_token(
    call: Call,
    *,
    duration_seconds: int | None = None,
    serial_number: str | None = None,
    token_code: str | None = None,
    minimum_session_token_size: int | None = None,
) -> Result:
    """Issue temporary credentials for the calling user or root, marked with the factor that was given.

    Root's last an hour at most, whatever is asked for (API_GetSessionToken).
    """
    caller = call.principal
    if caller.session is not None or caller.kind not in _DEFAULT_SECONDS:
        raise errors.AccessDenied("Cannot call GetSessionToken with session credentials")
    seconds = duration_seconds or _DEFAULT_SECONDS[caller.kind]
    if caller.kind is PrincipalKind.ROOT:
        seconds = min(seconds, _ROOT_LONGEST_SECONDS)
    serial = mfa.require_code(call, caller, serial_number=serial_number, token_code=token_code)
    session = Session(
        issued_at=call.now,
        expires_at=call.now + timedelta(seconds=seconds),
        mfa_serial=serial,
        mfa_at=call.now if serial else None,
        issuing_key_id=caller.access_key_id,
    )
    issued = issue.credentials(call, caller, session, minimum_token_size=minimum_session_token_size or 0)
    return {"Credentials": issued, **issue.token_members(issued)}
