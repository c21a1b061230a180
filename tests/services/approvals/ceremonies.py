"""A model of sealed acts that is simple enough to be believed: who may do what now, by counting people and keys alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass
class Key:
    """A security key of somebody, from when it was enrolled until it is revoked."""

    material: str
    """By which the same key in two hands is known."""
    enrolled_at: datetime
    is_revoked: bool = False


@dataclass
class Person:
    """A custodian in the team."""

    name: str
    key: Key
    has_left: bool = False


@dataclass
class Asked:
    """One request, to do an act or to change the team."""

    request_id: str
    asker: str
    act: str
    version: int
    asked_at: datetime
    expires_at: datetime
    approvals: dict[str, Key] = field(default_factory=dict)
    refusals: set[str] = field(default_factory=set)
    status: str = "PENDING"
    is_used: bool = False
    members: tuple[str, ...] = ()
    """Of a change of the team: who is to be in it."""


@dataclass
class Ceremony:
    """A sealed account, its team, and everything that was asked."""

    people: dict[str, Person]
    least: int
    alone_after: timedelta | None = None
    groups: tuple[tuple[str, ...], ...] = ()
    version: int = 0
    asked: list[Asked] = field(default_factory=list)

    def counted(self, it: Asked) -> set[str]:
        """Return who has approved and counts: still in the team, each by a key of their own that still is theirs."""
        return self._owners(it.approvals, it.asked_at)

    def is_enough(self, names: Collection[str], least: int | None = None) -> bool:
        """Tell whether these people may approve together: so many, and one of each group."""
        wanted = self.least if least is None else least
        return len(names) >= wanted and all(any(name in names for name in group) for group in self.groups)

    def usable(self, asker: str, act: str, now: datetime) -> Asked | None:
        """Return the request that lets somebody do an act now: the first of those that do."""
        for it in self.asked:
            if (it.asker, it.act) == (asker, act) and not it.is_used and self.stands(it, now):
                return it
        return None

    def stands(self, it: Asked, now: datetime) -> bool:
        """Tell whether a request is good for its act now."""
        if now >= it.expires_at or it.version != self.version:
            return False
        if it.status == "PENDING":
            is_time = self.alone_after is not None and now >= it.asked_at + self.alone_after
            keys = {name: each.key for name, each in self.people.items()}
            return is_time and not it.refusals and self.is_enough(self._owners(keys, it.asked_at))
        return it.status == "APPROVED" and self.is_enough(self.counted(it))

    def takes_vote(self, it: Asked, name: str, now: datetime) -> bool:
        """Tell whether a request takes the vote of somebody, signed by the key that they have."""
        person = self.people[name]
        is_open = it.status == "PENDING" and now < it.expires_at and it.version == self.version
        has_voted = name in it.approvals or name in it.refusals
        is_theirs = not person.has_left and not person.key.is_revoked and person.key.enrolled_at <= it.asked_at
        return is_open and not has_voted and is_theirs

    def vote(self, it: Asked, name: str, *, approves: bool) -> None:
        """Count a vote that was taken."""
        if approves:
            it.approvals[name] = self.people[name].key
        else:
            it.refusals.add(name)
        able = [each.name for each in self.people.values() if not each.has_left and each.name not in it.refusals]
        if self.is_enough(self.counted(it)):
            it.status = "APPROVED"
        elif not self.is_enough(able):
            it.status = "FAILED"

    def able(self) -> set[str]:
        """Return who has a key of their own now."""
        return self._owners({name: each.key for name, each in self.people.items()})

    def may_change(self, it: Asked, least: int) -> bool:
        """Tell whether a change that the team has approved comes into force: all of it are there, and enough have keys."""
        return self.is_enough(self.able(), least) and not any(self.people[name].has_left for name in it.members)

    def change_team(self) -> None:
        """Let another version of the team come into force: what waits is void."""
        self.version += 1
        for it in self.asked:
            it.status = "FAILED" if it.status == "PENDING" else it.status

    def _owners(self, keys: Mapping[str, Key], before: datetime | None = None) -> set[str]:
        owners: dict[str, str] = {}
        for name, key in keys.items():
            is_good = not self.people[name].has_left and not key.is_revoked
            if is_good and (before is None or key.enrolled_at <= before):
                owners.setdefault(key.material, name)
        return set(owners.values())
