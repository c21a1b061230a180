"""Lists of the service: they say nothing of their end but that no `NextToken` follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from crownkeep import errors, paging
from crownkeep.domain import page_tokens
from crownkeep.operations.call import Call

Item = TypeVar("Item")

MOST = 20
"""On one page, and as many as there are where the call doesn't say (`MaxResults`)."""


def page(
    call: Call,
    *,
    list_name: str,
    filters: Sequence[str] = (),
    next_token: str | None,
    max_results: int | None,
    fetch: Callable[[str, int], Sequence[Item]],
    key: Callable[[Item], str],
) -> tuple[Sequence[Item], dict[str, object]]:
    """Return one page of a list, and `NextToken` where there is more; raises InvalidInputException for a token of another list.

    `fetch(after, limit)` answers up to `limit` rows in the order of their `key`, from the first one after `after`.
    """
    after = _read(call, next_token, list_name, filters) if next_token is not None else ""
    size = max_results or MOST
    cut = paging.cut(fetch(after, size + 1), size, key)
    if cut.next_key is None:
        return cut.items, {}
    return cut.items, {"NextToken": page_tokens.write(call, cut.next_key, list_name=list_name, filters=filters)}


def _read(call: Call, next_token: str, list_name: str, filters: Sequence[str]) -> str:
    try:
        return page_tokens.read(call, next_token, list_name=list_name, filters=filters)
    except errors.ValidationError as error:
        reason = {"Reason": "INVALID_NEXT_TOKEN"}
        raise errors.InvalidInputException("You specified an invalid value for NextToken.", members=reason) from error
