"""Holdings: which identity policies users and roles have, of their own and by groups, with or without some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from crownkeep.advisor import permissions
from crownkeep.advisor.entities import AccountGroup, Entities, Held, User
from crownkeep.policy import PolicySet

Taking = Callable[[str, str, Held], bool]
"""Tells of a user or role, of whose policy it is (its own or a group's), and of the policy whether it is taken away."""


class Holdings:
    """The identity policies of users and roles, with or without some of them."""

    def __init__(self, found: Entities, taking: Taking | None = None) -> None:
        self._compiled = permissions.Compiled()
        self._held: dict[str, list[Held]] = {}
        self._removed: dict[str, list[Held]] = {}
        self.holders: set[str] = set()
        for arn, sources in _sources(found):
            taken = [(source, one) for source, one in sources if taking is not None and taking(arn, source, one)]
            self._held[arn] = [one for source, one in sources if (source, one) not in taken]
            if taken:
                self._removed[arn] = [one for _, one in taken]
                self.holders.add(arn)

    def knows(self, arn: str) -> bool:
        """Tell whether there is such a user or role."""
        return arn in self._held

    def policies(self, arn: str) -> PolicySet:
        """Return what a user or role has."""
        return self._compiled.set_of(self._held.get(arn, ()))

    def removed(self, arn: str) -> PolicySet:
        """Return what is taken from a user or role."""
        return self._compiled.set_of(self._removed.get(arn, ()))


def _sources(found: Entities) -> Iterable[tuple[str, list[tuple[str, Held]]]]:
    """Yield users and roles, each with its policies and whose they are: its own, or a group's."""
    for user in found.users:
        owners: list[User | AccountGroup] = [user, *(found.groups[name] for name in user.groups if name in found.groups)]
        yield user.arn, [(owner.arn, one) for owner in owners for one in owner.own]
    for role in found.roles:
        yield role.arn, [(role.arn, one) for one in role.own]
