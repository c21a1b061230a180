"""Lists of people and of groups: found by a filter, or a page at a time, by cursor (RFC 9865)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from crownkeep import errors, paging
from crownkeep.domain import page_tokens
from crownkeep.domain.single_sign_on import scim_bearers
from crownkeep.operations.call import Call, Result
from crownkeep.services.scim import bearers, bodies, filters
from crownkeep.services.scim.bodies import Json
from crownkeep.storage.single_sign_on.instances import InstanceRow

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ListingAsked:
    """What a request for a list says: whose token it shows, and which entries it wants."""

    tenant_id: str
    bearer_token: str | None
    filter: str | None
    count: str | None
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """One kind of resource as it is listed."""

    name: str
    known: Mapping[str, str]
    """The attributes that a filter may name, in lower case, as they are spelled."""
    together: Sequence[frozenset[str]]
    """Which of them may be asked for at once."""
    filtered: Callable[[Call, InstanceRow, dict[str, str]], Sequence[Row]]
    fetch: Callable[[Call, InstanceRow, str, int], Sequence[Row]]
    """Returns up to so many rows in the order of their key, from the one after a key."""
    key: Callable[[Row], str]
    shown: Callable[[Row, str], Json]


def answer(call: Call, kind: Listing[Row], asked: ListingAsked) -> Result:
    """Return the resources that a filter finds, as one page, or one page of all; raises ValidationException."""
    instance = bearers.reading(call, asked.tenant_id, asked.bearer_token)
    endpoint = scim_bearers.endpoint(call.settings.url, instance)
    if asked.filter is not None:
        found = kind.filtered(call, instance, filters.read(asked.filter, known=kind.known, together=kind.together))
        return bodies.listed([kind.shown(row, endpoint) for row in found], cursor=None, next_cursor=None)
    rows, next_cursor = _page(call, kind, instance, asked)
    return bodies.listed([kind.shown(row, endpoint) for row in rows], cursor=asked.cursor, next_cursor=next_cursor)


def _page(call: Call, kind: Listing[Row], instance: InstanceRow, asked: ListingAsked) -> tuple[Sequence[Row], str | None]:
    """Return one page and the cursor of the next; raises ValidationException."""
    count, cursor, list_name = asked.count, asked.cursor, kind.name
    # `isdigit` knows digits of other scripts, and `int` takes time that grows with the square of what it reads.
    if count is not None and (not count.isascii() or not count.isdigit() or not 1 <= int(count[:9]) <= bodies.MOST_RESULTS):
        raise bodies.unparsable(f"count is a number from 1 to {bodies.MOST_RESULTS}")
    size = int(count) if count else bodies.MOST_RESULTS
    filters = (instance.identity_store_id,)
    after = ""
    if cursor:
        try:
            after = page_tokens.read(call, cursor, list_name=list_name, filters=filters)
        except errors.ValidationError as error:
            raise bodies.unparsable("the cursor is not one of this list") from error
    cut = paging.cut(kind.fetch(call, instance, after, size + 1), size, kind.key)
    written = None if cut.next_key is None else page_tokens.write(call, cut.next_key, list_name=list_name, filters=filters)
    return cut.items, written
