"""All checks: each module in `checks` enters its own, so that one more check is one more file."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from crownkeep.advisor import check, checks
from crownkeep.advisor.check import AccountCheck

TOPICS = ("root", "password policy", "users", "contacts", "account", "organization", "trail", "alarms", "permissions", "roles")
"""The topics in the order in which a report has them."""


@cache
def load() -> tuple[AccountCheck, ...]:
    """Import all checks and return them: by topic, and within it the worst first."""
    for module in pkgutil.iter_modules(checks.__path__, f"{checks.__name__}."):
        import_module(module.name)
    return tuple(sorted(check.entered().values(), key=lambda each: (TOPICS.index(each.topic), each.severity.rank, each.name)))


def named(name: str) -> AccountCheck | None:
    """Return the check of this name."""
    return next((each for each in load() if each.name == name), None)
