"""Pages of lists as later services have them: `NextToken` where there is more, and ValidationException for another list's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from crownkeep import errors
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
    return page_tokens.page_by_next_token(
        call,
        list_name=list_name,
        filters=filters,
        next_token=next_token or None,
        size=max_results or MOST,
        fetch=fetch,
        key=key,
        member=member,
        refusal=errors.ServiceValidation("Invalid NextToken."),
    )
