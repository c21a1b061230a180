"""What was last used when: long-term keys, roles, and the actions that each identity asks for.

Only the first use in fifteen minutes is written down (IAM user guide, "Finding unused credentials"), together with the record of
the request, so that keeping it costs no write of its own and an identity that works all day next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from crownkeep.operations.call import Request
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.storage.credentials import access_keys
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import roles
from crownkeep.storage.reports import service_uses
from crownkeep.storage.reports.service_uses import ServiceUseRow
from crownkeep.storage.writer import Commit
from crownkeep.values import value_type

SPAN_SECONDS = 900
_MOST_REMEMBERED = 50_000


@value_type(frozen=True, slots=True)
class Use:
    """What a request used that is to be written down."""

    writes: tuple[Callable[[Transaction], None], ...]

    def write(self, db: Transaction) -> None:
        """Write it down."""
        for write in self.writes:
            write(db)

    def commit(self, db: Transaction) -> Commit[None]:
        """Write it down as all that a transaction changes."""
        self.write(db)
        return Commit(None, [])


class Uses:
    """What this process has written down lately."""

    def __init__(self) -> None:
        self._spans: dict[str, int] = {}

    def of(self, request: Request) -> Use | None:
        """Return what is to be written down of a request, None where all of it was used a short while ago."""
        caller = request.caller
        if not isinstance(caller, Principal):
            return None
        span = int(request.now.timestamp()) // SPAN_SECONDS
        action = request.operation.action
        writes: list[Callable[[Transaction], None]] = []
        if self._is_first(f"{caller.account_id} {caller.unique_id} {action}", span):
            writes.append(_action_use(request, caller))
        credential = _dated_credential(caller)
        if credential and self._is_first(credential, span):
            writes.append(_credential_use(request, caller))
        return Use(tuple(writes)) if writes else None

    def _is_first(self, used: str, span: int) -> bool:
        # By spans of the clock and not by the time since the last use: one integer for each, and no order to keep.
        if self._spans.get(used) == span:
            return False
        # Forgetting all costs a few writes that were not necessary, and nothing else.
        if len(self._spans) >= _MOST_REMEMBERED:
            self._spans.clear()
        self._spans[used] = span
        return True


def _dated_credential(caller: Principal) -> str:
    """Return the long-term key or the role whose last use is shown; nothing for sessions of users and of root."""
    if caller.kind is PrincipalKind.ROLE:
        return caller.unique_id
    return caller.access_key_id if caller.session is None else ""


def _action_use(request: Request, caller: Principal) -> Callable[[Transaction], None]:
    service, _, action = request.operation.action.partition(":")
    row = ServiceUseRow(caller.account_id, caller.unique_id, service, action, request.now, request.origin.region)
    return lambda db: service_uses.put(db, row)


def _credential_use(request: Request, caller: Principal) -> Callable[[Transaction], None]:
    at, region, service = request.now, request.origin.region, request.operation.service.action_prefix
    if caller.kind is PrincipalKind.ROLE:
        return lambda db: roles.set_used(db, caller.account_id, caller.unique_id, at=at, region=region)
    return lambda db: access_keys.set_used(db, caller.access_key_id, at=at, service=service, region=region)
