"""What if: who and what that was recorded would have been denied, had a change been in force, by the engine that enforces.

What was recorded was allowed by every policy that was in force, so a change is judged by what it changes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crownkeep.advisor import entities, policy_sets, recorded
from crownkeep.advisor.entities import Entities, Held
from crownkeep.advisor.holdings import Holdings, Taking
from crownkeep.advisor.recorded import RecordedEvent, RecordedUse, UseKind, Who
from crownkeep.policy import (
    ALWAYS_ALLOWED,
    NEEDS_NO_ALLOW,
    Context,
    Naming,
    PolicyKind,
    PolicyPrincipal,
    PolicyPrincipalKind,
    PolicyRequest,
    PolicySet,
    PolicySource,
    context_keys,
)
from crownkeep.policy.work import TooMuchWork

_KINDS = {
    "Root": PolicyPrincipalKind.ROOT,
    "IAMUser": PolicyPrincipalKind.USER,
    "AssumedRole": PolicyPrincipalKind.ROLE_SESSION,
    "FederatedUser": PolicyPrincipalKind.FEDERATED_USER,
}

MFA_DEMAND: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "DenyWithoutMfa",
            "Effect": "Deny",
            "NotAction": [
                "iam:CreateVirtualMFADevice",
                "iam:EnableMFADevice",
                "iam:GetMFADevice",
                "iam:GetUser",
                "iam:ListMFADevices",
                "iam:ListVirtualMFADevices",
                "iam:ResyncMFADevice",
                "sts:GetSessionToken",
            ],
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        }
    ],
}
"""What demands MFA of a user, as the user's policy: all is denied but what it takes to set MFA up (IAM user guide)."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a change does to one kind of use."""

    is_denied: bool = False
    unknown: str = ""
    """Why it can't be told; empty where it can."""


UNTOUCHED, DENIED = Judgement(), Judgement(is_denied=True)


@dataclass(frozen=True, slots=True)
class HypotheticalChange:
    """A change that nobody has made: what it is, which condition keys it depends on, and what it does to a use."""

    title: str
    judge: Callable[[UseKind], Judgement]
    keys: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()
    """What is taken for granted, in sentences."""


@dataclass(frozen=True, slots=True)
class Affected:
    """Something that was done, and would have been denied or may have been."""

    principal: str
    action: str
    count: int
    last_seen: str
    resources: tuple[str, ...]
    """A few of them."""
    reason: str = ""
    """Why it can't be told; empty where it would have been denied."""


@dataclass(frozen=True, slots=True)
class WhatIfAnswer:
    """What a change would have denied."""

    change: HypotheticalChange
    events: int
    denied: tuple[Affected, ...]
    unknown: tuple[Affected, ...]


def ask(events: Iterable[RecordedEvent], change: HypotheticalChange, found: Entities | None = None) -> WhatIfAnswer:
    """Say what a change would have denied of what was recorded."""
    # Uses that differ only in keys which the change doesn't read fall into one, so a year of records stays small.
    use = RecordedUse(change.keys, paths_of(found))
    use.take(events)
    groups: dict[tuple[bool, str, str, str], list[tuple[UseKind, recorded.Occurrence]]] = {}
    # A kind of use is judged once, however often it happened.
    for each, seen in use.uses.items():
        judged = change.judge(each)
        if judged.is_denied or judged.unknown:
            groups.setdefault((judged.is_denied, each.who.holder, each.action, judged.unknown), []).append((each, seen))
    affected = [(key[0], _affected(key, members)) for key, members in groups.items()]
    return WhatIfAnswer(
        change,
        use.events,
        tuple(sorted((each for is_denied, each in affected if is_denied), key=_order)),
        tuple(sorted((each for is_denied, each in affected if not is_denied), key=_order)),
    )


_SHOWN = 5


def _affected(key: tuple[bool, str, str, str], members: list[tuple[UseKind, recorded.Occurrence]]) -> Affected:
    _, principal, action, reason = key
    resources = sorted({use.resource for use, _ in members if use.resource is not None})
    return Affected(
        principal,
        action,
        sum(seen.count for _, seen in members),
        max(seen.last for _, seen in members),
        tuple(resources[:_SHOWN]),
        reason,
    )


def _order(each: Affected) -> tuple[int, str, str]:
    return (-each.count, each.principal, each.action)


def paths_of(found: Entities | None) -> dict[str, str]:
    """Return ARNs with a path by what they would be without one."""
    if found is None:
        return {}
    # Two names in one account never differ by path alone, so the path can be found again by the rest.
    arns = [each.arn for each in found.holders] + list(found.policies)
    return {_without_path(arn): arn for arn in arns}


def _without_path(arn: str) -> str:
    head, _, name = arn.rpartition("/")
    return f"{head.partition('/')[0]}/{name}"


def root_off() -> HypotheticalChange:
    """Root's own credentials are gone; what an organization does as root centrally goes on."""
    return HypotheticalChange(
        "Root's password and keys are gone",
        lambda use: DENIED if _is_roots_own(use.who) else UNTOUCHED,
    )


def _is_roots_own(who: Who) -> bool:
    return who.type == "Root" and not who.is_central and not who.invoked_by


def key_deleted(key_id: str) -> HypotheticalChange:
    """An access key is gone."""
    return HypotheticalChange(
        f"The access key {key_id} is gone",
        lambda use: DENIED if use.key_id == key_id else UNTOUCHED,
        assumes=("Sessions that the key began (GetSessionToken) go on until they expire.",),
    )


def mfa_required(user_arn: str = "") -> HypotheticalChange:
    """Users, or one of them, may do nothing without MFA but set it up."""
    policies = policy_sets.of([(PolicySource(PolicyKind.IDENTITY, "mfa-demand"), entities.text_of(MFA_DEMAND))])

    def judge(use: UseKind) -> Judgement:
        # Only users have a device of their own to set up.
        is_meant = use.who.type == "IAMUser" and user_arn in ("", use.who.arn)
        return _denied_by(policies, use, keys) if is_meant else UNTOUCHED

    keys = _keys(policies)
    return HypotheticalChange(f"MFA is demanded of {user_arn or 'all users'}", judge, keys)


def scp_attached(document: str, *, management_account: str = "") -> HypotheticalChange:
    """A service control policy is attached above the accounts, beside what is there; raises MalformedPolicy."""
    policies = policy_sets.of([(PolicySource(PolicyKind.SERVICE_CONTROL, "attached"), document)])
    keys = _keys(policies)

    def judge(use: UseKind) -> Judgement:
        return UNTOUCHED if _is_exempt(use.who, management_account) else _denied_by(policies, use, keys)

    assumes = ["It is attached beside FullAWSAccess, so that only what it denies counts."]
    if not management_account:
        assumes.append("The accounts are members: control policies don't bind a management account.")
    return HypotheticalChange("The control policy is attached", judge, keys, tuple(assumes))


@dataclass(frozen=True, slots=True)
class ControlLevel:
    """The documents of the service control policies of one root, unit or account: as they will be, and as they are."""

    after: tuple[str, ...]
    before: tuple[str, ...] | None = None
    """None of a level that the accounts are not below yet."""


def levels_changed(title: str, levels: Iterable[ControlLevel], *, management_account: str = "") -> HypotheticalChange:
    """Levels of service control policies are others, each of which must allow what is done below it; raises MalformedPolicy."""
    compiled = [(_level(each.after), None if each.before is None else _level(each.before)) for each in levels]
    keys = _keys(*(one for pair in compiled for one in pair if one is not None))

    def judge(use: UseKind) -> Judgement:
        if _is_exempt(use.who, management_account):
            return UNTOUCHED
        found = [_denied_at_level(after, before, use, keys) for after, before in compiled]
        return next((each for each in found if each.is_denied), next((each for each in found if each.unknown), UNTOUCHED))

    return HypotheticalChange(title, judge, keys, ("Policies elsewhere on the way to the accounts stay as they are.",))


def _level(documents: Iterable[str]) -> PolicySet:
    return policy_sets.of(
        (PolicySource(PolicyKind.SERVICE_CONTROL, f"policy {number}"), each) for number, each in enumerate(documents)
    )


def _denied_at_level(after: PolicySet, before: PolicySet | None, use: UseKind, keys: tuple[str, ...]) -> Judgement:
    said = _said(after, use, keys)
    if isinstance(said, Judgement):
        return said
    if said == "allow" or (said == "nothing" and use.action in NEEDS_NO_ALLOW):
        return UNTOUCHED
    had = "allow" if before is None else _said(before, use, keys)
    # What the level did not allow before was recorded under other policies, which are no part of the change.
    return had if isinstance(had, Judgement) else DENIED if had == "allow" else UNTOUCHED


def _is_exempt(who: Who, management_account: str) -> bool:
    # AWS exempts both: the management account and service-linked roles are bound by no service control policy.
    return who.account_id == management_account or "/aws-service-role/" in who.issuer_arn


def boundary_set(principal_arn: str, document: str, found: Entities | None = None) -> HypotheticalChange:
    """A user's or a role's permissions boundary is this one; raises MalformedPolicy."""
    policies = policy_sets.of([(PolicySource(PolicyKind.BOUNDARY, "boundary"), document)])
    keys, trusts = _keys(policies), _Trusts(found)

    def judge(use: UseKind) -> Judgement:
        if use.who.holder != principal_arn:
            return UNTOUCHED
        # A boundary allows nothing by itself, but what it doesn't allow is denied.
        said = _said(policies, use, keys)
        if isinstance(said, Judgement):
            return said
        return _lacking(said, use, trusts)

    return HypotheticalChange(f"The boundary of {principal_arn} is this policy", judge, keys)


def policy_removed(policy: str, found: Entities, *, principal_arn: str = "") -> HypotheticalChange:
    """A policy, by its ARN or an inline one's name, is taken from whoever has it, or from one user, group or role.

    What a user has of a group as well stays where it is taken from the user alone. Raises ValueError where nobody has it.
    """
    return _taken(
        f"The policy {policy} is taken from {principal_arn or 'everybody who has it'}",
        found,
        lambda _, source, held: _is_named(held, policy) and principal_arn in ("", source),
        nobody=f"the policy `{policy}` is not had by {principal_arn or 'anybody'}",
    )


def group_left(user_arn: str, group: str, found: Entities) -> HypotheticalChange:
    """A user is in a group no more, named by its name or ARN; raises ValueError where the group gives the user nothing."""
    group_arn = found.groups[group].arn if group in found.groups else group
    return _taken(
        f"{user_arn} is no member of {group} any more",
        found,
        lambda holder, source, _: holder == user_arn and source == group_arn,
        nobody=f"{user_arn} has nothing by the group `{group}`",
    )


def _taken(title: str, found: Entities, taking: Taking, *, nobody: str) -> HypotheticalChange:
    before, after = Holdings(found), Holdings(found, taking)
    if not after.holders:
        raise ValueError(nobody)
    keys, trusts = _keys(*(before.policies(each) for each in after.holders)), _Trusts(found)

    def judge(use: UseKind) -> Judgement:
        if use.who.holder not in after.holders or not after.removed(use.who.holder).for_action(use.action).statements:
            return UNTOUCHED
        had = _said(before.policies(use.who.holder), use, keys)
        left = _said(after.policies(use.who.holder), use, keys)
        if isinstance(had, Judgement) or isinstance(left, Judgement):
            return next(each for each in (left, had) if isinstance(each, Judgement))
        # What it did not allow before was allowed otherwise, or by policies that have changed since.
        return _lacking(left, use, trusts) if had == "allow" else UNTOUCHED

    return HypotheticalChange(title, judge, keys)


def _is_named(held: Held, name: str) -> bool:
    return name == (held.arn or held.name)


class _Trusts:
    """Roles' trust policies: whom they name directly needs no permission of its own to take the role on."""

    def __init__(self, found: Entities | None) -> None:
        self._roles = {each.arn: each for each in found.roles} if found is not None else {}

    def name_directly(self, use: UseKind) -> bool | None:
        """Tell whether a role that was taken on names the caller; None where its trust policy is not known."""
        role = self._roles.get(use.resource or "")
        if role is None:
            return None
        source = PolicySource(PolicyKind.TRUST, role.name)
        # A trust policy that can't be read is left out, and then names nobody.
        trust = policy_sets.of_readable([(source, entities.text_of(role.trust))])
        request = PolicyRequest(principal_of(use.who), use.action, use.resource or "*")
        found = [each.naming(request) for each in trust.for_action(use.action).statements if each.allows]
        return bool(found) and max(found) in (Naming.DIRECT, Naming.ISSUER)


def _lacking(said: str, use: UseKind, trusts: _Trusts) -> Judgement:
    """Judge what policies that must allow say: everything they don't is denied, but for what needs no Allow."""
    if said == "deny":
        return DENIED
    if said == "allow" or use.action in NEEDS_NO_ALLOW:
        return UNTOUCHED
    if use.action == "sts:AssumeRole":
        # In one account a trust policy that names the caller is enough, and its own policies then need not allow it.
        named = trusts.name_directly(use)
        if named is None:
            return Judgement(unknown="the role's trust policy is not known here, and may name the caller itself")
        return UNTOUCHED if named else DENIED
    return DENIED


def _denied_by(policies: PolicySet, use: UseKind, keys: tuple[str, ...]) -> Judgement:
    said = _said(policies, use, keys)
    if isinstance(said, Judgement):
        return said
    return DENIED if said == "deny" else UNTOUCHED


def _said(policies: PolicySet, use: UseKind, keys: tuple[str, ...]) -> str | Judgement:
    """Return what policies say to a use, `allow`, `deny` or `nothing`; a judgement where they are not asked, or can't be."""
    if use.action in ALWAYS_ALLOWED or use.action.startswith("signin:"):
        return UNTOUCHED  # signing in to the console is no action that these policies are about
    statements = policies.for_action(use.action).statements
    # Only statements about particular resources are in doubt; one for `*` holds whatever the resource was.
    if use.resource is None and any(each.statement.resources != ("*",) for each in statements):
        return Judgement(unknown="the record does not say which resource it was")
    lacking: set[str] = set()

    # The engine asks for a key only where its answer depends on it. So a key that records lack matters only if it comes here.
    def resolve(key: str) -> None:
        if key not in recorded.KNOWN:
            lacking.add(key)

    context = Context({key: value for key, value in zip(keys, use.context, strict=True) if value is not None}, resolve)
    try:
        statement = policies.decide(PolicyRequest(principal_of(use.who), use.action, use.resource or "*", context))
    except TooMuchWork:
        return "nothing"  # as the engine has it: what takes too long to compare allows nothing
    if lacking:
        return Judgement(unknown=f"records don't say {', '.join(sorted(lacking))}")
    if statement is None:
        return "nothing"
    return "allow" if statement.allows else "deny"


def principal_of(who: Who) -> PolicyPrincipal:
    """Return who did something as the engine asks about them."""
    # A session's id is that of the role, a colon and the session's name.
    unique_id = who.unique_id.partition(":")[0] or None
    if who.type == "IAMUser":
        return PolicyPrincipal(_KINDS[who.type], who.arn, who.account_id, unique_id)
    issuer = who.issuer_arn or None
    return PolicyPrincipal(_KINDS[who.type], who.arn, who.account_id, issuer_arn=issuer, issuer_unique_id=unique_id)


def _keys(*policies: PolicySet) -> tuple[str, ...]:
    documents = [each.document for one in policies for each in one.policies]
    return recorded.known_keys(context_keys(*documents))
