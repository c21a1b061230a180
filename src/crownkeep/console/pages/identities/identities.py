"""What users, groups and roles have in common: the policies that they hold, and their tags."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import identity_kinds, parts, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.identities import tabs


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
    Route("/console/{kind}/{name}/detach", detach, methods=["POST"]),
    Route("/console/{kind}/{name}/boundary", boundary, methods=["POST"]),
    Route("/console/{kind}/{name}/tag", tag, methods=["POST"]),
    Route("/console/{kind}/{name}/untag", untag, methods=["POST"]),
]
