"""Secret: a string that does not show itself in a repr, a log line, a traceback or a pickle."""

from hmac import compare_digest
from typing import NoReturn

MASK = "********"


class Secret:
    """Hold a secret string; only `reveal()` gives it back.

    A plain class and not a dataclass, so that `asdict`, msgspec and json refuse it instead of spelling it out. Equality
    takes the same time wherever two values differ, and there is no hash, so a secret cannot become a dictionary key.
    """

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]  # Python's own way to say "unhashable"; typeshed declares a method.

    def __init__(self, value: str) -> None:
        """Wrap `value`; the caller should drop its own reference."""
        self._value = value

    def reveal(self) -> str:
        """Give the secret back in the clear."""
        return self._value

    def __eq__(self, other: object) -> bool:
        """Compare with another Secret in constant time."""
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(self._value.encode(), other._value.encode())

    def __repr__(self) -> str:
        """Show only that something is hidden."""
        return f"Secret('{MASK}')"

    def __str__(self) -> str:
        """Show only a mask, also inside f-strings."""
        return MASK

    def __reduce__(self) -> NoReturn:
        """Refuse pickling and copying, which would write the secret down."""
        raise TypeError("a Secret cannot be pickled or copied; call `reveal()` where it is needed")
