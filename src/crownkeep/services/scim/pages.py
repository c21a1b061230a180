"""Pages of a list, by cursor (RFC 9865)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from crownkeep import errors, paging
from crownkeep.domain import page_tokens
from crownkeep.operations.call import Call
from crownkeep.services.scim import bodies
from crownkeep.storage.single_sign_on.instances import InstanceRow

Row = TypeVar("Row")


def page(
    call: Call,
    list_name: str,
    instance: InstanceRow,
    asked: tuple[str | None, str | None],
    *,
    fetch: Callable[[str, int], Sequence[Row]],
    key: Callable[[Row], str],
) -> tuple[Sequence[Row], str | None]:
    """Return one page and the cursor of the next; `asked` is how many at most, and where to go on. Raises ValidationException."""
    count, cursor = asked
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
    cut = paging.cut(fetch(after, size + 1), size, key)
    written = None if cut.next_key is None else page_tokens.write(call, cut.next_key, list_name=list_name, filters=filters)
    return cut.items, written
