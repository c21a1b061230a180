"""Named operators: a token for each person, with what it may do and until when, so that the trail says who acted.

Nobody hands out more than they hold: an operator whose own token is limited gives no other one scope, or a day, beyond it, and
rotates and removes no operator who may do more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from crownkeep import clock, errors
from crownkeep.credentials import operator_tokens
from crownkeep.credentials.operator_tokens import OperatorToken
from crownkeep.operations import operator_scopes, registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.principals import Operator
from crownkeep.services.operator import list_pages
from crownkeep.services.operator.service import operator
from crownkeep.storage.credentials import operators
from crownkeep.storage.credentials.operators import OperatorRow

_GOOD_FOR = timedelta(days=90)
_LONGEST = timedelta(days=366)


@operator.operation("AddOperator", resource=registry.everything, effect=Effect.STATE)
def add_operator(
    call: Call, *, name: str, scopes: Sequence[str] = (operator_scopes.READ,), expires_at: datetime | None = None
) -> Result:
    """Add an operator, and return the token; it is shown this once."""
    if operators.named(call.db, name) is not None:
        raise errors.Conflict(f"there is an operator `{name}` already; `crownkeep operator rotate {name}` gives it a new token")
    wanted = sorted(set(scopes))
    _require_covered(call, name, wanted)
    token = operator_tokens.mint(clock.token_bytes(operator_tokens.ENTROPY))
    until = _end(call, expires_at)
    row = OperatorRow(name, token.token_id, token.digest, " ".join(wanted), call.now, call.now, until)
    operators.add(call.db, row)
    return _with_token(call, row, token)


@operator.operation("ListOperators", resource=registry.everything)
def list_operators(call: Call, *, max_results: int = list_pages.MOST_ROWS, next_token: str | None = None) -> Result:
    """Return the operators by name, those with an expired token too."""
    found, following = list_pages.page(
        call, operators.page, next_token, max_results, list_name="ListOperators", key=lambda row: row.name
    )
    return {"operators": [_describe(call, row) for row in found], **following}


@operator.operation("RotateOperator", resource=registry.everything, effect=Effect.STATE)
def rotate_operator(call: Call, *, name: str, expires_at: datetime | None = None) -> Result:
    """Give an operator a new token, and return it; the former one is void at once. Their scopes stay."""
    _required(call, name)
    token = operator_tokens.mint(clock.token_bytes(operator_tokens.ENTROPY))
    until = _end(call, expires_at)
    operators.rotate(call.db, name, token_id=token.token_id, token_digest=token.digest, made_at=call.now, expires_at=until)
    return _with_token(call, _required(call, name), token)


@operator.operation("RemoveOperator", resource=registry.everything, effect=Effect.STATE)
def remove_operator(call: Call, *, name: str) -> Result:
    """Remove an operator: the token is void at once."""
    _required(call, name)
    operators.remove(call.db, name)
    return NOTHING


def _required(call: Call, name: str) -> OperatorRow:
    row = operators.named(call.db, name)
    if row is None:
        raise errors.ResourceNotFound(f"there is no operator `{name}`; `crownkeep operator list` shows them all")
    _require_covered(call, name, row.scopes.split())
    return row


def _require_covered(call: Call, name: str, wanted: Sequence[str]) -> None:
    """Raise AccessDenied where the caller's own token does not hold these scopes."""
    caller = call.caller
    # The shared token of the data directory has no name and no scopes: whoever has it has the machine.
    if not isinstance(caller, Operator) or not caller.name:
        return
    missing = [scope for scope in wanted if not operator_scopes.covers(caller.scopes, scope)]
    if missing:
        raise errors.AccessDenied(
            f"operator `{caller.name}` may not give `{name}` a token: its own lacks the scope `{missing[0]}`"
        )


def _end(call: Call, wanted: datetime | None) -> datetime:
    """Return until when a token is good: as wanted or for 90 days, and no longer than the token of whoever gives it."""
    limit = call.caller.expires_at if isinstance(call.caller, Operator) else None
    if wanted is None:
        until = call.now + _GOOD_FOR
        return until if limit is None else min(until, limit)
    if not call.now < wanted <= call.now + _LONGEST:
        raise errors.Conflict(f"a token expires within {_LONGEST.days} days, and not at {wanted:%Y-%m-%dT%H:%M:%SZ}")
    if limit is not None and wanted > limit:
        raise errors.AccessDenied(
            f"a token may not outlive the one that asks for it, which expires at {limit:%Y-%m-%dT%H:%M:%SZ}"
        )
    return wanted


def _with_token(call: Call, row: OperatorRow, token: OperatorToken) -> dict[str, object]:
    return {**_describe(call, row), "token": token.token.reveal()}


def _describe(call: Call, row: OperatorRow) -> dict[str, object]:
    return {
        "name": row.name,
        "token_id": row.token_id,
        "scopes": row.scopes.split(),
        "state": "ACTIVE" if row.expires_at > call.now else "EXPIRED",
        "added_at": row.added_at,
        "token_made_at": row.token_made_at,
        "expires_at": row.expires_at,
    }
