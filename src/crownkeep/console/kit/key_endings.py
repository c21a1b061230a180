"""Access keys that are deleted: their id is typed first, as in AWS's console."""

from __future__ import annotations

from starlette.requests import Request

from crownkeep.console.kit import danger
from crownkeep.console.kit.danger import Ending
from crownkeep.translation import gettext


def require(request: Request, key_id: str, back: str) -> None:
    """Raise WordNeeded unless the id of the key was typed."""
    text = gettext("Programs that sign with it are refused from now on. To be able to go back, deactivate it instead.")
    danger.require(request, Ending(key_id, gettext("Delete this access key?"), text, gettext("Delete access key"), back))
