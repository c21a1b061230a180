"""Values that every request makes: dataclasses that the type checker holds to be frozen, and that cost nothing to freeze.

A frozen dataclass sets each field through `object.__setattr__`, which takes ten times what setting it does: with the twenty
values of a request that is a twelfth of all its time. Whoever assigns to a field of one of these is refused by `make check`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

Value = TypeVar("Value")

if TYPE_CHECKING:
    from dataclasses import dataclass as value_type
else:

    def value_type(*, frozen: bool = True, slots: bool, eq: bool = True) -> Callable[[type[Value]], type[Value]]:
        """Make a dataclass that is frozen for the type checker alone; it is compared and hashed by its fields as any value."""
        return dataclass(slots=slots, eq=eq, unsafe_hash=eq)


__all__ = ["value_type"]
