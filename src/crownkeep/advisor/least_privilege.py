"""Least privilege: a policy out of what was recorded of a user or role, proven by replay, and what it takes away, counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crownkeep.advisor import entities, policy_sets, what_if
from crownkeep.advisor.entities import Entities
from crownkeep.advisor.holdings import Holdings
from crownkeep.advisor.recorded import Occurrence, RecordedEvent, RecordedUse, UseKind
from crownkeep.catalogue import actions
from crownkeep.catalogue.actions import AccessLevel
from crownkeep.policy import (
    ALWAYS_ALLOWED,
    Applicable,
    Context,
    PolicyKind,
    PolicyRequest,
    PolicySet,
    PolicySource,
    authorize,
)

LARGEST = 6_144
"""Characters, white space aside, that a managed policy may have (IAM user guide, "IAM and AWS STS quotas")."""

_VERBS = ("BatchGet", "Describe", "Get", "List")
_READING = frozenset({AccessLevel.LIST, AccessLevel.READ})


class NothingRecorded(Exception):
    """There is no use that a policy could be made of."""


@dataclass(frozen=True, slots=True)
class _Thrift:
    """From how many on names are put together under one pattern."""

    resources: int
    climbs: int
    """How many folders up."""
    actions: int


_THRIFTS = (_Thrift(9, 1, 6), _Thrift(5, 1, 4), _Thrift(5, 2, 4), _Thrift(3, 3, 3), _Thrift(2, 9, 2))
"""Tried in this order, until the policy is small enough."""


@dataclass(frozen=True, slots=True)
class RecordedAction:
    """An action that was recorded, how often, when last, and on how many resources."""

    action: str
    count: int
    last_seen: str
    resources: int


@dataclass(frozen=True, slots=True)
class TakenAway:
    """How many actions a principal may take on anything at all, before and after."""

    before: int
    after: int
    services: tuple[str, ...]
    """Services that it could use, and can't any more."""


@dataclass(frozen=True, slots=True)
class ProposedPolicy:
    """A policy that allows what was recorded."""

    principal: str
    document: Mapping[str, Any]
    events: int
    recorded: tuple[RecordedAction, ...]
    wildcards: Mapping[str, int]
    """Patterns of actions, each with how many actions it allows beside those recorded."""
    denied: tuple[str, ...]
    """Recorded uses that the policy would deny: none, and looked for one by one."""
    taken: TakenAway | None
    """None where it is not known what the principal may do today."""

    @property
    def size(self) -> int:
        """How many characters count against the quota."""
        return size_of(self.document)


def size_of(document: Mapping[str, Any]) -> int:
    """Return how many characters of a policy count against the quota."""
    return len("".join(entities.text_of(document).split()))


def propose(events: Iterable[RecordedEvent], principal_arn: str, found: Entities | None = None) -> ProposedPolicy:
    """Make a policy of what was recorded of a user or role; raises NothingRecorded."""
    # Records write ARNs of sessions without the role's path, and policies need them with it.
    use = RecordedUse(paths=what_if.paths_of(found))
    use.take(events)
    # What no policy decides, such as signing in, would only make the policy longer.
    of_it = {each: seen for each, seen in use.uses.items() if each.who.holder == principal_arn and _is_decided(each)}
    if not of_it:
        raise NothingRecorded(f"nothing is recorded of {principal_arn} that a policy decides")
    document, wildcards = _smallest(of_it)
    # The proposal is read back by the engine itself, and every recorded use is asked of it again below.
    policies = policy_sets.of([(PolicySource(PolicyKind.IDENTITY, "proposed"), entities.text_of(document))])
    return ProposedPolicy(
        principal_arn,
        document,
        use.events,
        _recorded(of_it),
        wildcards,
        tuple(sorted({f"{each.action} {each.resource or '*'}" for each in of_it if not _allows(policies, each)})),
        _taken(principal_arn, found, policies) if found is not None else None,
    )


def _is_decided(use: UseKind) -> bool:
    return not use.action.startswith("signin:") and use.action not in ALWAYS_ALLOWED


def _recorded(uses: Mapping[UseKind, Occurrence]) -> tuple[RecordedAction, ...]:
    by_action: dict[str, list[tuple[UseKind, Occurrence]]] = {}
    for use, seen in uses.items():
        by_action.setdefault(use.action, []).append((use, seen))
    return tuple(
        RecordedAction(
            action,
            sum(seen.count for _, seen in found),
            max(seen.last for _, seen in found),
            len({use.resource for use, _ in found if use.resource not in (None, "*")}),
        )
        for action, found in sorted(by_action.items())
    )


def _smallest(uses: Iterable[UseKind]) -> tuple[Mapping[str, Any], Mapping[str, int]]:
    kinds = list(uses)
    for thrift in _THRIFTS:
        # The exact policy comes first. Each further try trades a little precision for length.
        document, wildcards = _written(kinds, thrift)
        if size_of(document) <= LARGEST:
            break
    return document, wildcards


def _written(uses: Sequence[UseKind], thrift: _Thrift) -> tuple[Mapping[str, Any], dict[str, int]]:
    resources: dict[str, set[str | None]] = {}
    for use in uses:
        # First which resources each action needs, then which actions need the same: those share a statement.
        resources.setdefault(use.action, set()).add(use.resource)
    by_resources: dict[tuple[str, ...], list[str]] = {}
    for action, found in sorted(resources.items()):
        by_resources.setdefault(_patterns(found, thrift.resources, thrift.climbs), []).append(action)
    wildcards: dict[str, int] = {}
    statements = []
    for patterns, named in sorted(by_resources.items()):
        written = _together(named, thrift.actions, wildcards)
        statements.append({"Effect": "Allow", "Action": _one(written), "Resource": _one(patterns)})
    return {"Version": "2012-10-17", "Statement": statements}, wildcards


def _one(texts: Sequence[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else list(texts)


def _patterns(found: set[str | None], most: int, climbs: int) -> tuple[str, ...]:
    """Return the resources, or patterns of them where there are many; what a record did not name can be any."""
    # One use on an unknown resource makes any narrower pattern useless for this action.
    if None in found or "*" in found:
        return ("*",)
    named = sorted(each for each in found if each is not None)
    if len(named) < most:
        return tuple(_literal(each) for each in named)
    # An object may be called by separators alone (`bucket//`): its own are no folder's, or other buckets would be opened.
    folders = {_folder(each) for each in named}
    for _ in range(climbs - 1):
        folders = {_folder(each.rstrip("/")) for each in folders}
    return tuple(f"{_literal(each)}*" for each in sorted(folders))


def _folder(arn: str) -> str:
    """Return an ARN without its last part, as far as the separator before it; never less than its service and account."""
    *start, own = arn.split(":", 5)
    cut = max(own.rfind("/"), own.rfind(":"))
    return ":".join([*start, own[: cut + 1]])


def _literal(text: str) -> str:
    """Write a text so that a policy takes it letter by letter."""
    # A `*` in an object's name would otherwise stand for anything, and the policy would allow more than was seen.
    return "".join(f"${{{each}}}" if each in "*?$" else each for each in text)


def _together(named: Sequence[str], most: int, wildcards: dict[str, int]) -> list[str]:
    """Put actions that only read together under their verb, where there are many and the pattern lets nobody write."""
    left, written = list(named), []
    for service in sorted({each.partition(":")[0] for each in named}):
        for verb in _VERBS:
            prefix = f"{service}:{verb}"
            under = [each for each in left if each.startswith(prefix)]
            meant = [each for name, each in actions.actions_of(service).items() if name.startswith(verb.lower())]
            # A verb is trusted only as far as the catalogue says that everything under it reads.
            if len(under) >= most and meant and all(each.access_level in _READING for each in meant):
                left = [each for each in left if each not in under]
                written.append(f"{prefix}*")
                # The reader is told how much more than the recorded actions the pattern allows.
                wildcards[f"{prefix}*"] = max(len(meant) - len(under), 0)
    return sorted([*left, *written])


def _allows(policies: PolicySet, use: UseKind) -> bool:
    # Without any context: the proposed policy has no conditions.
    request = PolicyRequest(what_if.principal_of(use.who), use.action, use.resource or "*", Context({}))
    return authorize(request, Applicable(identity=policies)).allowed


def _taken(principal_arn: str, found: Entities, after: PolicySet) -> TakenAway | None:
    holdings = Holdings(found)
    # Without the present policies there is nothing to compare with, and a guess would be worse than no number.
    if not holdings.knows(principal_arn):
        return None
    before = holdings.policies(principal_arn)
    had = {each for each in _every_action() if _speaks(before, each)}
    has = {each for each in _every_action() if _speaks(after, each)}
    gone = {each.partition(":")[0] for each in had} - {each.partition(":")[0] for each in has}
    return TakenAway(len(had), len(has), tuple(sorted(gone)))


def _speaks(policies: PolicySet, action: str) -> bool:
    # Whether it may be done on anything at all; on what resource is left aside, or no number would come out.
    return any(each.allows for each in policies.for_action(action).statements)


def _every_action() -> Iterable[str]:
    for service in actions.services():
        for each in actions.actions_of(service).values():
            yield each.full_name
