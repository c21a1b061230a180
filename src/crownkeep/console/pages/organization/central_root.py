"""A member's root user, from above: what credentials it has, taken away or allowed to be recovered, after a fresh proof."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, danger, parts, web
from crownkeep.console.kit.calls import Found, Refused
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.organization import places
from crownkeep.errors import AwsError
from crownkeep.signin import acting, member_roots
from crownkeep.signin.acting import Actor
from crownkeep.translation import gettext, gettext_noop

PATH = f"{places.FOLDER}/root"

_HELD = (
    ("ListAccessKeys", "AccessKeyMetadata", "AccessKeyId", "DeleteAccessKey"),
    ("ListSigningCertificates", "Certificates", "CertificateId", "DeleteSigningCertificate"),
    ("ListMFADevices", "MFADevices", "SerialNumber", "DeactivateMFADevice"),
)
"""What root may have besides its password: the list, its member, the key of an entry, and the call that takes one away."""


async def show(request: Request) -> Response:
    """Show what credentials a member's root user has."""
    web.signed_in(request)
    return await _page(request, request.query_params.get("id", ""))


async def deleted(request: Request) -> Response:
    """Take all credentials of a member's root user away, once the account's name was typed."""
    text = gettext(
        "Root's password, access keys, certificates and MFA devices are deleted. Programs that use a key of root's stop working."
    )
    account_id, missing = await _confirmed(
        request, gettext_noop("Delete root's credentials of %(account)s?"), text, gettext("Delete root's credentials")
    )
    if missing is not None:
        return missing
    return await _done(request, account_id, member_roots.DELETE, gettext("Root has no credentials any more"))


async def recovery_allowed(request: Request) -> Response:
    """Let whoever reads the mail of a member's root user choose a password, once the account's name was typed."""
    text = gettext("Anybody who reads the root user's mail can choose a password, until its credentials are deleted again.")
    account_id, missing = await _confirmed(
        request, gettext_noop("Let root's password of %(account)s be recovered?"), text, gettext("Allow recovery")
    )
    if missing is not None:
        return missing
    return await _done(request, account_id, member_roots.ALLOW_RECOVERY, gettext("Root's password can be recovered"))


async def _confirmed(request: Request, question: str, text: str, button: str) -> tuple[str, Response | None]:
    """Return the account that is meant, or the page to show where there is none; raises ProofNeeded and WordNeeded."""
    web.proven(request)
    account_id = web.form(request).one("account")
    about = await places.ask(request, "DescribeAccount", AccountId=account_id)
    if about.refusal is not None:
        return "", places.missing(request, about, gettext("There is no such account in the organization"))
    name, here = str(about.one("Account")["Name"]), parts.address(PATH, id=account_id)
    danger.require(
        request, Ending(name, gettext(question, account=name), text, button, here, {gettext("Account ID"): account_id})
    )
    return account_id, None


async def _done(request: Request, account_id: str, task: str, message: str) -> Response:
    here = web.of(request)
    try:
        root = await member_roots.take_on(here.door, web.actor(request), account_id, task)
        wanted = [_CREATE] if task == member_roots.ALLOW_RECOVERY else await _held(request, root)
    except AwsError as error:
        asked = Equivalent("sts", "AssumeRoot", {"TargetPrincipal": account_id})
        return await _page(request, account_id, refusal=calls.refused(request, asked, error))
    for each in wanted:
        _, outcome = await parts.obtain(request, each, actor=root)
        if outcome.refused is not None:
            return await _page(request, account_id, refusal=outcome.refused)
    return await _page(request, account_id, message=message)


_CREATE = Equivalent("iam", "CreateLoginProfile", {})


async def _held(request: Request, root: Actor) -> list[Equivalent]:
    """Return the calls that take away what root has; raises the AwsError of a list that is refused."""
    door = web.of(request).door
    listed: list[Found] = await asyncio.gather(*(acting.call(door, root, "iam", lists, {}) for lists, *_ in _HELD))
    wanted = []
    for (_, member, key, operation), found in zip(_HELD, listed, strict=True):
        wanted += [Equivalent("iam", operation, {key: each[key]}) for each in found[member]]
    virtual = [str(each["SerialNumber"]) for each in listed[-1]["MFADevices"] if ":mfa/" in each["SerialNumber"]]
    wanted += [Equivalent("iam", "DeleteVirtualMFADevice", {"SerialNumber": each}) for each in virtual]
    try:
        await acting.call(door, root, "iam", "GetLoginProfile", {})
    except AwsError as error:
        if error.code != "NoSuchEntity":
            raise
        return wanted
    return [Equivalent("iam", "DeleteLoginProfile", {}), *wanted]


async def _page(
    request: Request,
    account_id: str,
    *,
    refusal: Refused | None = None,
    message: str = "",
) -> Response:
    about, security, features = await asyncio.gather(
        places.ask(request, "DescribeAccount", AccountId=account_id),
        parts.ask(request, "ListMemberSecurity", service="account-security", AccountIds=[account_id]),
        parts.ask(request, "ListOrganizationsFeatures"),
    )
    if about.refusal is not None and not about.refusal.is_denied:
        return places.missing(request, about, gettext("There is no such account in the organization"))
    task = {"TargetPrincipal": account_id, "TaskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/TASK"}}
    return places.page(
        request,
        "organization_root.html",
        same=[*parts.equivalents([about, security, features]), Equivalent("sts", "AssumeRoot", task)],
        refusal=refusal,
        account_id=account_id,
        about=about,
        name=str(about.one("Account").get("Name", account_id)),
        security=security,
        known=next(iter(security.rows("Members")), None),
        features=features,
        is_enabled="RootCredentialsManagement" in features.rows("EnabledFeatures"),
        message=message,
    )


ROUTES = [
    Route(PATH, show, methods=["GET"]),
    Route(f"{PATH}/delete", deleted, methods=["POST"]),
    Route(f"{PATH}/allow-recovery", recovery_allowed, methods=["POST"]),
]
