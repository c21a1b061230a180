"""Lists that run over several kinds of entity, one kind after the other, with one marker for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from crownkeep.domain import page_tokens
from crownkeep.operations.call import Call

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of a list: its rows in the order of their keys."""

    name: str
    fetch: Callable[[str, int], Sequence[Any]]
    """Returns up to so many rows from the first one after a key."""
    key: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class _Item:
    section: Section
    position: str
    row: Any


@dataclass(frozen=True, slots=True)
class SectionedPage:
    """A page's rows by section."""

    items: Sequence[_Item]

    def of(self, name: str, kind: type[Row]) -> list[Row]:
        """Return the rows of one section, which are of this type."""
        return [item.row for item in self.items if item.section.name == name and isinstance(item.row, kind)]


def page(
    call: Call,
    sections: Sequence[Section],
    *,
    list_name: str,
    filters: Sequence[str],
    marker: str | None,
    max_items: int | None,
) -> tuple[SectionedPage, dict[str, object]]:
    """Return one page over all sections, and what IAM says of it; each section is asked at most once."""

    def fetch(after: str, limit: int) -> list[_Item]:
        # A marker holds the section's number and, after a blank, the key that was reached in it.
        reached, _, key = after.partition(" ")
        first = int(reached) if reached else 0
        items: list[_Item] = []
        for index in range(first, len(sections)):
            section = sections[index]
            rows = section.fetch(key if index == first else "", limit - len(items))
            items += [_Item(section, f"{index} {section.key(row)}", row) for row in rows]
            if len(items) == limit:
                break
        return items

    items, more = page_tokens.page(
        call,
        list_name=list_name,
        filters=filters,
        marker=marker,
        max_items=max_items,
        fetch=fetch,
        key=lambda item: item.position,
    )
    return SectionedPage(items), more
