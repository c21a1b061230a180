"""One policy: its document, versions and holders."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import danger, frame, parts, policy_pages, policy_summary, web
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.translation import gettext

TABS = ("document", "versions", "holders")


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """One line of a difference: `+` for what came, `-` for what went, a space for what stayed."""

    sign: str
    text: str


async def policy(request: Request) -> Response:
    """Show one policy: its document and what it grants, its versions and how they differ, or who holds it."""
    web.signed_in(request)
    arn, tab = request.query_params.get("arn", ""), parts.chosen(request, "tab", TABS)
    about = await parts.ask(request, "GetPolicy", PolicyArn=arn)
    if about.is_missing:
        folder = policy_pages.FOLDER
        return parts.missing(request, about, current=folder, title=gettext("There is no such policy"), back=folder)
    default = str(about.one("Policy").get("DefaultVersionId", ""))
    version = request.query_params.get("version", "") or default
    against = request.query_params.get("against", "") or default
    asked = await _section(request, arn, tab, version, against)
    document = _document(asked["version"]) if "version" in asked else ""
    more = asked["holders"].marker if "holders" in asked else ""
    return frame.page(
        request,
        "policy.html",
        current=policy_pages.FOLDER,
        same=[*parts.equivalents([about, *asked.values()]), *_changes(arn)[tab]],
        arn=arn,
        path=policy_pages.page(arn),
        tab=tab,
        about=about,
        asked=asked,
        version=version,
        against=against,
        default=default,
        document=document,
        summary=policy_summary.summarize(document) if document else None,
        difference=_difference(_document(asked["against"]), document) if "against" in asked else [],
        next_page=parts.address(f"{policy_pages.FOLDER}/one", arn=arn, tab=tab, marker=more) if more else "",
    )


async def _section(request: Request, arn: str, tab: str, version: str, against: str) -> dict[str, Part]:
    if tab == "holders":
        marker = request.query_params.get("marker", "")
        return {"holders": await parts.ask(request, "ListEntitiesForPolicy", PolicyArn=arn, Marker=marker, MaxItems=parts.ROWS)}
    if tab == "versions":
        return {"versions": await parts.ask(request, "ListPolicyVersions", PolicyArn=arn)}
    asked = {}
    if version:
        asked["version"] = await parts.ask(request, "GetPolicyVersion", PolicyArn=arn, VersionId=version)
    if against and against != version:
        asked["against"] = await parts.ask(request, "GetPolicyVersion", PolicyArn=arn, VersionId=against)
    return asked


def _changes(arn: str) -> dict[str, list[Equivalent]]:
    """Return what each section's buttons call, for the commands that its page shows."""
    version = {"PolicyArn": arn, "VersionId": "VERSION"}
    return {
        "document": [Equivalent("iam", "DeletePolicy", {"PolicyArn": arn})],
        "versions": [Equivalent("iam", "SetDefaultPolicyVersion", version), Equivalent("iam", "DeletePolicyVersion", version)],
        "holders": [Equivalent("iam", "DetachUserPolicy", {"UserName": "USER", "PolicyArn": arn})],
    }


def _document(part: Part) -> str:
    return parts.readable(str(part.one("PolicyVersion").get("Document", "")))


def _difference(before: str, after: str) -> list[DifferenceLine]:
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm=""))
    return [DifferenceLine(line[0], line[1:]) for line in lines[2:]]


async def set_default(request: Request) -> Response:
    """Make another version the one that counts."""
    arn, version = _version(request)
    before = web.form(request).one("before")
    wanted, back = (
        Equivalent("iam", "SetDefaultPolicyVersion", {"PolicyArn": arn, "VersionId": each}) for each in (version, before)
    )
    then = policy_pages.page(arn, "versions")
    return await parts.change(request, [wanted], then=then, current=policy_pages.FOLDER, back=[back] if before else [])


async def version_deleted(request: Request) -> Response:
    """Delete a version that is not the default."""
    arn, version = _version(request)
    then = policy_pages.page(arn, "versions")
    text = gettext("Its document is deleted. The default version and the others stay.")
    danger.require(
        request,
        Ending(
            version,
            gettext("Delete version %(version)s?", version=version),
            text,
            gettext("Delete version"),
            then,
            {gettext("Policy"): arn},
        ),
    )
    wanted = Equivalent("iam", "DeletePolicyVersion", {"PolicyArn": arn, "VersionId": version})
    return await parts.change(request, [wanted], then=then, current=policy_pages.FOLDER)


async def deleted(request: Request) -> Response:
    """Delete a policy once its name was typed; one that somebody holds, or that has other versions, is refused by IAM."""
    arn = web.form(request).one("arn")
    name = arn.rpartition("/")[2]
    text = gettext("All its versions are deleted with it. While anybody holds it, it can't be deleted: detach it first.")
    danger.require(
        request,
        Ending(
            name,
            gettext("Delete the policy %(name)s?", name=name),
            text,
            gettext("Delete policy"),
            policy_pages.page(arn),
            {"ARN": arn},
        ),
    )
    outcome = await parts.carry_out(request, [Equivalent("iam", "DeletePolicy", {"PolicyArn": arn})])
    then = policy_pages.FOLDER if outcome.refused is None else policy_pages.page(arn)
    return parts.after(request, outcome, then=then, current=policy_pages.FOLDER)


async def detached(request: Request) -> Response:
    """Take the policy away from one of its holders."""
    form = web.form(request)
    arn, noun = form.one("arn"), form.one("kind")
    if noun not in ("User", "Group", "Role"):
        return web.go(policy_pages.page(arn, "holders"))
    names = {f"{noun}Name": form.one("name"), "PolicyArn": arn}
    wanted, back = (Equivalent("iam", f"{verb}{noun}Policy", names) for verb in ("Detach", "Attach"))
    return await parts.change(request, [wanted], then=policy_pages.page(arn, "holders"), current=policy_pages.FOLDER, back=[back])


def _version(request: Request) -> tuple[str, str]:
    form = web.form(request)
    return form.one("arn"), form.one("version")


ROUTES = [
    Route(f"{policy_pages.FOLDER}/one", policy, methods=["GET"]),
    Route(f"{policy_pages.FOLDER}/default", set_default, methods=["POST"]),
    Route(f"{policy_pages.FOLDER}/delete-version", version_deleted, methods=["POST"]),
    Route(f"{policy_pages.FOLDER}/delete", deleted, methods=["POST"]),
    Route(f"{policy_pages.FOLDER}/detach", detached, methods=["POST"]),
]
