"""The beginning and the end of a user: created with what it needs from the first day, and deleted with all that it holds."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import frame, web
from crownkeep.console.calls import Refused
from crownkeep.console.equivalents import Equivalent
from crownkeep.console.forms import Form
from crownkeep.console.pages import parts
from crownkeep.console.pages.identities import USER
from crownkeep.console.pages.parts import Part

CREATE = "/console/create-user"
SUGGESTED: Final = ("AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit", "IAMUserChangePassword")
_MANAGED = "arn:aws:iam::aws:policy/"

# What must go before its user does: the list, its member, and the call that takes one entry away with the key that names it.
_HELD = (
    ("ListAccessKeys", "AccessKeyMetadata", "DeleteAccessKey", "AccessKeyId"),
    ("ListSigningCertificates", "Certificates", "DeleteSigningCertificate", "CertificateId"),
    ("ListSSHPublicKeys", "SSHPublicKeys", "DeleteSSHPublicKey", "SSHPublicKeyId"),
    (
        "ListServiceSpecificCredentials",
        "ServiceSpecificCredentials",
        "DeleteServiceSpecificCredential",
        "ServiceSpecificCredentialId",
    ),
    ("ListMFADevices", "MFADevices", "DeactivateMFADevice", "SerialNumber"),
    ("ListGroupsForUser", "Groups", "RemoveUserFromGroup", "GroupName"),
    ("ListAttachedUserPolicies", "AttachedPolicies", "DetachUserPolicy", "PolicyArn"),
    ("ListUserPolicies", "PolicyNames", "DeleteUserPolicy", "PolicyName"),
)


async def create(request: Request) -> Response:
    """Ask what the new user is called and may do."""
    web.signed_in(request)
    return await _form_page(request, {"name": "", "path": "/"})


async def created(request: Request) -> Response:
    """Create the user, then its password, its policies and its memberships, in this order."""
    form = web.form(request)
    name = form.one("name").strip()

    async def again(refusal: Refused) -> Response:
        return await _form_page(request, {"name": name, "path": form.one("path")}, refusal=refusal)

    return await parts.change(request, _calls(name, form), then=USER.page(name), current=USER.folder, show=again)


def _calls(name: str, form: Form) -> list[Equivalent]:
    named = {"UserName": name}
    wanted = [Equivalent("iam", "CreateUser", {**named, "Path": form.one("path").strip() or "/"})]
    if form.one("password"):
        settings = {"Password": form.one("password"), "PasswordResetRequired": "reset" in form}
        wanted.append(Equivalent("iam", "CreateLoginProfile", {**named, **settings}))
    arns = dict.fromkeys([*form.all("policy"), *form.one("other").split()])
    wanted += [Equivalent("iam", "AttachUserPolicy", {**named, "PolicyArn": arn}) for arn in arns]
    groups = dict.fromkeys(form.all("group"))
    return wanted + [Equivalent("iam", "AddUserToGroup", {**named, "GroupName": group}) for group in groups]


async def _form_page(request: Request, entered: dict[str, str], *, refusal: Refused | None = None) -> Response:
    groups = await parts.ask(request, "ListGroups", MaxItems=parts.ROWS)
    own = await parts.ask(request, "ListPolicies", Scope="Local", MaxItems=parts.ROWS)
    named = {"UserName": entered["name"] or "NAME"}
    return frame.page(
        request,
        "create_user.html",
        current=USER.folder,
        refusal=refusal,
        same=[
            Equivalent("iam", "CreateUser", {**named, "Path": entered["path"]}),
            Equivalent("iam", "CreateLoginProfile", {**named, "Password": "PASSWORD", "PasswordResetRequired": True}),
            Equivalent("iam", "AttachUserPolicy", {**named, "PolicyArn": f"{_MANAGED}AdministratorAccess"}),
            Equivalent("iam", "AddUserToGroup", {**named, "GroupName": "GROUP"}),
        ],
        entered=entered,
        suggested={name: f"{_MANAGED}{name}" for name in SUGGESTED},
        groups=groups,
        own=own,
    )


async def delete(request: Request) -> Response:
    """Show what goes with the user, and ask for its name."""
    web.signed_in(request)
    return await _delete_page(request)


async def deleted(request: Request) -> Response:
    """Delete the user and what it holds, where its name was typed."""
    name, form = request.path_params["name"], web.form(request)
    if form.one("typed").strip() != name:
        return await _delete_page(request, alert=f"Type {name} to delete this user.")
    wanted, unseen = await _ending(request, name)
    if unseen:
        return await _delete_page(request)
    outcome = await parts.carry_out(request, wanted)
    then = USER.folder if outcome.refused is None else USER.page(name)
    return parts.after(request, outcome, then=then, current=USER.folder)


async def _delete_page(request: Request, *, alert: str = "") -> Response:
    name = request.path_params["name"]
    about = await parts.ask(request, "GetUser", UserName=name)
    if about.is_missing:
        return parts.missing(request, about, current=USER.folder, title=f"There is no user {name}", back=USER.folder)
    wanted, unseen = await _ending(request, name)
    return frame.page(
        request,
        "delete_user.html",
        current=USER.folder,
        status=400 if alert else 200,
        same=wanted,
        name=name,
        path=USER.page(name),
        wanted=wanted,
        unseen=unseen,
        alert=alert,
    )


async def _ending(request: Request, name: str) -> tuple[list[Equivalent], list[Part]]:
    """Answer the calls that end a user, and what could not be looked into."""
    named = {"UserName": name}
    wanted: list[Equivalent] = []
    unseen: list[Part] = []
    password = await parts.ask(request, "GetLoginProfile", **named)
    if password.refusal is None:
        wanted.append(Equivalent("iam", "DeleteLoginProfile", named))
    elif not password.is_missing:
        unseen.append(password)
    for lists, member, operation, key in _HELD:
        held = await parts.ask(request, lists, **named)
        if held.refusal is not None:
            unseen.append(held)
        for row in held.rows(member):
            entry = row if isinstance(row, str) else str(row[key])
            wanted.append(Equivalent("iam", operation, {**named, key: entry}))
            if operation == "DeactivateMFADevice" and ":mfa/" in entry:
                wanted.append(Equivalent("iam", "DeleteVirtualMFADevice", {key: entry}))
    return [*wanted, Equivalent("iam", "DeleteUser", named)], unseen


ROUTES = [
    Route(CREATE, create, methods=["GET"]),
    Route(CREATE, created, methods=["POST"]),
    Route(f"{USER.folder}/{{name}}/delete", delete, methods=["GET"]),
    Route(f"{USER.folder}/{{name}}/delete", deleted, methods=["POST"]),
]
