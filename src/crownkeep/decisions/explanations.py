"""Why somebody may do something, or not: the enforcer's own decision, asked for a principal that is not calling.

A user is taken to sign with a long-term key, a role to have a session that began just now. What a real request would know beyond
that (source address, MFA, tags that are sent) is absent unless the question gives it. Nothing is changed and nothing recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from crownkeep import arn, errors, ids, policy
from crownkeep.catalogue import actions
from crownkeep.operations import authorize, trust
from crownkeep.operations.call import Call, Origin, Wiring
from crownkeep.operations.registry import Target
from crownkeep.policy import (
    Applicable,
    ContextValue,
    Document,
    Explanation,
    PolicyKind,
    PolicySet,
    PolicySource,
    ResourcePolicyRole,
    SourceType,
)
from crownkeep.principals import Principal, PrincipalKind, Session
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import roles, tags, users
from crownkeep.storage.policies import policies

CURRENT_VERSION = "2012-10-17"
SOMEBODY = "arn:aws:iam::111122223333:user/somebody"
"""Whose policies documents are taken to be that belong to nobody yet."""

_SESSION_NAME = "session"
_SESSION_LENGTH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: may this principal take this action on this resource?"""

    principal_arn: str
    """Of a user, a role, a role's session or the root user."""
    action: str
    resource: str
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    """Condition keys that the request is to have; they go before those that are known."""
    resource_policy: PolicySet | None = None
    """The policy of the resource, where somebody else keeps it."""


@dataclass(frozen=True, slots=True)
class GivenPolicy:
    """A policy document that came with the question, and what it is called."""

    name: str
    document: str


def explain(db: Transaction, wiring: Wiring, question: Question, *, now: datetime) -> Explanation:
    """Decide for a principal of an account as the server would decide now, and tell why.

    Raises InvalidInput for what names no principal, and ResourceNotFound, AccessDenied and NoSuchEntity where its account is not
    there or closed, or it is not there itself.
    """
    parts = _parts(question.principal_arn)
    standing = wiring.standings.of_account(db, parts.account_id)
    if standing is None:
        raise errors.ResourceNotFound(f"there is no account `{parts.account_id}`; `crownkeep account list` shows them all")
    if not standing.is_active(db):
        raise errors.AccessDenied(
            f"the account `{parts.account_id}` is closed: nobody in it may do anything until it is reopened"
        )
    principal = _stored(db, parts, now)
    scheme = wiring.settings.public_url.partition(":")[0] or "http"
    origin = Origin(source_ip="", user_agent="", region="", request_id="", scheme=scheme)
    call = Call(db, parts.account_id, principal, now, origin, wiring, standing)
    # AssumeRole refuses root itself, before any policy is asked (API_AssumeRole): the engine alone would say that it is allowed.
    if principal.kind is PrincipalKind.ROOT and question.action.lower() == "sts:assumerole":
        raise errors.AccessDenied("Roles may not be assumed by root accounts.")
    return authorize.explain(call, principal, question.action, _target(call, question))


def explain_documents(documents: Sequence[GivenPolicy], question: Question, *, now: datetime) -> Explanation:
    """Decide for a user or a role that is kept nowhere and holds these documents, and tell why.

    Raises InvalidInput for what names no user or role, and MalformedPolicyDocument.
    """
    parts = _parts(question.principal_arn)
    principal = _imagined(parts, now)
    if principal.kind is PrincipalKind.ROOT:
        raise errors.InvalidInput(f"`{question.principal_arn}` is a root user, who has no policies; name a user or a role")
    known: dict[str, ContextValue] = {
        "aws:currenttime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(int(now.timestamp())),
        "aws:principalaccount": parts.account_id,
        "aws:principalarn": principal.policy_arn,
    }
    if principal.kind is PrincipalKind.USER:
        known |= {"aws:username": principal.name, "aws:principaltype": "User"}
    caller = authorize.policy_principal(principal)
    request = policy.PolicyRequest(caller, question.action, question.resource, policy.Context(question.context, known.get))
    applicable = Applicable(
        compiled(documents, PolicyKind.IDENTITY),
        resource=_foreign_policy(question, parts.account_id),
        resource_account_id=_owner(question.resource, parts.account_id),
    )
    return policy.explain(request, applicable)


def compiled(documents: Sequence[GivenPolicy], kind: PolicyKind) -> PolicySet:
    """Compile documents that came with a question, of the old version too; raises MalformedPolicyDocument in AWS's words."""
    return policy.compile_set(policy.compile_policy(_read(each, kind), source=_cited(each, kind)) for each in documents)


def is_multivalued(key: str) -> bool:
    """Tell whether a request can hold several values of a condition key, so that even a single one is one of several."""
    if key.lower() in policy.MULTIVALUED_KEYS:
        return True
    found = actions.condition_key(key)
    return found is not None and found.is_multivalued


def _read(source: GivenPolicy, kind: PolicyKind) -> Document:
    try:
        document = policy.parse(source.document)
        # New documents of the version of 2008 are refused where they are saved. Old ones are still in force, and are asked about.
        policy.validate(replace(document, version=CURRENT_VERSION), kind)
    except policy.MalformedPolicy as error:
        raise errors.MalformedPolicyDocument(f"{source.name}: {error.message}") from error
    return document


def _cited(source: GivenPolicy, kind: PolicyKind) -> PolicySource:
    of_type = SourceType.RESOURCE if kind is PolicyKind.RESOURCE else SourceType.NONE
    return PolicySource(kind, source.name, source.name, type=of_type)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A principal's ARN: whose it is, of what kind, and which."""

    arn: str
    account_id: str
    kind: PrincipalKind
    name: str = ""
    path: str = "/"
    session_name: str = _SESSION_NAME


def _parts(text: str) -> _Parts:
    parts = arn.parse(text)
    if parts is None or (parts.partition, parts.region) != (arn.PARTITION, "") or not ids.is_account_id(parts.account_id):
        raise _nobody(text)
    name, path = arn.name_and_path(parts.resource)
    match parts.service, parts.resource.split("/"):
        case "iam", ["root"]:
            return _Parts(text, parts.account_id, PrincipalKind.ROOT)
        case "iam", ["user", *_] if name:
            return _Parts(text, parts.account_id, PrincipalKind.USER, name, path)
        case "iam", ["role", *_] if name:
            return _Parts(text, parts.account_id, PrincipalKind.ROLE, name, path)
        case "sts", ["assumed-role", role_name, session_name] if role_name and session_name:
            return _Parts(text, parts.account_id, PrincipalKind.ROLE, role_name, session_name=session_name)
        case _:
            raise _nobody(text)


def _nobody(text: str) -> errors.InvalidInput:
    return errors.InvalidInput(f"`{text}` names no principal; give the ARN of a user, a role, a role's session or a root user")


def _imagined(parts: _Parts, now: datetime) -> Principal:
    if parts.kind is PrincipalKind.ROLE:
        session = Session(now, now + _SESSION_LENGTH, name=parts.session_name)
        return Principal(parts.kind, parts.account_id, "", parts.name, parts.path, session=session)
    return Principal(parts.kind, parts.account_id, "", parts.name, parts.path)


def _stored(db: Transaction, parts: _Parts, now: datetime) -> Principal:
    """Return the principal as it is kept; raises NoSuchEntity where none has this very ARN."""
    imagined = _imagined(parts, now)
    found: Principal | None = None
    match parts.kind:
        case PrincipalKind.ROOT:
            return replace(imagined, unique_id=parts.account_id)
        case PrincipalKind.USER if (user := users.named(db, parts.account_id, parts.name)) is not None:
            found = replace(imagined, unique_id=user.user_id, name=user.name, path=user.path)
        case PrincipalKind.ROLE if (role := roles.named(db, parts.account_id, parts.name)) is not None:
            found = replace(imagined, unique_id=role.role_id, name=role.name, path=role.path)
        case _:
            pass
    # Found by the name, whatever its case and path: the ARN must be the very one, or the answer would be about somebody else.
    if found is None or parts.arn not in (found.arn, found.policy_arn):
        raise errors.NoSuchEntity(f"The {parts.kind.value} with name {parts.name} cannot be found.")
    return found


def _target(call: Call, question: Question) -> Target:
    """Return the resource as the enforcer sees it: with the trust policy where a role is to be taken on, and with its tags."""
    parts = arn.parse(question.resource)
    is_iam = parts is not None and (parts.partition, parts.service, parts.region) == (arn.PARTITION, "iam", "")
    target = Target(
        question.resource,
        tags=lambda: _tags(call, question.resource) if is_iam else {},
        context=question.context,
        policy=_foreign_policy(question, call.account_id),
        account_id=_owner(question.resource, call.account_id),
    )
    if not is_iam or not question.resource.partition(":role/")[1] or not question.action.lower().startswith("sts:"):
        return target
    return replace(target, policy=_trust_policy(call, question.resource), policy_role=ResourcePolicyRole.TRUST)


def _owner(resource: str, otherwise: str) -> str:
    parts = arn.parse(resource)
    return parts.account_id if parts is not None and ids.is_account_id(parts.account_id) else otherwise


def _foreign_policy(question: Question, account_id: str) -> PolicySet | None:
    """Return the resource's policy: the one that was given; one that allows nothing where another account's has none."""
    # Across accounts both sides must allow. A policy that was not given can't be taken for one that allows.
    if question.resource_policy is not None or _owner(question.resource, account_id) == account_id:
        return question.resource_policy
    return policy.EMPTY


def _trust_policy(call: Call, role_arn: str) -> PolicySet:
    """Return a role's trust policy; one that allows nothing where there is no such role, or its account is closed."""
    account_id = _owner(role_arn, call.account_id)
    standing = call.wiring.standings.of_account(call.db, account_id)
    role = roles.named(call.db, account_id, role_arn.rpartition("/")[2])
    if standing is None or not standing.is_active(call.db) or role is None:
        return policy.EMPTY
    return trust.policy_of(role) if arn.role(account_id, role.path, role.name) == role_arn else policy.EMPTY


def _tags(call: Call, resource: str) -> Mapping[str, str]:
    account_id = _owner(resource, call.account_id)
    kind = resource.split(":", 5)[5].partition("/")[0]
    find = _IDS.get(kind)
    resource_id = find(call.db, account_id, resource) if find is not None else None
    return tags.of_resource(call.db, account_id, resource_id) if resource_id is not None else {}


def _user_id(db: Transaction, account_id: str, user_arn: str) -> str | None:
    row = users.named(db, account_id, user_arn.rpartition("/")[2])
    return row.user_id if row is not None and arn.user(account_id, row.path, row.name) == user_arn else None


def _role_id(db: Transaction, account_id: str, role_arn: str) -> str | None:
    row = roles.named(db, account_id, role_arn.rpartition("/")[2])
    return row.role_id if row is not None and arn.role(account_id, row.path, row.name) == role_arn else None


def _policy_id(db: Transaction, account_id: str, policy_arn: str) -> str | None:
    row = policies.with_arn(db, account_id, policy_arn)
    return row.policy_id if row is not None else None


_IDS: Mapping[str, Callable[[Transaction, str, str], str | None]] = {"user": _user_id, "role": _role_id, "policy": _policy_id}
"""How the unique id is found, by which tags are kept, of what has tags and statements often speak of."""
