"""Lists of the service: they say nothing of their end but that no `NextToken` follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from crownkeep import errors
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

    `fetch(after, limit)` returns up to `limit` rows in the order of their `key`, from the first one after `after`.
    """
    return page_tokens.page_by_next_token(
        call,
        list_name=list_name,
        filters=filters,
        next_token=next_token,
        size=max_results or MOST,
        fetch=fetch,
        key=key,
        refusal=errors.InvalidInputException(
            "You specified an invalid value for NextToken.", members={"Reason": "INVALID_NEXT_TOKEN"}
        ),
    )
