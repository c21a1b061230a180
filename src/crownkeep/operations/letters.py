"""Letters: what rooms below the mail write to people, and who carries it. `notify` is the post, handed in by the wiring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from crownkeep.storage.database import Transaction
from crownkeep.storage.events import EventRow


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to one address. `kind` names its template in `notify/templates`, `values` are what the template asks for."""

    kind: str
    recipient: str
    """An e-mail address; empty for a letter that is written only so that nothing differs, and is thrown away."""
    account_id: str
    written_at: datetime
    values: Mapping[str, str] = field(default_factory=dict)


class Post(Protocol):
    """Who carries letters. What is posted in a transaction goes out once it has committed, and never where it has not."""

    def send(self, db: Transaction, letter: Letter) -> None:
        """Post a letter; one to an address that mail must not be sent to is dropped and logged."""

    def heed(self, db: Transaction, events: Sequence[EventRow]) -> None:
        """Write to whoever must hear of these events, which are kept in the same transaction."""
