"""Pages of a list: the sizes AWS allows and the opaque token that says where the next page begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

DEFAULT_SIZE = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items of a list and, if there are more, the sort key of the last one."""

    items: Sequence[Item]
    next_key: str | None


def cut(rows: Sequence[Item], size: int, key: Callable[[Item], str]) -> Page[Item]:
    """Make a page of at most `size` from rows that were fetched with one to spare."""
    if len(rows) <= size:
        return Page(rows, None)
    kept = rows[:size]
    return Page(kept, key(kept[-1]))
