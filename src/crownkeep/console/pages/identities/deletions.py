"""The end of a user or a role: deleted with all that it holds, once its name was typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from crownkeep.translation import gettext, gettext_noop, ngettext

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


@dataclass(frozen=True, slots=True)
class EndingWords:
    """What the pages say that delete an identity of a kind."""

    question: str
    text: str
    button: str
    missing: str


_ENDINGS: Final[Mapping[IdentityKind, EndingWords]] = {
    USER: EndingWords(
        gettext_noop("Delete the user %(name)s?"),
        gettext_noop("What the user holds goes with it. What it did stays in the trail."),
        gettext_noop("Delete user"),
        gettext_noop("There is no user %(name)s"),
    ),
    ROLE: EndingWords(
        gettext_noop("Delete the role %(name)s?"),
        gettext_noop("What the role holds goes with it. What it did stays in the trail."),
        gettext_noop("Delete role"),
        gettext_noop("There is no role %(name)s"),
    ),
}


async def delete(request: Request, *, kind: IdentityKind) -> Response:
    """Show what goes with the user or role, and ask for its name."""
    web.signed_in(request)
    return await _page(request, kind)


async def deleted(request: Request, *, kind: IdentityKind) -> Response:
    """Delete the user or role and what it holds, where its name was typed."""
    name, words = request.path_params["name"], _ENDINGS[kind]
    title, back = gettext(words.question, name=name), f"{kind.page(name)}/delete"
    danger.require(request, Ending(name, title, gettext(words.text), gettext(words.button), back))
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
        title = gettext(_ENDINGS[kind].missing, name=name)
        return parts.missing(request, about, current=kind.folder, title=title, back=kind.folder)
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


def _attached(count: int) -> str:
    return ngettext("an attached policy", "%(num)s attached policies", count)


def _inline(count: int) -> str:
    return ngettext("an inline policy", "%(num)s inline policies", count)


_WORDS: Final[Mapping[str, Callable[[int], str]]] = {
    "DeleteLoginProfile": lambda _: gettext("the password"),
    "DeleteAccessKey": lambda count: ngettext("an access key", "%(num)s access keys", count),
    "DeleteSigningCertificate": lambda count: ngettext("a signing certificate", "%(num)s signing certificates", count),
    "DeleteSSHPublicKey": lambda count: ngettext("an SSH key", "%(num)s SSH keys", count),
    "DeleteServiceSpecificCredential": lambda count: ngettext("a service credential", "%(num)s service credentials", count),
    "DeactivateMFADevice": lambda count: ngettext("an MFA device", "%(num)s MFA devices", count),
    "RemoveUserFromGroup": lambda count: ngettext("the membership of a group", "memberships of %(num)s groups", count),
    "DetachUserPolicy": _attached,
    "DetachRolePolicy": _attached,
    "DeleteUserPolicy": _inline,
    "DeleteRolePolicy": _inline,
    "RemoveRoleFromInstanceProfile": lambda count: ngettext(
        "its place in an instance profile", "its places in %(num)s instance profiles", count
    ),
}


def _in_words(wanted: Sequence[Equivalent]) -> list[str]:
    """Return what goes beside the user or role itself, such as `2 access keys`."""
    counted = Counter(each.operation for each in wanted)
    return [words(counted[name]) for name, words in _WORDS.items() if counted[name]]


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
