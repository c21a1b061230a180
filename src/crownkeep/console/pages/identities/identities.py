"""What users, groups and roles have in common: the policies that they hold, and their tags."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, parts, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.policies import policies as policies_page


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
        """Return the address of one identity's page."""
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
    """Return what the buttons beside an identity's policies call, for the commands that its page shows."""
    bounding = [] if kind is GROUP else [_bounding(kind, name, "POLICY_ARN"), _bounding(kind, name, "")]
    return [
        kind.call("Detach", "Policy", name, PolicyArn="POLICY_ARN"),
        kind.call("Delete", "Policy", name, PolicyName="POLICY"),
        *bounding,
    ]


def membership(group: str, user: str) -> tuple[Equivalent, Equivalent]:
    """Return the calls that put a user into a group, and take it out."""
    names = {"GroupName": group, "UserName": user}
    return Equivalent("iam", "AddUserToGroup", names), Equivalent("iam", "RemoveUserFromGroup", names)


async def events_about(request: Request, name: str) -> Part:
    """Ask for the events that an identity is a resource of."""
    by_name = [{"AttributeKey": "ResourceName", "AttributeValue": name}]
    return await parts.ask(request, "LookupEvents", service="cloudtrail", LookupAttributes=by_name, MaxResults=parts.ROWS)


async def attach(request: Request) -> Response:
    """Offer policies to attach, a page at a time."""
    web.signed_in(request)
    kind, name = _addressed(request.query_params.get("to", "")), request.query_params.get("name", "")
    scope, marker = parts.chosen(request, "scope", _SCOPES), request.query_params.get("marker", "")
    sought = request.query_params.get("sought", "").strip()
    if sought:
        listed = await policies_page.containing(request, sought, Scope=scope)
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
    kind, name = _addressed(form.one("to")), form.one("name")
    arns = [arn for arn in (*form.all("arn"), form.one("other").strip()) if arn]
    wanted = [kind.call("Attach", "Policy", name, PolicyArn=arn) for arn in arns]
    back = [kind.call("Detach", "Policy", name, PolicyArn=arn) for arn in arns]
    return await parts.change(request, wanted, then=kind.page(name, "permissions"), current=kind.folder, back=back)


async def detach(request: Request) -> Response:
    """Take a managed policy away from an identity."""
    kind, name = named(request)
    arn = web.form(request).one("arn")
    wanted, back = (kind.call(verb, "Policy", name, PolicyArn=arn) for verb in ("Detach", "Attach"))
    return await parts.change(request, [wanted], then=kind.page(name, "permissions"), current=kind.folder, back=[back])


async def boundary(request: Request) -> Response:
    """Set the permissions boundary of a user or role, or remove it."""
    kind, name = named(request)
    if kind is GROUP:
        raise HTTPException(404)
    form = web.form(request)
    arn, before = form.one("arn").strip(), form.one("before")
    wanted = _bounding(kind, name, "" if "remove" in form else arn)
    back = _bounding(kind, name, before)
    return await parts.change(request, [wanted], then=kind.page(name, "permissions"), current=kind.folder, back=[back])


def _bounding(kind: Kind, name: str, arn: str) -> Equivalent:
    if not arn:
        return kind.call("Delete", "PermissionsBoundary", name)
    return kind.call("Put", "PermissionsBoundary", name, PermissionsBoundary=arn)


async def tag(request: Request) -> Response:
    """Add a tag, or change its value."""
    kind, name = named(request)
    form = web.form(request)
    pair = {"Key": form.one("key"), "Value": form.one("value")}
    wanted = Equivalent("iam", f"Tag{kind.noun}", {kind.key: name, "Tags": [pair]})
    return await parts.change(request, [wanted], then=kind.page(name, "tags"), current=kind.folder)


async def untag(request: Request) -> Response:
    """Remove a tag."""
    kind, name = named(request)
    form = web.form(request)
    key = form.one("key")
    wanted = Equivalent("iam", f"Untag{kind.noun}", {kind.key: name, "TagKeys": [key]})
    back = Equivalent("iam", f"Tag{kind.noun}", {kind.key: name, "Tags": [{"Key": key, "Value": form.one("value")}]})
    then = kind.page(name, "tags")
    return await parts.change(request, [wanted], then=then, current=kind.folder, back=[back] if "value" in form else [])


def named(request: Request) -> tuple[Kind, str]:
    """Return whom an address is about; raises HTTPException (404) for what is no kind of identity."""
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
    Route("/console/{kind}/{name}/boundary", boundary, methods=["POST"]),
    Route("/console/{kind}/{name}/tag", tag, methods=["POST"]),
    Route("/console/{kind}/{name}/untag", untag, methods=["POST"]),
]
