"""One group: its members and policies, and creating and deleting one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import danger, frame, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import GROUP
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.identities import access_report, tabs
from crownkeep.console.pages.identities.access_report import LastAccessReport
from crownkeep.translation import gettext

CREATE = "/console/create-group"
TABS = ("permissions", "members", "access", "trail")


async def group(request: Request) -> Response:
    """Show one group: its members a page at a time, or its policies."""
    web.signed_in(request)
    name, tab = request.path_params["name"], parts.chosen(request, "tab", TABS)
    marker = request.query_params.get("marker", "")
    about = await parts.ask(request, "GetGroup", GroupName=name, Marker=marker, MaxItems=parts.ROWS)
    if about.is_missing:
        return parts.missing(
            request, about, current=GROUP.folder, title=gettext("There is no group %(name)s", name=name), back=GROUP.folder
        )
    asked = await _section(request, name, tab)
    report = await access_report.report(request) if tab == "access" else LastAccessReport(None)
    path = GROUP.page(name)
    return frame.page(
        request,
        "group.html",
        current=GROUP.folder,
        same=[*parts.equivalents([about, *asked.values()]), *_changes(name, tab, report, str(about.one("Group").get("Arn", "")))],
        name=name,
        path=path,
        tab=tab,
        about=about,
        asked=asked,
        report=report,
        first=parts.address(path, tab=tab) if marker else "",
        next_page=parts.address(path, tab=tab, marker=about.marker) if about.marker else "",
    )


async def _section(request: Request, name: str, tab: str) -> dict[str, Part]:
    if tab == "permissions":
        managed, inline = await tabs.held_policies(request, GROUP, name)
        return {"managed": managed, "inline": inline}
    return {"events": await tabs.events_about(request, name)} if tab == "trail" else {}


def _changes(name: str, tab: str, report: LastAccessReport, arn: str) -> list[Equivalent]:
    """Return what a section's buttons call, for the commands that its page shows."""
    sections = {
        "permissions": tabs.changes(GROUP, name),
        "members": list(tabs.membership(name, "USER")),
        "access": report.same(arn),
    }
    named = {"GroupName": name}
    return [
        *sections.get(tab, []),
        Equivalent("iam", "UpdateGroup", {**named, "NewGroupName": "NAME"}),
        Equivalent("iam", "DeleteGroup", named),
    ]


async def create(request: Request) -> Response:
    """Ask what the new group is called."""
    web.signed_in(request)
    return _form_page(request, {"name": "", "path": "/"})


async def created(request: Request) -> Response:
    """Create a group."""
    entered = parts.entered(request, "name", "path")
    name = entered["name"]

    async def again(refusal: Refused) -> Response:
        return _form_page(request, entered, refusal=refusal)

    wanted = Equivalent("iam", "CreateGroup", {"GroupName": name, "Path": entered["path"] or "/"})
    return await parts.change(request, [wanted], then=GROUP.page(name), current=GROUP.folder, show=again)


def _form_page(request: Request, entered: dict[str, str], *, refusal: Refused | None = None) -> Response:
    same = Equivalent("iam", "CreateGroup", {"GroupName": entered["name"] or "NAME", "Path": entered["path"] or "/"})
    return frame.page(request, "create_group.html", current=GROUP.folder, refusal=refusal, same=[same], entered=entered)


async def member(request: Request) -> Response:
    """Put a user into the group, or take one out of it."""
    name, form = request.path_params["name"], web.form(request)
    adds, removes = tabs.membership(name, form.one("user").strip())
    wanted, back = (removes, adds) if "remove" in form else (adds, removes)
    return await parts.change(request, [wanted], then=GROUP.page(name, "members"), current=GROUP.folder, back=[back])


async def edit(request: Request) -> Response:
    """Ask for another name or path."""
    web.signed_in(request)
    name = request.path_params["name"]
    about = await parts.ask(request, "GetGroup", GroupName=name, MaxItems=1)
    if about.is_missing:
        return parts.missing(
            request, about, current=GROUP.folder, title=gettext("There is no group %(name)s", name=name), back=GROUP.folder
        )
    entered = {"name": name, "path": str(about.one("Group").get("Path", ""))}
    return _edit_page(request, name, entered, unseen=about if about.refusal is not None else None)


async def edited(request: Request) -> Response:
    """Give the group another name or path; its members and policies stay."""
    name, entered = request.path_params["name"], parts.entered(request, "name", "path")

    async def again(refusal: Refused) -> Response:
        return _edit_page(request, name, entered, refusal=refusal)

    then = GROUP.page(entered["name"] or name)
    return await parts.change(request, [_renaming(name, entered)], then=then, current=GROUP.folder, show=again)


def _renaming(name: str, entered: dict[str, str]) -> Equivalent:
    given = {"NewGroupName": entered["name"] if entered["name"] != name else "", "NewPath": entered["path"]}
    return Equivalent("iam", "UpdateGroup", {"GroupName": name, **{key: value for key, value in given.items() if value}})


def _edit_page(
    request: Request, name: str, entered: dict[str, str], *, refusal: Refused | None = None, unseen: Part | None = None
) -> Response:
    return frame.page(
        request,
        "edit_group.html",
        current=GROUP.folder,
        refusal=refusal,
        same=[_renaming(name, entered)],
        name=name,
        path=GROUP.page(name),
        entered=entered,
        unseen=unseen,
    )


async def delete(request: Request) -> Response:
    """Delete the group once its name was typed; one that has members or policies is refused by IAM."""
    name = request.path_params["name"]
    text = gettext(
        "Its name, path and ARN are free again. While it has people or policies, it can't be deleted: take them out first."
    )
    danger.require(
        request, Ending(name, gettext("Delete the group %(name)s?", name=name), text, gettext("Delete group"), GROUP.page(name))
    )
    wanted = Equivalent("iam", "DeleteGroup", {"GroupName": name})
    outcome = await parts.carry_out(request, [wanted])
    then = GROUP.folder if outcome.refused is None else GROUP.page(name)
    return parts.after(request, outcome, then=then, current=GROUP.folder)


ROUTES = [
    Route(CREATE, create, methods=["GET"]),
    Route(CREATE, created, methods=["POST"]),
    Route(f"{GROUP.folder}/{{name}}", group, methods=["GET"]),
    Route(f"{GROUP.folder}/{{name}}/member", member, methods=["POST"]),
    Route(f"{GROUP.folder}/{{name}}/edit", edit, methods=["GET"]),
    Route(f"{GROUP.folder}/{{name}}/edit", edited, methods=["POST"]),
    Route(f"{GROUP.folder}/{{name}}/delete", delete, methods=["POST"]),
]
