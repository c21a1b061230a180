"""Choosing managed policies by name: to attach them to an identity or to bound it, after a look at what they grant."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, identity_kinds, parts, policy_pages, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import IdentityKind
from crownkeep.console.pages.identities import granted_policies, tabs

_ATTACH = "/console/attach"
_SCOPES = ("All", "AWS", "Local")
_USES = ("attach", "boundary")


async def attach(request: Request) -> Response:
    """Offer policies by name, a page at a time: to attach, or for the boundary."""
    web.signed_in(request)
    kind, name = tabs.addressed(request.query_params.get("to", "")), request.query_params.get("name", "")
    use = _use(kind, parts.chosen(request, "use", _USES))
    scope, marker = parts.chosen(request, "scope", _SCOPES), request.query_params.get("marker", "")
    sought, before = request.query_params.get("sought", "").strip(), request.query_params.get("before", "")
    if sought:
        listed = await policy_pages.containing(request, sought, Scope=scope)
    else:
        listed = await parts.ask(request, "ListPolicies", Scope=scope, Marker=marker, MaxItems=parts.ROWS)
    here = {"to": request.query_params["to"], "name": name, "use": use, "scope": scope, "sought": sought, "before": before}
    return frame.page(
        request,
        "attach.html",
        current=kind.folder,
        same=[listed.call, *_calls(kind, name, use, ["arn:aws:iam::aws:policy/POLICY"])],
        kind=kind,
        here=here,
        scopes=_SCOPES,
        listed=listed,
        first=parts.address(_ATTACH, **here) if marker else "",
        next_page=parts.address(_ATTACH, **here, marker=listed.marker) if listed.marker else "",
    )


async def review(request: Request) -> Response:
    """Show what the chosen policies grant before any of them is given to anybody."""
    web.signed_in(request)
    form = web.form(request)
    kind, name = tabs.addressed(form.one("to")), form.one("name")
    use = _use(kind, form.one("use") or _USES[0])
    arns = [arn for arn in (*form.all("arn"), form.one("other").strip()) if arn]
    if not arns:
        return web.go(parts.address(_ATTACH, to=form.one("to"), name=name, use=use))
    # At once, as each answer waits for a commit; each policy once, however often it was chosen.
    chosen = await asyncio.gather(*(granted_policies.chosen(request, arn) for arn in dict.fromkeys(arns)))
    return frame.page(
        request,
        "attach_review.html",
        current=kind.folder,
        same=[*parts.equivalents([part for each in chosen for part in each.asked]), *_calls(kind, name, use, arns)],
        kind=kind,
        name=name,
        to=form.one("to"),
        is_boundary=use == "boundary",
        chosen=chosen,
        before=form.one("before"),
        again=parts.address(_ATTACH, to=form.one("to"), name=name, use=use, before=form.one("before")),
    )


def _use(kind: IdentityKind, use: str) -> str:
    if use not in _USES or (use == "boundary" and kind is identity_kinds.GROUP):
        raise HTTPException(404)
    return use


def _calls(kind: IdentityKind, name: str, use: str, arns: list[str]) -> list[Equivalent]:
    if use == "boundary":
        return [tabs.bounding(kind, name, arn) for arn in arns[:1]]
    return [kind.call("Attach", "Policy", name, PolicyArn=arn) for arn in arns]


async def attached(request: Request) -> Response:
    """Attach the chosen policies."""
    form = web.form(request)
    kind, name = tabs.addressed(form.one("to")), form.one("name")
    arns = [arn for arn in (*form.all("arn"), form.one("other").strip()) if arn]
    wanted = [kind.call("Attach", "Policy", name, PolicyArn=arn) for arn in arns]
    back = [kind.call("Detach", "Policy", name, PolicyArn=arn) for arn in arns]
    return await parts.change(request, wanted, then=kind.page(name, "permissions"), current=kind.folder, back=back)


ROUTES = [
    Route(_ATTACH, attach, methods=["GET"]),
    Route(_ATTACH, attached, methods=["POST"]),
    Route(f"{_ATTACH}/review", review, methods=["POST"]),
]
