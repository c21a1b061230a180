"""The end of a user: deleted with all that it holds, once its name was typed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import frame, web
from crownkeep.console.equivalents import Equivalent
from crownkeep.console.pages import parts
from crownkeep.console.pages.identities import USER
from crownkeep.console.pages.parts import Part

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
        "deletion.html",
        current=USER.folder,
        status=400 if alert else 200,
        same=wanted,
        kind="user",
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
    Route(f"{USER.folder}/{{name}}/delete", delete, methods=["GET"]),
    Route(f"{USER.folder}/{{name}}/delete", deleted, methods=["POST"]),
]
