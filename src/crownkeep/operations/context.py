"""The condition keys of a request: what policies may ask about who calls, from where, with what, and on which resource.

Names and meanings are AWS's (IAM user guide, "AWS global condition context keys" and the services' own keys). Each is worked out
when a policy asks for it, and only then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from crownkeep.operations.call import Call
from crownkeep.operations.organization_controls import Membership
from crownkeep.operations.registry import Target
from crownkeep.policy import Context, ContextValue
from crownkeep.principals import Anonymous, Principal, PrincipalKind
from crownkeep.storage.identities import tags

LONGEST_USER_AGENT = 1_024
"""Characters of a User-Agent header that policies see: as many as CloudTrail keeps of it ("CloudTrail record contents")."""
LONGEST_REFERER = 2_048
"""Characters of a Referer header that policies see: no URL of use is longer, and AWS names no limit."""

_PRINCIPAL_TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
}


def of_call(call: Call, target: Target, parameters: Mapping[str, object]) -> Context:
    """Return the context of a call on a target; `parameters` are the operation's arguments."""

    def resolve(key: str) -> ContextValue | None:
        fixed = _FIXED.get(key)
        if fixed is not None:
            return fixed(call)
        # Before keys are cut at a slash: a provider's keys begin with its URL, which may hold one.
        issued = _issued_with(call, key)
        if issued is not None:
            return issued
        name, slash, rest = key.partition("/")
        if slash:
            prefixed = _PREFIXED.get(name)
            return None if prefixed is None else prefixed(call, target, parameters, rest)
        if key == "aws:tagkeys":
            return _tag_keys(target, parameters)
        about_resource = _OF_RESOURCE.get(key)
        return None if about_resource is None else about_resource(call, target)

    return Context(target.context, resolve)


def membership_of(call: Call, account_id: str) -> Membership | None:
    """Return the place of any account in its organization, or None where it is in none."""
    if account_id == call.standing.account_id:
        # The caller's own standing was read already; another account's is looked up only where a policy asks for it.
        return call.standing.membership(call.db)
    standing = call.wiring.standings.of_account(call.db, account_id)
    return None if standing is None else standing.membership(call.db)


def _principal(call: Call) -> Principal | None:
    return call.caller if isinstance(call.caller, Principal) else None


def _issued_with(call: Call, key: str) -> str | None:
    """Return a key that the caller's session was issued with, such as the subject of a web identity."""
    principal = _principal(call)
    return principal.session.context.get(key) if principal and principal.session else None


def _principal_arn(call: Call) -> str | None:
    principal = _principal(call)
    return principal.policy_arn if principal else None


def _principal_account(call: Call) -> str | None:
    principal = _principal(call)
    return principal.account_id if principal else None


def _principal_type(call: Call) -> str | None:
    if isinstance(call.caller, Anonymous):
        return "Anonymous"
    principal = _principal(call)
    return _PRINCIPAL_TYPES[principal.kind] if principal else None


def _user_id(call: Call) -> str | None:
    principal = _principal(call)
    return principal.user_id if principal else None


def _username(call: Call) -> str | None:
    principal = _principal(call)
    return principal.name if principal and principal.kind is PrincipalKind.USER else None


def _token_issue_time(call: Call) -> str | None:
    principal = _principal(call)
    return _iso(principal.session.issued_at) if principal and principal.session else None


def _mfa_present(call: Call) -> str | None:
    # Long-term keys don't have the key at all, which is why policies use BoolIfExists (aws:MultiFactorAuthPresent).
    principal = _principal(call)
    if principal is None or principal.session is None:
        return None
    return "true" if principal.has_mfa else "false"


def _mfa_age(call: Call) -> str | None:
    principal = _principal(call)
    if principal is None or principal.session is None or principal.session.mfa_at is None:
        return None
    return str(max(0, int((call.now - principal.session.mfa_at).total_seconds())))


def _source_identity(call: Call) -> str | None:
    principal = _principal(call)
    return (principal.session.source_identity or None) if principal and principal.session else None


def _federated_provider(call: Call) -> str | None:
    principal = _principal(call)
    return (principal.session.federated_provider or None) if principal and principal.session else None


def _assumed_root(call: Call) -> str | None:
    principal = _principal(call)
    return "true" if principal and principal.session and principal.session.assumed_root else None


def _principal_org_id(call: Call) -> str | None:
    membership = call.standing.membership(call.db)
    return membership.organization_id if membership else None


def _principal_org_paths(call: Call) -> tuple[str, ...] | None:
    membership = call.standing.membership(call.db)
    return (membership.path,) if membership else None


_FIXED: Mapping[str, Callable[[Call], ContextValue | None]] = {
    "aws:principalarn": _principal_arn,
    "aws:principalaccount": _principal_account,
    "aws:principaltype": _principal_type,
    "aws:principalisawsservice": lambda _: "false",
    "aws:viaawsservice": lambda _: "false",
    "aws:userid": _user_id,
    "aws:username": _username,
    "aws:tokenissuetime": _token_issue_time,
    "aws:multifactorauthpresent": _mfa_present,
    "aws:multifactorauthage": _mfa_age,
    "aws:sourceidentity": _source_identity,
    "aws:federatedprovider": _federated_provider,
    "aws:assumedroot": _assumed_root,
    "aws:principalorgid": _principal_org_id,
    "aws:principalorgpaths": _principal_org_paths,
    "aws:sourceip": lambda call: call.origin.source_ip or None,
    "aws:securetransport": lambda call: "true" if call.origin.scheme == "https" else "false",
    "aws:useragent": lambda call: call.origin.user_agent[:LONGEST_USER_AGENT] or None,
    "aws:referer": lambda call: call.origin.referer[:LONGEST_REFERER] or None,
    "aws:requestedregion": lambda call: call.origin.region or None,
    "aws:currenttime": lambda call: _iso(call.now),
    "aws:epochtime": lambda call: str(int(call.now.timestamp())),
}


def _principal_tag(call: Call, _target: Target, _parameters: Mapping[str, object], key: str) -> str | None:
    principal = _principal(call)
    if principal is None:
        return None
    # A session's tag covers one of its role or user whose key differs at most in case.
    passed = _tag(principal.session.tags, key) if principal.session else None
    # Root has no tags of its own, only what its session was given.
    if passed is not None or principal.kind is PrincipalKind.ROOT:
        return passed
    return _tag(tags.of_resource(call.db, principal.account_id, principal.unique_id), key)


def _resource_tag(_call: Call, target: Target, _parameters: Mapping[str, object], key: str) -> str | None:
    # A function, so that tags are read only where some condition names one.
    return _tag(target.tags(), key)


def _request_tag(_call: Call, _target: Target, parameters: Mapping[str, object], key: str) -> str | None:
    return _tag({str(tag.get("Key", "")): str(tag.get("Value", "")) for tag in _sent_tags(parameters)}, key)


_PREFIXED: Mapping[str, Callable[[Call, Target, Mapping[str, object], str], str | None]] = {
    "aws:principaltag": _principal_tag,
    "aws:resourcetag": _resource_tag,
    "iam:resourcetag": _resource_tag,
    "aws:requesttag": _request_tag,
}


def _sent_tags(parameters: Mapping[str, object]) -> list[Mapping[str, object]]:
    sent = parameters.get("tags", parameters.get("tags_list"))
    # Some services take tags as a map, others as a list of pairs.
    if isinstance(sent, Mapping):
        return [{"Key": key, "Value": value} for key, value in sent.items()]
    return [tag for tag in sent if isinstance(tag, Mapping)] if isinstance(sent, Sequence) else []


def _tag_keys(target: Target, parameters: Mapping[str, object]) -> tuple[str, ...]:
    """Return the keys of a request as they were sent, and as the target has them where it spells them in another case.

    A key takes the place of, or takes away, one that differs in case alone: what is about to change is asked about as well.
    """
    removed = parameters.get("tag_keys")
    named = [str(key) for key in removed] if isinstance(removed, Sequence) and not isinstance(removed, str) else []
    sent = [*(str(tag.get("Key", "")) for tag in _sent_tags(parameters)), *named]
    if not sent:
        return ()
    # Compared without regard to case: a policy that protects `Team` must also see an attempt to write `team`.
    folded = {key.lower() for key in sent}
    return tuple(dict.fromkeys((*sent, *(key for key in target.tags() if key.lower() in folded))))


def _tag(found: Mapping[str, str], key: str) -> str | None:
    """Find a tag by a key in lower case: key names are compared without regard to case in conditions."""
    for name, value in found.items():
        if name.lower() == key:
            return value
    return None


def _account_of(_call: Call, target: Target) -> str | None:
    parts = (target.arn or "").split(":", 5)
    return parts[4] or None if len(parts) == 6 else None


def _membership_over(call: Call, target: Target) -> Membership | None:
    account_id = _account_of(call, target)
    return None if account_id is None else membership_of(call, account_id)


def _resource_org_id(call: Call, target: Target) -> str | None:
    membership = _membership_over(call, target)
    return membership.organization_id if membership else None


def _resource_org_paths(call: Call, target: Target) -> tuple[str, ...] | None:
    membership = _membership_over(call, target)
    return (membership.path,) if membership else None


_OF_RESOURCE: Mapping[str, Callable[[Call, Target], ContextValue | None]] = {
    "aws:resourceaccount": _account_of,
    "aws:resourceorgid": _resource_org_id,
    "aws:resourceorgpaths": _resource_org_paths,
}


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
