"""What users, groups and roles have in common: the policies that they hold, and their tags."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import frame, web
from crownkeep.console.equivalents import Equivalent
from crownkeep.console.pages import parts
from crownkeep.console.pages.parts import Part


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of identity, as IAM's operations and the pages' paths name it."""

    noun: str
    """As in `AttachUserPolicy`."""
    folder: str
    """The page that lists them."""

    @property
    def key(self) -> str:
        """The parameter that names one."""
        return f"{self.noun}Name"

    def page(self, name: str, tab: str = "") -> str:
        """Answer the address of one identity's page."""
        return parts.address(f"{self.folder}/{parts.segment(name)}", tab=tab)

    def call(self, verb: str, rest: str, name: str, **parameters: object) -> Equivalent:
        """Name a change of one identity, such as `Attach` ... `Policy`."""
        return Equivalent("iam", f"{verb}{self.noun}{rest}", {self.key: name, **parameters})


USER = Kind("User", "/console/users")
GROUP = Kind("Group", "/console/groups")
ROLE = Kind("Role", "/console/roles")
KINDS = {"user": USER, "group": GROUP, "role": ROLE}
_SCOPES = ("All", "AWS", "Local")


async def policies(request: Request, kind: Kind, name: str) -> tuple[Part, Part]:
    """Ask for the managed and for the inline policies that an identity holds."""
    named = {kind.key: name}
    return (
        await parts.ask(request, f"ListAttached{kind.noun}Policies", **named),
        await parts.ask(request, f"List{kind.noun}Policies", **named),
    )


def changes(kind: Kind, name: str) -> list[Equivalent]:
    """Answer what the buttons beside an identity's policies call, for the commands that its page shows."""
    return [
        kind.call("Detach", "Policy", name, PolicyArn="POLICY_ARN"),
        kind.call("Delete", "Policy", name, PolicyName="POLICY"),
    ]


async def attach(request: Request) -> Response:
    """Offer policies to attach, a page at a time."""
    web.signed_in(request)
    kind, name = _addressed(request.query_params.get("to", "")), request.query_params.get("name", "")
    scope, marker = parts.chosen(request, "scope", _SCOPES), request.query_params.get("marker", "")
    listed = await parts.ask(request, "ListPolicies", Scope=scope, Marker=marker, MaxItems=parts.ROWS)
    here = {"to": request.query_params["to"], "name": name, "scope": scope}
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
    kind, name = _addressed(form.one("to")), form.one("name")
    arns = [arn for arn in (*form.all("arn"), form.one("other").strip()) if arn]
    wanted = [kind.call("Attach", "Policy", name, PolicyArn=arn) for arn in arns]
    return await parts.change(request, wanted, then=kind.page(name, "permissions"), current=kind.folder)


async def detach(request: Request) -> Response:
    """Take a managed policy away from an identity."""
    kind, name = _named(request)
    wanted = kind.call("Detach", "Policy", name, PolicyArn=web.form(request).one("arn"))
    return await parts.change(request, [wanted], then=kind.page(name, "permissions"), current=kind.folder)


async def inline(request: Request) -> Response:
    """Show an inline policy."""
    web.signed_in(request)
    kind, name = _named(request)
    policy = request.query_params.get("policy", "")
    found = await parts.ask(request, f"Get{kind.noun}Policy", **{kind.key: name, "PolicyName": policy})
    if found.is_missing:
        return parts.missing(request, found, current=kind.folder, title="There is no such policy", back=kind.page(name))
    document = parts.readable(found.text("PolicyDocument"))
    return frame.page(
        request,
        "inline_policy.html",
        current=kind.folder,
        same=[found.call],
        kind=kind,
        name=name,
        policy=policy,
        found=found,
        document=document,
    )


async def inline_deleted(request: Request) -> Response:
    """Delete an inline policy."""
    kind, name = _named(request)
    wanted = kind.call("Delete", "Policy", name, PolicyName=web.form(request).one("policy"))
    return await parts.change(request, [wanted], then=kind.page(name, "permissions"), current=kind.folder)


async def tag(request: Request) -> Response:
    """Add a tag, or change its value."""
    kind, name = _named(request)
    form = web.form(request)
    pair = {"Key": form.one("key"), "Value": form.one("value")}
    wanted = Equivalent("iam", f"Tag{kind.noun}", {kind.key: name, "Tags": [pair]})
    return await parts.change(request, [wanted], then=kind.page(name, "tags"), current=kind.folder)


async def untag(request: Request) -> Response:
    """Remove a tag."""
    kind, name = _named(request)
    wanted = Equivalent("iam", f"Untag{kind.noun}", {kind.key: name, "TagKeys": [web.form(request).one("key")]})
    return await parts.change(request, [wanted], then=kind.page(name, "tags"), current=kind.folder)


def _named(request: Request) -> tuple[Kind, str]:
    return _addressed(request.path_params["kind"].removesuffix("s")), request.path_params["name"]


def _addressed(word: str) -> Kind:
    kind = KINDS.get(word)
    if kind is None:
        raise HTTPException(404)
    return kind


ROUTES = [
    Route("/console/attach", attach, methods=["GET"]),
    Route("/console/attach", attached, methods=["POST"]),
    Route("/console/{kind}/{name}/detach", detach, methods=["POST"]),
    Route("/console/{kind}/{name}/inline", inline, methods=["GET"]),
    Route("/console/{kind}/{name}/inline", inline_deleted, methods=["POST"]),
    Route("/console/{kind}/{name}/tag", tag, methods=["POST"]),
    Route("/console/{kind}/{name}/untag", untag, methods=["POST"]),
]
