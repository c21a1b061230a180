"""Policies: the list, and one policy's document, versions and holders."""

from __future__ import annotations

import difflib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import frame, web
from crownkeep.console.equivalents import Equivalent
from crownkeep.console.pages import parts
from crownkeep.console.pages.parts import Part

FOLDER = "/console/policies"
SCOPES = ("All", "Local", "AWS")
_MANAGED_PATHS = ("", "job-function/", "service-role/", "aws-service-role/")
TABS = ("document", "versions", "holders")


def page(arn: str, tab: str = "") -> str:
    """Answer the address of one policy's page."""
    return parts.address(f"{FOLDER}/one", arn=arn, tab=tab)


async def policies(request: Request) -> Response:
    """List policies by kind and path, a page at a time; an ARN or an exact name goes to its policy."""
    web.signed_in(request)
    name = request.query_params.get("name", "").strip()
    arn = await _find(request, name) if name else ""
    if arn:
        return web.go(page(arn))
    scope, marker = parts.chosen(request, "scope", SCOPES), request.query_params.get("marker", "")
    path, in_use = request.query_params.get("path", ""), request.query_params.get("used", "")
    listed = await parts.ask(
        request,
        "ListPolicies",
        Scope=scope,
        PathPrefix=path,
        OnlyAttached=True if in_use else None,
        Marker=marker,
        MaxItems=parts.ROWS,
    )
    here = {"scope": scope, "path": path, "used": in_use}
    return frame.page(
        request,
        "policies.html",
        current=FOLDER,
        same=[listed.call],
        listed=listed,
        scopes=SCOPES,
        here=here,
        unknown=name,
        first=parts.address(FOLDER, **here) if marker else "",
        next_page=parts.address(FOLDER, **here, marker=listed.marker) if listed.marker else "",
    )


async def _find(request: Request, name: str) -> str:
    """Answer the ARN of the policy that is meant; IAM itself looks policies up by their ARN only."""
    if name.startswith("arn:"):
        return name
    account_id = web.signed_in(request).principal.account_id
    own = f"arn:aws:iam::{account_id}:policy/{name}"
    for arn in (own, *(f"arn:aws:iam::aws:policy/{path}{name}" for path in _MANAGED_PATHS)):
        if (await parts.ask(request, "GetPolicy", PolicyArn=arn)).refusal is None:
            return arn
    return ""


async def policy(request: Request) -> Response:
    """Show one policy: its document, its versions and how each differs from the default, or who holds it."""
    web.signed_in(request)
    arn, tab = request.query_params.get("arn", ""), parts.chosen(request, "tab", TABS)
    about = await parts.ask(request, "GetPolicy", PolicyArn=arn)
    if about.is_missing:
        return parts.missing(request, about, current=FOLDER, title="There is no such policy", back=FOLDER)
    default = str(about.one("Policy").get("DefaultVersionId", ""))
    asked = {}
    document = difference = ""
    if tab == "holders":
        marker = request.query_params.get("marker", "")
        asked["holders"] = await parts.ask(request, "ListEntitiesForPolicy", PolicyArn=arn, Marker=marker, MaxItems=parts.ROWS)
    elif tab == "versions":
        asked["versions"] = await parts.ask(request, "ListPolicyVersions", PolicyArn=arn)
    version = request.query_params.get("version", "") or default
    if tab == "document" and version:
        asked["version"] = await parts.ask(request, "GetPolicyVersion", PolicyArn=arn, VersionId=version)
        document = _document(asked["version"])
        if default and version != default:
            asked["default"] = await parts.ask(request, "GetPolicyVersion", PolicyArn=arn, VersionId=default)
            difference = _difference(_document(asked["default"]), document, default, version)
    return frame.page(
        request,
        "policy.html",
        current=FOLDER,
        same=[*parts.equivalents([about, *asked.values()]), *_changes(arn)[tab]],
        arn=arn,
        path=page(arn),
        tab=tab,
        about=about,
        asked=asked,
        version=version,
        default=default,
        document=document,
        difference=difference,
        next_page=parts.address(f"{FOLDER}/one", arn=arn, tab=tab, marker=asked[tab].marker) if tab == "holders" else "",
    )


def _changes(arn: str) -> dict[str, list[Equivalent]]:
    """Answer what each section's buttons call, for the commands that its page shows."""
    version = {"PolicyArn": arn, "VersionId": "VERSION"}
    return {
        "document": [Equivalent("iam", "DeletePolicy", {"PolicyArn": arn})],
        "versions": [Equivalent("iam", "SetDefaultPolicyVersion", version), Equivalent("iam", "DeletePolicyVersion", version)],
        "holders": [Equivalent("iam", "DetachUserPolicy", {"UserName": "USER", "PolicyArn": arn})],
    }


def _document(part: Part) -> str:
    return parts.readable(str(part.one("PolicyVersion").get("Document", "")))


def _difference(before: str, after: str, default: str, version: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), f"{default} (default)", version, lineterm="")
    return "\n".join(lines)


async def set_default(request: Request) -> Response:
    """Make another version the one that counts."""
    arn, version = _version(request)
    wanted = Equivalent("iam", "SetDefaultPolicyVersion", {"PolicyArn": arn, "VersionId": version})
    return await parts.change(request, [wanted], then=page(arn, "versions"), current=FOLDER)


async def version_deleted(request: Request) -> Response:
    """Delete a version that is not the default."""
    arn, version = _version(request)
    wanted = Equivalent("iam", "DeletePolicyVersion", {"PolicyArn": arn, "VersionId": version})
    return await parts.change(request, [wanted], then=page(arn, "versions"), current=FOLDER)


async def deleted(request: Request) -> Response:
    """Delete a policy; one that somebody holds, or that has other versions, is refused by IAM."""
    arn = web.form(request).one("arn")
    outcome = await parts.carry_out(request, [Equivalent("iam", "DeletePolicy", {"PolicyArn": arn})])
    then = FOLDER if outcome.refused is None else page(arn)
    return parts.after(request, outcome, then=then, current=FOLDER)


async def detached(request: Request) -> Response:
    """Take the policy away from one of its holders."""
    form = web.form(request)
    arn, noun = form.one("arn"), form.one("kind")
    if noun not in ("User", "Group", "Role"):
        return web.go(page(arn, "holders"))
    wanted = Equivalent("iam", f"Detach{noun}Policy", {f"{noun}Name": form.one("name"), "PolicyArn": arn})
    return await parts.change(request, [wanted], then=page(arn, "holders"), current=FOLDER)


def _version(request: Request) -> tuple[str, str]:
    form = web.form(request)
    return form.one("arn"), form.one("version")


ROUTES = [
    Route(FOLDER, policies, methods=["GET"]),
    Route(f"{FOLDER}/one", policy, methods=["GET"]),
    Route(f"{FOLDER}/default", set_default, methods=["POST"]),
    Route(f"{FOLDER}/delete-version", version_deleted, methods=["POST"]),
    Route(f"{FOLDER}/delete", deleted, methods=["POST"]),
    Route(f"{FOLDER}/detach", detached, methods=["POST"]),
]
