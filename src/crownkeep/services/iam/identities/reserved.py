"""Refusing the paths and names that are AWS's services' own, to everything that has a path."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.catalogue import reserved_names


def require_free_path(path: str | None) -> None:
    """Raise InvalidInput where nobody may put anything under this path; None is a path that stays as it is."""
    fault = None if path is None else reserved_names.fault_of_path(path)
    if fault is not None:
        raise errors.InvalidInput(fault)


def require_free_principal(path: str | None, name: str | None) -> None:
    """Raise InvalidInput where nobody may have this path or name, for a user or role: policies speak of those by both."""
    require_free_path(path)
    fault = None if name is None else reserved_names.fault_of_name(name)
    if fault is not None:
        raise errors.InvalidInput(fault)
