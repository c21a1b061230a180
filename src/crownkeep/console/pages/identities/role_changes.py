"""Changes of a role: its trust policy, its description and its longest session."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, frame, parts, policy_documents, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import ROLE
from crownkeep.console.kit.parts import Part
from crownkeep.console.kit.policy_documents import Checked, Sort
from crownkeep.console.pages.identities import role_limits
from crownkeep.translation import gettext


async def trust(request: Request) -> Response:
    """Ask for another trust policy."""
    web.signed_in(request)
    name = request.path_params["name"]
    about = await _about(request, name)
    if about.is_missing:
        return _missing(request, about, name)
    document = parts.readable(str(about.one("Role").get("AssumeRolePolicyDocument", "")))
    return _trust_editor(request, name, document, unseen=about if about.refusal is not None else None)


async def trust_saved(request: Request) -> Response:
    """Validate the trust policy, and put it where there is nothing to say about it or what was said has been read."""
    name, document = request.path_params["name"], policy_documents.typed(request)
    checked = await policy_documents.check(request, document, Sort.TRUST)
    if policy_documents.has_to_be_read(request, checked):
        return _trust_editor(request, name, document, checked=checked)
    _, outcome = await parts.obtain(request, _trusting(name, document))
    if outcome.refused is not None:
        return _trust_editor(request, name, document, checked=checked, refusal=outcome.refused)
    return calls.go(request, ROLE.page(name, "trust"), *outcome.made)


def _trusting(name: str, document: str) -> Equivalent:
    return Equivalent("iam", "UpdateAssumeRolePolicy", {"RoleName": name, "PolicyDocument": document})


def _trust_editor(
    request: Request,
    name: str,
    document: str,
    *,
    checked: Checked | None = None,
    refusal: Refused | None = None,
    unseen: Part | None = None,
) -> Response:
    return frame.page(
        request,
        "role_trust.html",
        current=ROLE.folder,
        refusal=refusal,
        same=[policy_documents.validation(document, Sort.TRUST), _trusting(name, document)],
        name=name,
        path=ROLE.page(name),
        document=document,
        checked=checked,
        unseen=unseen,
    )


async def edit(request: Request) -> Response:
    """Ask for another description and longest session."""
    web.signed_in(request)
    name = request.path_params["name"]
    about = await _about(request, name)
    if about.is_missing:
        return _missing(request, about, name)
    role = about.one("Role")
    entered = {"description": str(role.get("Description", "")), "duration": str(role.get("MaxSessionDuration", 3600))}
    return _edit_page(request, name, entered, about=about)


async def edited(request: Request) -> Response:
    """Set the description and the longest session."""
    name = request.path_params["name"]
    entered = parts.entered(request, "description", "duration")

    async def again(refusal: Refused) -> Response:
        return _edit_page(request, name, entered, refusal=refusal)

    return await parts.change(request, [_setting(name, entered)], then=ROLE.page(name), current=ROLE.folder, show=again)


def _setting(name: str, entered: dict[str, str]) -> Equivalent:
    settings: dict[str, object] = {"RoleName": name, "Description": entered["description"]}
    if entered["duration"].isdigit():
        # Nine digits: what is longer is refused by IAM in any case, and `int` takes time over long texts.
        settings["MaxSessionDuration"] = int(entered["duration"][:9])
    return Equivalent("iam", "UpdateRole", settings)


def _edit_page(
    request: Request, name: str, entered: dict[str, str], *, about: Part | None = None, refusal: Refused | None = None
) -> Response:
    durations = role_limits.durations()
    # A length that was set by the API is offered as well, or saving the description would change it.
    if entered["duration"] not in durations:
        durations = {entered["duration"]: gettext("%(seconds)s seconds", seconds=entered["duration"]), **durations}
    return frame.page(
        request,
        "role_edit.html",
        current=ROLE.folder,
        refusal=refusal,
        same=[_setting(name, entered)],
        name=name,
        path=ROLE.page(name),
        entered=entered,
        durations=durations,
        unseen=about if about is not None and about.refusal is not None else None,
    )


async def _about(request: Request, name: str) -> Part:
    return await parts.ask(request, "GetRole", RoleName=name)


def _missing(request: Request, about: Part, name: str) -> Response:
    return parts.missing(
        request, about, current=ROLE.folder, title=gettext("There is no role %(name)s", name=name), back=ROLE.folder
    )


ROUTES = [
    Route(f"{ROLE.folder}/{{name}}/trust", trust, methods=["GET"]),
    Route(f"{ROLE.folder}/{{name}}/trust", trust_saved, methods=["POST"]),
    Route(f"{ROLE.folder}/{{name}}/edit", edit, methods=["GET"]),
    Route(f"{ROLE.folder}/{{name}}/edit", edited, methods=["POST"]),
]
