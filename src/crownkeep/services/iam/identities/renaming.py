"""New names and paths: a caller needs permission for the entity as it is to be, too, not only as it is."""

from __future__ import annotations

from crownkeep.operations import authorize
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target


def require_permission(call: Call, action: str, target: Target) -> None:
    """Raise AccessDenied unless the caller may do `action` to the target under its new ARN (API_UpdateUser).

    Otherwise a user could be moved under a path, or take a name, whose policies its mover has no say in.
    """
    authorize.require_action(call, action, target)
