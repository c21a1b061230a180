"""How many of each an organization may have (Organizations user guide, "Quotas and service limits for AWS Organizations")."""

from __future__ import annotations

from datetime import timedelta

from crownkeep.operations.call import Call

UNITS = 2_000
DEEPEST_UNIT = 5
"""Levels of units below the root."""
TAGS = 50
DELEGATES_OF_A_SERVICE = 5
CREATED_ACCOUNT_STAYS = timedelta(days=4)
"""How long an account that was created in an organization can't be taken out of it."""
INVITATION_STANDS = timedelta(days=15)
ALL_FEATURES_STANDS = timedelta(days=90)
"""How long the members have to agree to all features."""
HANDSHAKES_KEPT = timedelta(days=30)
"""How long a handshake that has ended is shown."""
CLOSURES_COUNTED = timedelta(days=30)


def accounts(call: Call) -> int:
    """Return how many accounts an organization may have, closed ones among them: AWS's default, or what the setting says."""
    return call.settings.accounts_per_organization


def invitations_a_day(call: Call) -> int:
    """Return how many invitations an organization may send in a day."""
    return max(20, accounts(call))


def failed_creations_a_day(call: Call) -> int:
    """Return how many accounts an organization may fail to create in a day: each failure tells that an address is taken."""
    return max(20, accounts(call))


def closures(members: int) -> int:
    """Return how many accounts an organization of this size may close within 30 days."""
    return min(1_000, max(250, members // 5))
