"""When a trail is looked at again: after its interval, after a refusal, or never where it is stopped and has delivered all."""

from __future__ import annotations

from datetime import datetime, timedelta

from crownkeep.settings import Settings
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail import digests, queue, trails
from crownkeep.storage.trail.trails import NEVER, TrailRow

SHORTEST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=7)
"""How long a trail that is deleted tries to deliver what it had covered."""


def begin(settings: Settings, *, now: datetime) -> dict[str, object]:
    """Return the times at which a trail that begins to log is looked at."""
    return {
        "due_at": now + timedelta(seconds=settings.trail_delivery_seconds),
        "digest_due_at": now + timedelta(seconds=settings.trail_digest_seconds),
        "attempts": 0,
    }


def is_digest_due(trail: TrailRow, *, now: datetime) -> bool:
    """Tell whether digests are to be made: at their interval, and once all is delivered of a trail that does not log."""
    return not trail.is_logging or (trail.digest_due_at is not None and trail.digest_due_at <= now)


def finish(db: Transaction, *, trail: TrailRow, settings: Settings, now: datetime) -> None:
    """Let go of a trail that has delivered what there was."""
    found = trails.with_id(db, trail.trail_id)
    if found is None:
        return
    values: dict[str, object] = {"claimed_until": NEVER, "attempts": 0}
    if queue.count(db, trail.trail_id) and (found.is_logging != trail.is_logging or not found.is_logging):
        # It was stopped meanwhile, or has more than one turn takes: what it had covered goes out now.
        values["due_at"] = now
    elif found.is_logging:
        values["due_at"] = now + timedelta(seconds=settings.trail_delivery_seconds)
        values["digest_due_at"] = _next_digest(found, timedelta(seconds=settings.trail_digest_seconds), now)
    elif found.is_logging != trail.is_logging or found.deleted_at != trail.deleted_at:
        values["due_at"] = now
    elif found.deleted_at is not None:
        _forget(db, found)
        return
    else:
        values |= {"due_at": None, "digest_due_at": None}
    trails.change(db, trail.trail_id, **values)


def put_off(db: Transaction, *, trail: TrailRow, now: datetime, log_error: str | None, digest_error: str | None) -> None:
    """Let go of a trail that could not deliver, and say why."""
    if trail.deleted_at is not None and now - trail.deleted_at >= GIVEN_UP_AFTER:
        _forget(db, trail)
        return
    due_at = now + delay(trail.attempts + 1)
    values: dict[str, object] = {"claimed_until": NEVER, "attempts": trail.attempts + 1, "due_at": due_at}
    if trail.digest_due_at is not None and trail.digest_due_at < due_at:
        values["digest_due_at"] = due_at
    if log_error is not None:
        values |= {"delivery_error": log_error, "attempted_at": now}
    if digest_error is not None:
        values["digest_error"] = digest_error
    trails.change(db, trail.trail_id, **values)


def delay(attempts: int) -> timedelta:
    """Return how long a trail waits after so many refusals in a row: twice as long after each, an hour at most."""
    doubled: timedelta = SHORTEST_DELAY * 2 ** min(attempts - 1, 20)
    return min(doubled, LONGEST_DELAY)


def _next_digest(trail: TrailRow, interval: timedelta, now: datetime) -> datetime:
    """Return when the next digest is due: a whole number of intervals after the one before, so that none drifts."""
    if trail.digest_due_at is None:
        return now + interval
    if trail.digest_due_at > now:
        return trail.digest_due_at
    return trail.digest_due_at + interval * ((now - trail.digest_due_at) // interval + 1)


def _forget(db: Transaction, trail: TrailRow) -> None:
    digests.forget(db, trail.trail_id)
    queue.remove_all(db, trail.trail_id)
    trails.remove(db, trail.trail_id)
