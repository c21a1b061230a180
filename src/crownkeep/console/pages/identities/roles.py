"""One role: its policies, trust policy, tags, last access, sessions and trail."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, parts, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import ROLE
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.identities import access_report, role_limits, tabs
from crownkeep.console.pages.identities.access_report import LastAccessReport
from crownkeep.translation import gettext

TABS = ("permissions", "trust", "tags", "access", "sessions", "trail")


async def role(request: Request) -> Response:
    """Show one role and the section that the address chooses."""
    web.signed_in(request)
    name, tab = request.path_params["name"], parts.chosen(request, "tab", TABS)
    about = await parts.ask(request, "GetRole", RoleName=name)
    if about.is_missing:
        return parts.missing(
            request, about, current=ROLE.folder, title=gettext("There is no role %(name)s", name=name), back=ROLE.folder
        )
    asked = await _section(request, name, tab)
    report = await access_report.report(request) if tab == "access" else LastAccessReport(None)
    shown = about.one("Role")
    trust = parts.readable(str(shown.get("AssumeRolePolicyDocument", "")))
    return frame.page(
        request,
        "role.html",
        current=ROLE.folder,
        same=[*parts.equivalents([about, *asked.values()]), *_changes(name, tab, report, str(shown.get("Arn", "")))],
        name=name,
        path=ROLE.page(name),
        tab=tab,
        about=about,
        asked=asked,
        report=report,
        trust=trust,
        trusted=_trusted(trust),
        switching=_switching(request, name, str(shown.get("Path", "/"))),
        revoked_before=role_limits.revoked_before(asked["revoking"]) if "revoking" in asked else "",
    )


async def _section(request: Request, name: str, tab: str) -> dict[str, Part]:
    named = {"RoleName": name}
    match tab:
        case "permissions":
            managed, inline = await tabs.held_policies(request, ROLE, name)
            return {
                "managed": managed,
                "inline": inline,
                "profiles": await parts.ask(request, "ListInstanceProfilesForRole", **named),
            }
        case "tags":
            return {"tags": await parts.ask(request, "ListRoleTags", **named)}
        case "sessions":
            return {"revoking": await parts.ask(request, "GetRolePolicy", **named, PolicyName=role_limits.POLICY)}
        case "trail":
            return {"events": await tabs.events_about(request, name)}
        case _:
            return {}


def _changes(name: str, tab: str, report: LastAccessReport, arn: str) -> list[Equivalent]:
    """Return what a section's buttons call, for the commands that its page shows."""
    named = {"RoleName": name}
    match tab:
        case "permissions":
            return tabs.changes(ROLE, name)
        case "trust":
            return [Equivalent("iam", "UpdateAssumeRolePolicy", {**named, "PolicyDocument": "DOCUMENT"})]
        case "tags":
            return [
                Equivalent("iam", "TagRole", {**named, "Tags": [{"Key": "KEY", "Value": "VALUE"}]}),
                Equivalent("iam", "UntagRole", {**named, "TagKeys": ["KEY"]}),
            ]
        case "access":
            return report.same(arn)
        case "sessions":
            return [role_limits.revoking(name, "NOW")]
        case _:
            return []


def _switching(request: Request, name: str, path: str) -> str:
    account_id = web.signed_in(request).principal.account_id
    return parts.address("/switchrole", account=account_id, roleName=f"{path.strip('/')}/{name}".lstrip("/"))


def _trusted(document: str) -> list[tuple[str, str, str]]:
    """Return whom a trust policy names, for a table: the effect, the kind of principal and its name."""
    try:
        statements: Any = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    found = []
    for each in statements if isinstance(statements, list) else [statements]:
        named = each.get("Principal", {}) if isinstance(each, dict) else {}
        kinds = named.items() if isinstance(named, dict) else [(gettext("Anybody"), named)]
        for kind, names in kinds:
            found += [
                (str(each.get("Effect", "")), str(kind), str(name)) for name in (names if isinstance(names, list) else [names])
            ]
    return found


ROUTES = [
    Route(f"{ROLE.folder}/{{name}}", role, methods=["GET"]),
]
