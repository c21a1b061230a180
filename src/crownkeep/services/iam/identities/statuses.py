"""Whether a credential may be used: the two statuses that callers may give one."""

from __future__ import annotations

from crownkeep import errors

ACTIVE = "Active"
INACTIVE = "Inactive"
EXPIRED = "Expired"
"""What time makes of a credential that has an end; nobody can set it."""


def checked(status: str) -> str:
    """Return a status that callers may set; raises InvalidInput for `Expired`, which the model's enum has too."""
    if status not in (ACTIVE, INACTIVE):
        raise errors.InvalidInput(f"The status {status} is not valid: a credential can be made Active or Inactive.")
    return status
