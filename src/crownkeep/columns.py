"""Long lists by their columns, as a database gives them: text is made of a thousand rows without a mapping and a moment for each.

To whoever doesn't look, they are what they stand for: a sequence of mappings, and a sequence of moments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import overload

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Column = Sequence[object]


class Moments(Sequence[datetime | None]):
    """Moments as they are kept: whole microseconds since 1970."""

    __slots__ = ("kept",)

    def __init__(self, kept: Sequence[int | None]) -> None:
        self.kept = kept

    @overload
    def __getitem__(self, place: int) -> datetime | None: ...
    @overload
    def __getitem__(self, place: slice) -> Moments: ...
    def __getitem__(self, place: int | slice) -> datetime | Moments | None:
        if isinstance(place, slice):
            return Moments(self.kept[place])
        kept = self.kept[place]
        return None if kept is None else _EPOCH + timedelta(0, 0, kept)

    def __len__(self) -> int:
        return len(self.kept)


class Columns(Sequence[Mapping[str, object]]):
    """Rows with members of the same names; a member that is None has no place in its row."""

    __slots__ = ("_by_name", "_count", "names")

    def __init__(self, by_name: Mapping[str, Column]) -> None:
        self._by_name = by_name
        self.names = tuple(by_name)
        self._count = len(next(iter(by_name.values()), ()))

    def of(self, name: str) -> Column:
        """Return the column with this name; raises KeyError where the query had none."""
        return self._by_name[name]

    def texts(self, name: str) -> Sequence[str]:
        """Return a column that holds nothing but texts."""
        return self._by_name[name]  # type: ignore[return-value]  # as its table has it

    @overload
    def __getitem__(self, place: int) -> Mapping[str, object]: ...
    @overload
    def __getitem__(self, place: slice) -> Columns: ...
    def __getitem__(self, place: int | slice) -> Mapping[str, object] | Columns:
        if isinstance(place, slice):
            return Columns({name: column[place] for name, column in self._by_name.items()})
        cells = ((name, column[place]) for name, column in self._by_name.items())
        return {name: cell for name, cell in cells if cell is not None}

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        return (self[place] for place in range(self._count))

    def __len__(self) -> int:
        return self._count
