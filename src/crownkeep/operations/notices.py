"""Notices: what rooms below the mail write to people, and the outbox they wait in. `alerts` has it, handed in by the wiring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec

from crownkeep.credentials.sealing import Keyring, Unsealable
from crownkeep.operations import sealed
from crownkeep.storage.database import Transaction
from crownkeep.storage.notices.outbox import NoticeRow
from crownkeep.storage.trail.events import EventRow

EVENT_NOTICE = "notice"
"""The kind of notice that tells of an event."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice to one address. `kind` names its template in `alerts/templates`, `values` are what the template asks for."""

    kind: str
    recipient: str
    """An e-mail address; empty for a notice that is written only so that nothing differs, and is thrown away."""
    account_id: str
    written_at: datetime
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heading:
    """Which event a notice tells of, in one sentence and by its id; both empty for notices that open or confirm something."""

    about: str = ""
    event_id: str = ""


def heading(keyring: Keyring, row: NoticeRow) -> Heading:
    """Return what a notice in the outbox may be known by to those who see that it was sent: nothing that a notice can open."""
    if row.kind != EVENT_NOTICE:
        return Heading()
    try:
        opened = sealed.open_notice(keyring, row.sealed_values, account_id=row.account_id, notice_id=row.notice_id)
    except Unsealable:
        return Heading()
    values = msgspec.json.decode(opened.reveal(), type=dict[str, str])
    return Heading(values["says"], values["event_id"])


class Outbox(Protocol):
    """Where notices wait to be sent. What a transaction puts there goes out once it has committed, and never where it has not."""

    def send(self, db: Transaction, notice: Notice) -> None:
        """Put a notice into the outbox; one to an address that mail must not be sent to is dropped and logged."""

    def observe(self, db: Transaction, events: Sequence[EventRow]) -> None:
        """Write to whoever must hear of these events, which are kept in the same transaction."""
