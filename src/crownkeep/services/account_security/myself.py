"""Whoever calls, as the one whose own security a call is about."""

from __future__ import annotations

from crownkeep import arn, errors
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.storage.identities import tags


def myself(call: Call, **_: object) -> Target:
    """Whoever calls, as policies name the user, root or session."""
    person = call.principal
    if person.kind is PrincipalKind.ROOT:
        return Target(arn.root(person.account_id))
    if person.kind is PrincipalKind.USER:
        return Target(person.arn, tags=lambda: tags.of_resource(call.db, call.account_id, person.unique_id))
    return Target(person.arn)


def with_credentials(call: Call) -> Principal:
    """Return whoever calls; raises AccessDenied for one that has no credentials of its own, such as a role's session."""
    person = call.principal
    if person.kind not in (PrincipalKind.ROOT, PrincipalKind.USER, PrincipalKind.PERSON):
        raise errors.AccessDenied("This session has no credentials of its own.")
    return person


def name_of(person: Principal) -> str:
    """Return how EnableMFADevice and its like are told who is meant; root is named by the account's id."""
    return person.account_id if person.kind is PrincipalKind.ROOT else person.name


def note(call: Call) -> None:
    """Name the calling user, or for root the account, in the call's record; other sessions are named by it as its callers."""
    person = call.principal
    if person.kind is PrincipalKind.USER:
        call.notes.resources.append(("AWS::IAM::User", person.arn))
    elif person.kind is PrincipalKind.ROOT:
        call.notes.resources.append(("AWS::Organizations::Account", person.account_id))
