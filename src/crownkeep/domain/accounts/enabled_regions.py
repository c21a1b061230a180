"""Which Regions an account has switched on: what is on from the start, and what it has chosen about the others."""

from __future__ import annotations

from crownkeep.models import regions
from crownkeep.storage.accounts import region_choices
from crownkeep.storage.database import Transaction


def statuses(db: Transaction, account_id: str) -> dict[str, str]:
    """Return the status of every Region by its name: ENABLED_BY_DEFAULT, ENABLED or DISABLED."""
    chosen = region_choices.of_account(db, account_id)
    # By the list of Regions, and not by what was chosen: a Region that AWS adds is there without a row.
    return {name: chosen.get(name, _initial(name)) for name in regions.names()}


def _initial(name: str) -> str:
    return "ENABLED_BY_DEFAULT" if name in regions.ENABLED_BY_DEFAULT else "DISABLED"
