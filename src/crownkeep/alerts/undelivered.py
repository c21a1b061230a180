"""What went wrong when a notice did not leave."""

from __future__ import annotations

from datetime import timedelta


class Undelivered(Exception):
    """A notice did not leave; it is tried again later. The text says why, without anything secret."""

    def __init__(self, fault: str, *, retry_after: timedelta | None = None, is_gone: bool = False) -> None:
        super().__init__(fault)
        self.retry_after = retry_after
        """Not to be tried again before that, as the receiver asks."""
        self.is_gone = is_gone
        """Whether the receiver has said that it is no more."""
