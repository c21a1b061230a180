"""What users, groups and roles have in common: the policies that they hold, and their tags."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, identity_kinds, parts, policy_pages, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.identities import tabs

_SCOPES = ("All", "AWS", "Local")


async def attach(request: Request) -> Response:
    """Offer policies to attach, a page at a time."""
    web.signed_in(request)
    kind, name = tabs.addressed(request.query_params.get("to", "")), request.query_params.get("name", "")
    scope, marker = parts.chosen(request, "scope", _SCOPES), request.query_params.get("marker", "")
    sought = request.query_params.get("sought", "").strip()
    if sought:
        listed = await policy_pages.containing(request, sought, Scope=scope)
    else:
        listed = await parts.ask(request, "ListPolicies", Scope=scope, Marker=marker, MaxItems=parts.ROWS)
    here = {"to": request.query_params["to"], "name": name, "scope": scope, "sought": sought}
    return frame.page(
        request,
        "attach.html",
        current=kind.folder,
        same=[listed.call, kind.call("Attach", "Policy", name, PolicyArn="arn:aws:iam::aws:policy/POLICY")],
        kind=kind,
        here=here,
        scopes=_SCOPES,
        listed=listed,
        first=parts.address("/console/attach", **here) if marker else "",
        next_page=parts.address("/console/attach", **here, marker=listed.marker) if listed.marker else "",
    )


async def attached(request: Request) -> Response:
    """Attach the chosen policies."""
    form = web.form(request)
    kind, name = tabs.addressed(form.one("to")), form.one("name")
    arns = [arn for arn in (*form.all("arn"), form.one("other").strip()) if arn]
    wanted = [kind.call("Attach", "Policy", name, PolicyArn=arn) for arn in arns]
    back = [kind.call("Detach", "Policy", name, PolicyArn=arn) for arn in arns]
    return await parts.change(request, wanted, then=kind.page(name, "permissions"), current=kind.folder, back=back)


async def detach(request: Request) -> Response:
    """Take a managed policy away from an identity."""
    kind, name = tabs.named(request)
    arn = web.form(request).one("arn")
    wanted, back = (kind.call(verb, "Policy", name, PolicyArn=arn) for verb in ("Detach", "Attach"))
    return await parts.change(request, [wanted], then=kind.page(name, "permissions"), current=kind.folder, back=[back])


async def boundary(request: Request) -> Response:
    """Set the permissions boundary of a user or role, or remove it."""
    kind, name = tabs.named(request)
    if kind is identity_kinds.GROUP:
        raise HTTPException(404)
    form = web.form(request)
    arn, before = form.one("arn").strip(), form.one("before")
    wanted = tabs.bounding(kind, name, "" if "remove" in form else arn)
    back = tabs.bounding(kind, name, before)
    return await parts.change(request, [wanted], then=kind.page(name, "permissions"), current=kind.folder, back=[back])


async def tag(request: Request) -> Response:
    """Add a tag, or change its value."""
    kind, name = tabs.named(request)
    form = web.form(request)
    pair = {"Key": form.one("key"), "Value": form.one("value")}
    wanted = Equivalent("iam", f"Tag{kind.noun}", {kind.key: name, "Tags": [pair]})
    return await parts.change(request, [wanted], then=kind.page(name, "tags"), current=kind.folder)


async def untag(request: Request) -> Response:
    """Remove a tag."""
    kind, name = tabs.named(request)
    form = web.form(request)
    key = form.one("key")
    wanted = Equivalent("iam", f"Untag{kind.noun}", {kind.key: name, "TagKeys": [key]})
    back = Equivalent("iam", f"Tag{kind.noun}", {kind.key: name, "Tags": [{"Key": key, "Value": form.one("value")}]})
    then = kind.page(name, "tags")
    return await parts.change(request, [wanted], then=then, current=kind.folder, back=[back] if "value" in form else [])


ROUTES = [
    Route("/console/attach", attach, methods=["GET"]),
    Route("/console/attach", attached, methods=["POST"]),
    Route("/console/{kind}/{name}/detach", detach, methods=["POST"]),
    Route("/console/{kind}/{name}/boundary", boundary, methods=["POST"]),
    Route("/console/{kind}/{name}/tag", tag, methods=["POST"]),
    Route("/console/{kind}/{name}/untag", untag, methods=["POST"]),
]
