"""The end of a user or a role: deleted with all that it holds, once its name was typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import danger, frame, parts, web
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import ROLE, USER, IdentityKind
from crownkeep.console.kit.parts import Part

# What must go before its holder does: the list, its member, and the call that takes one entry away with the key that names it.
_HELD: Final[Mapping[IdentityKind, tuple[tuple[str, str, str, str], ...]]] = {
    USER: (
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
    ),
    ROLE: (
        ("ListAttachedRolePolicies", "AttachedPolicies", "DetachRolePolicy", "PolicyArn"),
        ("ListRolePolicies", "PolicyNames", "DeleteRolePolicy", "PolicyName"),
        ("ListInstanceProfilesForRole", "InstanceProfiles", "RemoveRoleFromInstanceProfile", "InstanceProfileName"),
    ),
}


async def delete(request: Request, *, kind: IdentityKind) -> Response:
    """Show what goes with the user or role, and ask for its name."""
    web.signed_in(request)
    return await _page(request, kind)


async def deleted(request: Request, *, kind: IdentityKind) -> Response:
    """Delete the user or role and what it holds, where its name was typed."""
    name, noun = request.path_params["name"], kind.noun.lower()
    text = f"What the {noun} holds goes with it. What it did stays in the trail."
    danger.require(request, Ending(name, f"Delete the {noun} {name}?", text, f"Delete {noun}", f"{kind.page(name)}/delete"))
    wanted, unseen = await _ending(request, kind, name)
    # Not even a part: what could not be listed would make the last call fail, after everything else was gone.
    if unseen:
        return await _page(request, kind)
    outcome = await parts.carry_out(request, wanted)
    then = kind.folder if outcome.refused is None else kind.page(name)
    return parts.after(request, outcome, then=then, current=kind.folder)


async def _page(request: Request, kind: IdentityKind) -> Response:
    name, noun = request.path_params["name"], kind.noun.lower()
    about = await parts.ask(request, f"Get{kind.noun}", **{kind.key: name})
    if about.is_missing:
        return parts.missing(request, about, current=kind.folder, title=f"There is no {noun} {name}", back=kind.folder)
    wanted, unseen = await _ending(request, kind, name)
    return frame.page(
        request,
        "deletion.html",
        current=kind.folder,
        same=wanted,
        kind=noun,
        name=name,
        path=kind.page(name),
        wanted=wanted,
        unseen=unseen,
        parts_of_it=_in_words(wanted),
    )


_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "DeleteLoginProfile": ("the password", "the password"),
    "DeleteAccessKey": ("an access key", "{} access keys"),
    "DeleteSigningCertificate": ("a signing certificate", "{} signing certificates"),
    "DeleteSSHPublicKey": ("an SSH key", "{} SSH keys"),
    "DeleteServiceSpecificCredential": ("a service credential", "{} service credentials"),
    "DeactivateMFADevice": ("an MFA device", "{} MFA devices"),
    "RemoveUserFromGroup": ("the membership of a group", "memberships of {} groups"),
    "DetachUserPolicy": ("an attached policy", "{} attached policies"),
    "DetachRolePolicy": ("an attached policy", "{} attached policies"),
    "DeleteUserPolicy": ("an inline policy", "{} inline policies"),
    "DeleteRolePolicy": ("an inline policy", "{} inline policies"),
    "RemoveRoleFromInstanceProfile": ("its place in an instance profile", "its places in {} instance profiles"),
}


def _in_words(wanted: Sequence[Equivalent]) -> list[str]:
    """Return what goes beside the user or role itself, such as `2 access keys`."""
    counted = Counter(each.operation for each in wanted)
    return [one if counted[name] == 1 else many.format(counted[name]) for name, (one, many) in _WORDS.items() if counted[name]]


async def _ending(request: Request, kind: IdentityKind, name: str) -> tuple[list[Equivalent], list[Part]]:
    """Return the calls that end a user or role, and what could not be looked into."""
    named = {kind.key: name}
    wanted, unseen = await _password(request, name) if kind is USER else ([], [])
    for lists, member, operation, key in _HELD[kind]:
        held = await parts.ask(request, lists, **named)
        if held.refusal is not None:
            unseen.append(held)
        for row in held.rows(member):
            entry = row if isinstance(row, str) else str(row[key])
            wanted.append(Equivalent("iam", operation, {**named, key: entry}))
            # A virtual device would stay in the account, assigned to nobody.
            if operation == "DeactivateMFADevice" and ":mfa/" in entry:
                wanted.append(Equivalent("iam", "DeleteVirtualMFADevice", {key: entry}))
    # Last, for IAM refuses to delete what still holds anything (API_DeleteUser, API_DeleteRole: DeleteConflict).
    return [*wanted, kind.call("Delete", "", name)], unseen


async def _password(request: Request, name: str) -> tuple[list[Equivalent], list[Part]]:
    password = await parts.ask(request, "GetLoginProfile", UserName=name)
    if password.refusal is None:
        return [Equivalent("iam", "DeleteLoginProfile", {"UserName": name})], []
    return [], [] if password.is_missing else [password]


ROUTES = [
    Route(f"{kind.folder}/{{name}}/delete", partial(endpoint, kind=kind), methods=[method])
    for kind in _HELD
    for method, endpoint in (("GET", delete), ("POST", deleted))
]
