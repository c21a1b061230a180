"""A tlog-policy file (C2SP tlog-policy): which logs and witnesses are trusted, and how many of them must have signed."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from crownkeep.audit import checkpoints, notes
from crownkeep.audit.checkpoints import Signed
from crownkeep.audit.notes import BadSignature, MalformedNote, Note, SignatureType, VerifierKey

NONE = "none"
_NUMBER = re.compile("[1-9][0-9]{0,8}")


class MalformedTlogPolicy(ValueError):
    """The file is no policy; the text names the line."""


@dataclass(frozen=True, slots=True)
class Party:
    """A log or a witness: its key, and where it is reached."""

    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """How many of which witnesses and groups count as one."""

    least: int
    members: tuple[str, ...]


@dataclass(slots=True)
class Policy:
    """Whom a verifier trusts."""

    logs: list[Party] = field(default_factory=list)
    witnesses: dict[str, Party] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    """Of all groups."""
    quorum: str = ""

    @property
    def keys(self) -> list[VerifierKey]:
        """Every key that it names."""
        return [party.key for party in (*self.logs, *self.witnesses.values())]

    def is_met_by(self, keys: Collection[VerifierKey]) -> bool:
        """Tell whether enough witnesses are among those who have signed."""
        if self.quorum == NONE:
            return True
        counted = {name for name, witness in self.witnesses.items() if witness.key in keys}
        # A group's members stand in lines before its own: one pass is enough, however deep groups lie in one another.
        for name, group in self.groups.items():
            if sum(each in counted for each in group.members) >= group.least:
                counted.add(name)
        return self.quorum in counted

    def check(self, note: Note) -> list[Signed]:
        """Return who of those whom the policy names has signed a checkpoint.

        Raises BadSignature unless a log that it names has, and the quorum of witnesses with it.
        """
        found = checkpoints.signed_by(note, self.keys)
        signed = [each.key for each in found]
        origin = checkpoints.read(note).origin
        if not any(log.key in signed and log.key.name == origin for log in self.logs):
            raise BadSignature(f"no key that the policy gives for the log `{origin}` has signed")
        if not self.is_met_by(signed):
            raise BadSignature("fewer witnesses have signed than the policy asks for")
        return found


def trusting(keys: Sequence[VerifierKey]) -> Policy:
    """Return the policy that trusts these logs, and asks for no witness."""
    return Policy(logs=[Party(key) for key in keys], quorum=NONE)


def read(content: bytes) -> Policy:
    """Read a policy; raises MalformedPolicy."""
    if re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", content):
        raise MalformedTlogPolicy("the policy holds control characters")
    policy = Policy()
    # Octets that are no ASCII have no meaning beyond being the same or not.
    for number, line in enumerate(content.decode("utf-8", "surrogateescape").split("\n"), 1):
        words = [word for word in re.split("[ \t]+", line) if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            _read_line(policy, words)
        except (MalformedNote, MalformedTlogPolicy) as error:
            raise MalformedTlogPolicy(f"line {number}: {error}") from error
    if not policy.quorum:
        raise MalformedTlogPolicy("the policy has no `quorum` line")
    return policy


def _read_line(policy: Policy, words: Sequence[str]) -> None:
    match words:
        case ["log", vkey, *url] if len(url) <= 1:
            policy.logs.append(Party(_fresh(policy, vkey, witness=False), *url))
        case ["witness", name, vkey, *url] if len(url) <= 1:
            policy.witnesses[_new(policy, name)] = Party(_fresh(policy, vkey, witness=True), *url)
        case ["group", name, least, *members] if members:
            policy.groups[_new(policy, name)] = _group(policy, least, members)
        case ["quorum", name] if not policy.quorum:
            if name != NONE and not _is_known(policy, name):
                raise MalformedTlogPolicy(f"`{name}` is no witness and no group of a line before")
            policy.quorum = name
        case _:
            raise MalformedTlogPolicy("a line is `log`, `witness`, `group` or, once, `quorum`, with what belongs to it")


def _group(policy: Policy, least: str, members: Sequence[str]) -> Group:
    unknown = [each for each in members if not _is_known(policy, each)]
    if unknown:
        raise MalformedTlogPolicy(f"`{unknown[0]}` is no witness and no group of a line before")
    if len(set(members)) != len(members) or not policy.members.isdisjoint(members):
        raise MalformedTlogPolicy("a name is a member once, of one group")
    policy.members.update(members)
    if least not in ("any", "all") and not _NUMBER.fullmatch(least):
        raise MalformedTlogPolicy("a group asks for `any`, `all` or a number of its members")
    count = {"any": 1, "all": len(members)}.get(least) or int(least)
    if count > len(members):
        raise MalformedTlogPolicy("a group asks for more members than it has")
    return Group(count, tuple(members))


def _fresh(policy: Policy, vkey: str, *, witness: bool) -> VerifierKey:
    key = notes.read_key(vkey)
    parties: Sequence[Party] = [*policy.witnesses.values()] if witness else policy.logs
    if any(party.key.public == key.public for party in parties):
        raise MalformedTlogPolicy("the same public key stands in another line")
    if witness and key.type is SignatureType.ED25519:
        raise MalformedTlogPolicy("a witness signs with a key of type 4 or 6")
    return key


def _new(policy: Policy, name: str) -> str:
    if name == NONE or _is_known(policy, name):
        raise MalformedTlogPolicy(f"the name `{name}` is taken")
    return name


def _is_known(policy: Policy, name: str) -> bool:
    return name in policy.witnesses or name in policy.groups
