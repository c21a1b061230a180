"""What the pages of users, groups and roles have in common: what their tabs ask for, and whom an address names."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request

from crownkeep.console.kit import identity_kinds, parts
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import IdentityKind
from crownkeep.console.kit.parts import Part


async def held_policies(request: Request, kind: IdentityKind, name: str) -> tuple[Part, Part]:
    """Ask for the managed and for the inline policies that an identity holds."""
    named = {kind.key: name}
    return (
        await parts.ask(request, f"ListAttached{kind.noun}Policies", **named),
        await parts.ask(request, f"List{kind.noun}Policies", **named),
    )


def changes(kind: IdentityKind, name: str) -> list[Equivalent]:
    """Return what the buttons beside an identity's policies call, for the commands that its page shows."""
    bounds = [] if kind is identity_kinds.GROUP else [bounding(kind, name, "POLICY_ARN"), bounding(kind, name, "")]
    return [
        kind.call("Detach", "Policy", name, PolicyArn="POLICY_ARN"),
        kind.call("Delete", "Policy", name, PolicyName="POLICY"),
        *bounds,
    ]


def membership(group: str, user: str) -> tuple[Equivalent, Equivalent]:
    """Return the calls that put a user into a group, and take it out."""
    names = {"GroupName": group, "UserName": user}
    return Equivalent("iam", "AddUserToGroup", names), Equivalent("iam", "RemoveUserFromGroup", names)


async def events_about(request: Request, name: str) -> Part:
    """Ask for the events that an identity is a resource of."""
    by_name = [{"AttributeKey": "ResourceName", "AttributeValue": name}]
    return await parts.ask(request, "LookupEvents", service="cloudtrail", LookupAttributes=by_name, MaxResults=parts.ROWS)


def bounding(kind: IdentityKind, name: str, arn: str) -> Equivalent:
    """Return the call that sets a permissions boundary, or removes it for an empty ARN."""
    if not arn:
        return kind.call("Delete", "PermissionsBoundary", name)
    return kind.call("Put", "PermissionsBoundary", name, PermissionsBoundary=arn)


def named(request: Request) -> tuple[IdentityKind, str]:
    """Return whom an address is about; raises HTTPException (404) for what is no kind of identity."""
    return addressed(request.path_params["kind"].removesuffix("s")), request.path_params["name"]


def addressed(word: str) -> IdentityKind:
    """Return the kind of identity that a word names; raises HTTPException (404) for any other word."""
    kind = identity_kinds.KINDS.get(word)
    if kind is None:
        raise HTTPException(404)
    return kind
