"""Pages of the operator's lists, each with a token that says where the next one begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from crownkeep.domain import page_tokens
from crownkeep.operations.call import Call
from crownkeep.storage.database import Transaction

Row = TypeVar("Row")
Listed = TypeVar("Listed", covariant=True)

MOST_ROWS = 100
"""Rows of a page where the caller names no number."""


class ListReader(Protocol[Listed]):
    """A named query that reads a list in its order."""

    def __call__(self, db: Transaction, *, after: str, limit: int) -> Sequence[Listed]:
        """Return up to `limit` rows, from the one after the key `after`."""


def page(
    call: Call, read: ListReader[Row], token: str | None, most: int, *, list_name: str, key: Callable[[Row], str]
) -> tuple[Sequence[Row], dict[str, str]]:
    """Return a page of up to `most` rows and, where there is another one, the member that leads to it."""
    after = "" if token is None else page_tokens.read(call, token, list_name=list_name, filters=())
    # One more than is shown tells whether there is a next page, without a count of all.
    found = read(call.db, after=after, limit=most + 1)
    if len(found) <= most:
        return found, {}
    shown = found[:most]
    return shown, {"next_token": page_tokens.write(call, key(shown[-1]), list_name=list_name, filters=())}
