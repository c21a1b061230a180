"""The policy editor: a new policy or a new version, and what is wrong with it, told by line and column before it is saved."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, frame, parts, policy_documents, policy_pages, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.console.kit.policy_documents import EXAMPLE, Checked
from crownkeep.translation import gettext

CREATE = f"{policy_pages.FOLDER}/create"
NEW_VERSION = f"{policy_pages.FOLDER}/new-version"


async def create(request: Request) -> Response:
    """Ask for a new policy."""
    web.signed_in(request)
    return _editor(request, {"name": "", "path": "/", "description": "", "document": EXAMPLE, "arn": ""})


async def new_version(request: Request) -> Response:
    """Ask for a new version, beginning with the version that counts."""
    web.signed_in(request)
    arn = request.query_params.get("arn", "")
    about = await parts.ask(request, "GetPolicy", PolicyArn=arn)
    if about.is_missing:
        folder = policy_pages.FOLDER
        return parts.missing(request, about, current=folder, title=gettext("There is no such policy"), back=folder)
    default = str(about.one("Policy").get("DefaultVersionId", ""))
    found = await parts.ask(request, "GetPolicyVersion", PolicyArn=arn, VersionId=default)
    document = parts.readable(str(found.one("PolicyVersion").get("Document", "")))
    entered = {"name": arn.rpartition("/")[2], "path": "", "description": "", "document": document, "arn": arn}
    return _editor(request, entered, unseen=next((part for part in (about, found) if part.refusal is not None), None))


async def saved(request: Request) -> Response:
    """Validate the document, and save it where there is nothing to say about it or what was said has been read."""
    entered = parts.entered(request, "name", "path", "description", "arn")
    entered["document"] = policy_documents.typed(request)
    checked = await policy_documents.check(request, entered["document"])
    if policy_documents.has_to_be_read(request, checked):
        return _editor(request, entered, checked=checked)
    result, outcome = await parts.obtain(request, _call(entered))
    if outcome.refused is not None:
        return _editor(request, entered, checked=checked, refusal=outcome.refused)
    arn = entered["arn"] or result["Policy"]["Arn"]
    return calls.go(request, policy_pages.page(arn, "versions" if entered["arn"] else ""), *outcome.made)


def _call(entered: dict[str, str]) -> Equivalent:
    if entered["arn"]:
        version = {"PolicyArn": entered["arn"], "PolicyDocument": entered["document"], "SetAsDefault": True}
        return Equivalent("iam", "CreatePolicyVersion", version)
    named: dict[str, object] = {"PolicyName": entered["name"], "Path": entered["path"] or "/"}
    if entered["description"]:
        named["Description"] = entered["description"]
    return Equivalent("iam", "CreatePolicy", {**named, "PolicyDocument": entered["document"]})


def _editor(
    request: Request,
    entered: dict[str, str],
    *,
    checked: Checked | None = None,
    refusal: Refused | None = None,
    unseen: Part | None = None,
) -> Response:
    return frame.page(
        request,
        "policy_editor.html",
        current=policy_pages.FOLDER,
        refusal=refusal,
        same=[policy_documents.validation(entered["document"]), _call({**entered, "name": entered["name"] or "NAME"})],
        entered=entered,
        action=NEW_VERSION if entered["arn"] else CREATE,
        back=policy_pages.page(entered["arn"]) if entered["arn"] else policy_pages.FOLDER,
        checked=checked,
        unseen=unseen,
    )


ROUTES = [
    Route(CREATE, create, methods=["GET"]),
    Route(CREATE, saved, methods=["POST"]),
    Route(NEW_VERSION, new_version, methods=["GET"]),
    Route(NEW_VERSION, saved, methods=["POST"]),
]
