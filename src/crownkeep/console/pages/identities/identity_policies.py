"""Inline policies of users, groups and roles: shown with what they grant, written, changed and deleted."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, danger, frame, parts, policy_documents, policy_summary, undo, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import IdentityKind
from crownkeep.console.kit.parts import Part
from crownkeep.console.kit.policy_documents import EXAMPLE, Checked
from crownkeep.console.pages.identities import tabs
from crownkeep.translation import gettext


async def inline(request: Request) -> Response:
    """Show an inline policy."""
    web.signed_in(request)
    kind, name = tabs.named(request)
    policy = request.query_params.get("policy", "")
    found = await _found(request, kind, name, policy)
    if found.is_missing:
        return parts.missing(request, found, current=kind.folder, title=gettext("There is no such policy"), back=kind.page(name))
    document = parts.readable(found.text("PolicyDocument"))
    return frame.page(
        request,
        "inline_policy.html",
        current=kind.folder,
        same=[found.call, kind.call("Delete", "Policy", name, PolicyName=policy)],
        kind=kind,
        name=name,
        policy=policy,
        found=found,
        document=document,
        summary=policy_summary.summarize(document),
    )


async def deleted(request: Request) -> Response:
    """Delete an inline policy; putting it back is offered where its document is short, and its name asked for where it isn't."""
    kind, name = tabs.named(request)
    policy = web.form(request).one("policy")
    found = await _found(request, kind, name, policy)
    entered = {"policy": policy, "document": unquote(found.text("PolicyDocument"))}
    wanted = kind.call("Delete", "Policy", name, PolicyName=policy)
    back = [_call(kind, name, entered)] if entered["document"] else []
    then = kind.page(name, "permissions")
    if not undo.offer(request, back, then=then):
        text = gettext("Its document goes, and %(name)s loses what it allows. It can't be brought back from here.", name=name)
        danger.require(
            request, Ending(policy, gettext("Delete %(policy)s?", policy=policy), text, gettext("Delete policy"), then)
        )
    return await parts.change(request, [wanted], then=then, current=kind.folder, back=back)


async def edit(request: Request) -> Response:
    """Ask for a new inline policy, or for another document of one that is there."""
    web.signed_in(request)
    kind, name = tabs.named(request)
    policy = request.query_params.get("policy", "")
    if not policy:
        return _editor(request, kind, name, {"policy": "", "document": EXAMPLE, "is_new": "1"})
    found = await _found(request, kind, name, policy)
    if found.is_missing:
        return parts.missing(request, found, current=kind.folder, title=gettext("There is no such policy"), back=kind.page(name))
    entered = {"policy": policy, "document": parts.readable(found.text("PolicyDocument")), "is_new": ""}
    return _editor(request, kind, name, entered, unseen=found if found.refusal is not None else None)


async def saved(request: Request) -> Response:
    """Validate the document, and put it where there is nothing to say about it or what was said has been read.

    IAM puts a document in the place of another of the same name; a new policy must not do so unseen.
    """
    kind, name = tabs.named(request)
    entered = parts.entered(request, "policy", "is_new")
    entered["document"] = policy_documents.typed(request)
    checked = await policy_documents.check(request, entered["document"])
    if policy_documents.has_to_be_read(request, checked):
        return _editor(request, kind, name, entered, checked=checked)
    if entered["is_new"] and (await _found(request, kind, name, entered["policy"])).refusal is None:
        return _editor(
            request,
            kind,
            name,
            entered,
            checked=checked,
            alert=gettext("There is a policy %(policy)s already.", policy=entered["policy"]),
        )
    _, outcome = await parts.obtain(request, _call(kind, name, entered))
    if outcome.refused is not None:
        return _editor(request, kind, name, entered, checked=checked, refusal=outcome.refused)
    return calls.go(request, kind.inline_page(name, entered["policy"]), *outcome.made)


async def _found(request: Request, kind: IdentityKind, name: str, policy: str) -> Part:
    return await parts.ask(request, f"Get{kind.noun}Policy", **{kind.key: name, "PolicyName": policy})


def _call(kind: IdentityKind, name: str, entered: dict[str, str]) -> Equivalent:
    return kind.call("Put", "Policy", name, PolicyName=entered["policy"], PolicyDocument=entered["document"])


def _editor(
    request: Request,
    kind: IdentityKind,
    name: str,
    entered: dict[str, str],
    *,
    checked: Checked | None = None,
    refusal: Refused | None = None,
    alert: str = "",
    unseen: Part | None = None,
) -> Response:
    return frame.page(
        request,
        "inline_editor.html",
        current=kind.folder,
        status=400 if alert else 200,
        refusal=refusal,
        same=[
            policy_documents.validation(entered["document"]),
            _call(kind, name, {**entered, "policy": entered["policy"] or "NAME"}),
        ],
        kind=kind,
        name=name,
        entered=entered,
        checked=checked,
        alert=alert,
        unseen=unseen,
    )


ROUTES = [
    Route("/console/{kind}/{name}/inline", inline, methods=["GET"]),
    Route("/console/{kind}/{name}/inline", deleted, methods=["POST"]),
    Route("/console/{kind}/{name}/inline-editor", edit, methods=["GET"]),
    Route("/console/{kind}/{name}/inline-editor", saved, methods=["POST"]),
]
