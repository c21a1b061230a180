"""Assignments: who may take what where, as a matrix of accounts with people and groups, and which of it gives administrator."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, parts
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.single_sign_on import instance_pages as pages
from crownkeep.console.pages.single_sign_on.instance_pages import ADMIN, ASSIGNMENTS, DIRECTORY, STORE

MOST = 100
_WIDEST = 8
"""People and groups that have a column of their own; more would be read in no matrix."""

Assigned = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One account's row of the matrix: what each column's person or group may take there."""

    account_id: str
    name: str
    cells: tuple[tuple[Assigned, ...], ...]


@dataclass(frozen=True, slots=True)
class AssignmentMatrix:
    """A page of assignments as rows of accounts and columns of people and groups."""

    columns: tuple[tuple[str, str, str], ...]
    """Type, id and name."""
    rows: tuple[MatrixRow, ...]


def matrix_of(found: Sequence[Assigned]) -> AssignmentMatrix | None:
    """Arrange assignments; None where they are of more people and groups than a matrix has columns."""
    columns = sorted(
        {(each["PrincipalType"], each["PrincipalId"], each["PrincipalName"]) for each in found}, key=lambda c: (c[0], c[2])
    )
    if len(columns) > _WIDEST:
        return None
    cells: dict[tuple[str, str], dict[str, list[Assigned]]] = {}
    for each in sorted(found, key=lambda each: str(each["PermissionSetName"]).lower()):
        row = cells.setdefault((each["AccountId"], each["AccountName"]), {})
        row.setdefault(each["PrincipalId"], []).append(each)
    rows = (
        MatrixRow(account_id, name, tuple(tuple(row.get(column[1], ())) for column in columns))
        for (account_id, name), row in sorted(cells.items(), key=lambda each: (each[0][1].lower(), each[0][0]))
    )
    return AssignmentMatrix(tuple(columns), tuple(rows))


async def listed(request: Request) -> Response:
    """Show assignments, a page at a time: all, those in an account, of a person or group, or those that give administrator."""
    return await _page(request)


async def _page(request: Request, *, refusal: Refused | None = None, entered: Mapping[str, str] | None = None) -> Response:
    """Show assignments and, on their first page alone, existing roles: both lists go on by themselves."""
    found = await pages.managed(request)
    if not found.arn:
        return pages.without_instance(request, found, ASSIGNMENTS)
    query = request.query_params
    asked = {name: query.get(name, "").strip() for name in ("account", "who", "administrators")}
    principal = await _principal(request, found.of_store, asked["who"]) if asked["who"] else ""
    wanted = {
        "AccountId": asked["account"].replace("-", ""),
        "PrincipalId": "" if isinstance(principal, Refused) else principal,
        "AdministratorsOnly": True if asked["administrators"] else None,
        "NextToken": query.get("marker", ""),
        "MaxResults": MOST,
    }
    listed, sets, existing = await _lists(request, found.of_store, wanted)
    rows = () if isinstance(principal, Refused) else listed.rows("AccountAssignments")
    return pages.page(
        request,
        "sso_assignments.html",
        current=ASSIGNMENTS,
        same=[
            listed.call,
            Equivalent(ADMIN, "CreateAccountAssignment", {**found.of_instance, **_named("SET", "ACCOUNT", "GROUP", "ID")}),
        ],
        refusal=refusal,
        listed=listed,
        existing=existing,
        nobody=isinstance(principal, Refused),
        rows=rows,
        matrix=matrix_of(rows),
        sets=sets,
        asked=asked,
        entered=entered or {},
        first=parts.address(ASSIGNMENTS, **asked) if query.get("marker") else "",
        next_page=parts.address(ASSIGNMENTS, **asked, marker=listed.marker) if listed.marker else "",
    )


async def _lists(
    request: Request, of_store: Mapping[str, str], wanted: Mapping[str, object]
) -> tuple[parts.Part, parts.Part, parts.Part | None]:
    """Return assignments, permission sets and, on the first page alone, existing roles."""
    asked = [("SearchAccountAssignments", wanted), ("SearchPermissionSets", {})]
    asked += [] if wanted["NextToken"] else [("SearchRoleEntitlements", wanted)]
    found = await asyncio.gather(*(pages.ask(request, DIRECTORY, name, **of_store, **given) for name, given in asked))
    return found[0], found[1], found[2] if len(found) > 2 else None


async def _principal(request: Request, of_store: Mapping[str, str], name: str) -> str | Refused:
    """Return the id of the person or, where there is none, the group with this name."""
    refused: Refused | None = None
    for operation, attribute, member in (("GetUserId", "userName", "UserId"), ("GetGroupId", "displayName", "GroupId")):
        named = {"UniqueAttribute": {"AttributePath": attribute, "AttributeValue": name[:1024]}}
        answer = await calls.ask(request, STORE, operation, {**of_store, "AlternateIdentifier": named})
        if not isinstance(answer, Refused):
            return str(answer[member])
        refused = answer
    return refused or ""


def _named(permission_set: str, account_id: str, kind: str, principal_id: str) -> dict[str, str]:
    principal = {"PrincipalType": kind, "PrincipalId": principal_id}
    return {"PermissionSetArn": permission_set, "TargetId": account_id, "TargetType": "AWS_ACCOUNT", **principal}


async def added(request: Request) -> Response:
    """Let a person or group take a permission set in an account; what can't be done is told with the reason."""
    entered = parts.entered(request, "set", "account", "kind", "who")
    found = await pages.managed(request)
    is_group = entered["kind"] == "GROUP"
    operation, attribute, member = ("GetGroupId", "displayName", "GroupId") if is_group else ("GetUserId", "userName", "UserId")
    named = {"UniqueAttribute": {"AttributePath": attribute, "AttributeValue": entered["who"]}}
    who = await calls.ask(request, STORE, operation, {**found.of_store, "AlternateIdentifier": named})
    if isinstance(who, Refused):
        return await _page(request, refusal=who, entered=entered)
    place = _named(entered["set"], entered["account"].replace("-", ""), "GROUP" if is_group else "USER", str(who[member]))
    made, outcome = await parts.obtain(request, Equivalent(ADMIN, "CreateAccountAssignment", {**found.of_instance, **place}))
    failed = made.get("AccountAssignmentCreationStatus", {}).get("FailureReason")
    if outcome.refused is not None or failed:
        refusal = outcome.refused or Refused("sso:CreateAccountAssignment", "FAILED", str(failed), "")
        return await _page(request, refusal=refusal, entered=entered)
    back = Equivalent(ADMIN, "DeleteAccountAssignment", {**found.of_instance, **place})
    return parts.after(
        request, outcome, then=parts.address(ASSIGNMENTS, account=place["TargetId"]), current=ASSIGNMENTS, back=[back]
    )


async def removed(request: Request) -> Response:
    """End an assignment: sessions that rest on it end with it."""
    entered = parts.entered(request, "set", "account", "kind", "id")
    found = await pages.managed(request)
    place = {**found.of_instance, **_named(entered["set"], entered["account"], entered["kind"], entered["id"])}
    wanted, back = Equivalent(ADMIN, "DeleteAccountAssignment", place), Equivalent(ADMIN, "CreateAccountAssignment", place)
    return await parts.change(request, [wanted], then=ASSIGNMENTS, current=ASSIGNMENTS, back=[back])


ROUTES = [
    Route(ASSIGNMENTS, listed, methods=["GET"]),
    Route(f"{ASSIGNMENTS}/add", added, methods=["POST"]),
    Route(f"{ASSIGNMENTS}/remove", removed, methods=["POST"]),
]
