"""A model of sealed acts that is simple enough to be believed: who may do what now, by counting people and keys alone."""

from __future__ import annotations

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
    version: int = 0
    asked: list[Asked] = field(default_factory=list)

    def count(self, it: Asked) -> int:
        """Return how many people who still are in the team have approved, each by a key of their own that still is theirs."""
        standing = {
            key.material
            for name, key in it.approvals.items()
            if not self.people[name].has_left and not key.is_revoked and key.enrolled_at <= it.asked_at
        }
        return len(standing)

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
            return self.alone_after is not None and now >= it.asked_at + self.alone_after and not it.refusals
        return it.status == "APPROVED" and self.count(it) >= self.least

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
        able = [each for each in self.people.values() if not each.has_left and each.name not in it.refusals]
        if self.count(it) >= self.least:
            it.status = "APPROVED"
        elif len(able) < self.least:
            it.status = "FAILED"

    def able(self) -> int:
        """Return how many people have a key of their own now."""
        return len({each.key.material for each in self.people.values() if not each.has_left and not each.key.is_revoked})

    def may_change(self, it: Asked, least: int) -> bool:
        """Tell whether a change that the team has approved comes into force: all of it are there, and enough have keys."""
        return self.able() >= least and not any(self.people[name].has_left for name in it.members)

    def change_team(self) -> None:
        """Let another version of the team come into force: what waits is void."""
        self.version += 1
        for it in self.asked:
            it.status = "FAILED" if it.status == "PENDING" else it.status
