"""Pages of the services' lists: `NextToken` where there is more, and ValidationException for a token of another list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from crownkeep import errors, paging
from crownkeep.domain import page_tokens
from crownkeep.operations.call import Call

Item = TypeVar("Item")

MOST = 100
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
    member: str = "NextToken",
) -> tuple[Sequence[Item], dict[str, object]]:
    """Return one page of a list, and the token in `member` where there is more; raises ValidationException for another list's.

    `fetch(after, limit)` returns up to `limit` rows in the order of their `key`, from the first one after `after`.
    """
    try:
        after = page_tokens.read(call, next_token, list_name=list_name, filters=filters) if next_token else ""
    except errors.ValidationError as error:
        raise errors.ServiceValidation("Invalid NextToken.") from error
    cut = paging.cut(fetch(after, (max_results or MOST) + 1), max_results or MOST, key)
    if cut.next_key is None:
        return cut.items, {}
    return cut.items, {member: page_tokens.write(call, cut.next_key, list_name=list_name, filters=filters)}
