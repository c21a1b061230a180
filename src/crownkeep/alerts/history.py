"""History: which alerts an account has sent, how far each has come, and those that were given up sent again."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.alerts import observer
from crownkeep.operations import notices
from crownkeep.operations.call import Call
from crownkeep.operations.notices import EVENT_NOTICE
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.storage.notices import deliveries, outbox
from crownkeep.storage.notices.deliveries import DeliveryRow
from crownkeep.storage.notices.outbox import NoticeRow

_KINDS = (EVENT_NOTICE, "receiver-test", "receiver-code")


def latest(call: Call, account_id: str, *, limit: int) -> list[dict[str, object]]:
    """Return the account's last alerts, the latest first."""
    waiting = outbox.latest(call.db, account_id, limit=limit)
    dead = outbox.dead(call.db, account_id, limit=limit)
    # One that was given up is in both tables. What is still to be sent, or can be, says more than how it ended before.
    again = {row.notice_id for row in waiting} | {row.notice_id for row in dead}
    found = [_of_waiting(call, row) for row in (*waiting, *dead) if row.kind in _KINDS]
    ended = deliveries.latest(call.db, account_id, limit=limit)
    found += [_of_ended(call, row) for row in ended if row.kind in _KINDS and row.notice_id not in again]
    return sorted(found, key=lambda each: str(each["notice_id"]), reverse=True)[:limit]


def replay(call: Call, account_id: str, notice_id: str) -> None:
    """Send an alert again that was given up; raises ResourceNotFound."""
    if not outbox.replay(call.db, account_id, notice_id, now=call.now):
        raise errors.ResourceNotFound(f"no alert `{notice_id}` was given up, or more than 30 days ago; ListAlerts shows them")
    _wake(call)


def replay_all(call: Call, account_id: str) -> int:
    """Send every alert again that was given up, and return how many there are."""
    found = outbox.dead(call.db, account_id, limit=10_000)
    for row in found:
        outbox.replay(call.db, account_id, row.notice_id, now=call.now)
    _wake(call)
    return len(found)


def _wake(call: Call) -> None:
    wake = observer.of(call.wiring.outbox).outbox.on_added
    if wake is not None:
        wake()


def _of_waiting(call: Call, row: NoticeRow) -> dict[str, object]:
    heading = notices.heading(call.keyring, row)
    state = "waiting" if row.given_up_at is None else "given-up"
    return _described(call, row, state, heading.about, heading.event_id) | {
        "at": row.given_up_at or row.due_at,
        "attempts": row.attempts,
        **({"fault": row.last_fault} if row.last_fault else {}),
    }


def _of_ended(call: Call, row: DeliveryRow) -> dict[str, object]:
    state = "failed" if row.fault else "sent"
    return _described(call, row, state, row.about, row.event_id) | {
        "at": row.ended_at,
        "attempts": row.attempts,
        **({"fault": row.fault} if row.fault else {}),
    }


def _described(call: Call, row: NoticeRow | DeliveryRow, state: str, about: str, event_id: str) -> dict[str, object]:
    found: dict[str, object] = {
        "notice_id": row.notice_id,
        "channel": row.channel,
        "recipient": _recipient(call, row),
        "written_at": row.created_at,
        "state": state,
    }
    optional = {"rule": row.rule, "receiver_id": row.receiver_id, "subject": about, "event_id": event_id}
    return found | {name: value for name, value in optional.items() if value}


def _recipient(call: Call, row: NoticeRow | DeliveryRow) -> str:
    """Name the recipient; addresses of root and of contacts only to root and to the operator."""
    is_trusted = not isinstance(call.caller, Principal) or call.caller.kind is PrincipalKind.ROOT
    return row.recipient if row.receiver_id or is_trusted else "root or a contact"
