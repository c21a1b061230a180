"""Letters: what rooms below the mail write to people, and who carries it. `notify` is the post, handed in by the wiring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec

from crownkeep.credentials.sealing import Keyring, Unsealable
from crownkeep.operations import sealed
from crownkeep.storage.database import Transaction
from crownkeep.storage.notices.outbox import LetterRow
from crownkeep.storage.trail.events import EventRow

NOTICE = "notice"
"""The kind of letter that tells of an event."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to one address. `kind` names its template in `notify/templates`, `values` are what the template asks for."""

    kind: str
    recipient: str
    """An e-mail address; empty for a letter that is written only so that nothing differs, and is thrown away."""
    account_id: str
    written_at: datetime
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """Which event a letter tells of, in one sentence and by its id; both empty for letters that open or confirm something."""

    about: str = ""
    event_id: str = ""


def told(keyring: Keyring, row: LetterRow) -> Told:
    """Return what a letter in the outbox may be known by to those who see that it was sent: nothing that a letter can open."""
    if row.kind != NOTICE:
        return Told()
    try:
        opened = sealed.open_letter(keyring, row.sealed_values, account_id=row.account_id, letter_id=row.letter_id)
    except Unsealable:
        return Told()
    values = msgspec.json.decode(opened.reveal(), type=dict[str, str])
    return Told(values["says"], values["event_id"])


class Post(Protocol):
    """Who carries letters. What is posted in a transaction goes out once it has committed, and never where it has not."""

    def send(self, db: Transaction, letter: Letter) -> None:
        """Post a letter; one to an address that mail must not be sent to is dropped and logged."""

    def heed(self, db: Transaction, events: Sequence[EventRow]) -> None:
        """Write to whoever must hear of these events, which are kept in the same transaction."""
