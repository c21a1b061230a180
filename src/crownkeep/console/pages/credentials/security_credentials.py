"""My security credentials: everything that somebody signs in with or signs requests with, on one page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, parts, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.forms import MalformedForm
from crownkeep.console.kit.parts import Part
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import enrolment, recovery_codes
from crownkeep.signin.sessions import BrowserSession

SECURITY = "/console/security"
LIST_SESSIONS = Equivalent("account-security", "ListSessions")


async def security(request: Request) -> Response:
    """Show what somebody signs in with, and what their programs sign with."""
    session, here = web.signed_in(request), web.of(request)
    person = session.person
    if not has_credentials(session):
        return none(request)
    asked = await _ask(request, person)
    used = await _last_used(request, asked["keys"])
    listed = await parts.ask(request, LIST_SESSIONS.operation, service=LIST_SESSIONS.service)
    return frame.page(
        request,
        "security.html",
        current=SECURITY,
        same=[*parts.equivalents([*asked.values(), *used.values()]), *_changes(person)],
        asked=asked,
        used=used,
        kind_of=kind_of,
        most_devices=enrolment.most_devices(here.door, person),
        codes_left=recovery_codes.remaining(here.door, person),
        sessions=listed,
    )


def has_credentials(session: BrowserSession) -> bool:
    """Tell whether whoever acts has credentials of their own: root and users have, roles and federated users have not."""
    return not session.switched and session.person.kind in (PrincipalKind.ROOT, PrincipalKind.USER)


def owner(request: Request) -> Principal:
    """Return whose credentials the page is about; raises MalformedForm for who has none."""
    session = web.signed_in(request)
    if not has_credentials(session):
        raise MalformedForm("this session has no credentials of its own")
    return session.person


def none(request: Request) -> Response:
    """Say that a role has no credentials of its own."""
    return frame.page(request, "no_credentials.html", current=SECURITY)


def named(person: Principal) -> dict[str, str]:
    """Return how IAM's operations are told whose credentials are meant; root is whoever is not named."""
    return {"UserName": person.name} if person.kind is PrincipalKind.USER else {}


def kind_of(serial: str) -> str:
    """Say what kind of device a serial number belongs to."""
    if ":mfa/" in serial:
        return "Authenticator app"
    return "Passkey or security key" if ":u2f/" in serial else "Hardware TOTP token"


async def _ask(request: Request, person: Principal) -> Mapping[str, Part]:
    wanted = {"devices": "ListMFADevices", "keys": "ListAccessKeys", "certificates": "ListSigningCertificates"}
    if person.kind is PrincipalKind.USER:
        wanted |= {"ssh": "ListSSHPublicKeys", "services": "ListServiceSpecificCredentials"}
    found = await asyncio.gather(*(parts.ask(request, operation, **named(person)) for operation in wanted.values()))
    return dict(zip(wanted, found, strict=True))


async def _last_used(request: Request, keys: Part) -> dict[str, Part]:
    ids = [key["AccessKeyId"] for key in keys.rows("AccessKeyMetadata")]
    found = await asyncio.gather(*(parts.ask(request, "GetAccessKeyLastUsed", AccessKeyId=key_id) for key_id in ids))
    return dict(zip(ids, found, strict=True))


def _changes(person: Principal) -> list[Equivalent]:
    """Return what the page's buttons call, for the commands that it shows."""
    whose = named(person)
    key, certificate = {**whose, "AccessKeyId": "ACCESS_KEY_ID"}, {**whose, "CertificateId": "CERTIFICATE_ID"}
    shown = [
        Equivalent("iam", "DeactivateMFADevice", {"UserName": enrolment.user_name(person), "SerialNumber": "SERIAL_NUMBER"}),
        Equivalent("iam", "UpdateAccessKey", {**key, "Status": "Inactive"}),
        Equivalent("iam", "DeleteAccessKey", key),
        Equivalent("iam", "UpdateSigningCertificate", {**certificate, "Status": "Inactive"}),
        Equivalent("iam", "DeleteSigningCertificate", certificate),
    ]
    if person.kind is PrincipalKind.ROOT:
        return shown
    ssh, service = {**whose, "SSHPublicKeyId": "KEY_ID"}, {**whose, "ServiceSpecificCredentialId": "CREDENTIAL_ID"}
    return [
        *shown,
        Equivalent("iam", "UpdateSSHPublicKey", {**ssh, "Status": "Inactive"}),
        Equivalent("iam", "DeleteSSHPublicKey", ssh),
        Equivalent("iam", "UpdateServiceSpecificCredential", {**service, "Status": "Inactive"}),
        Equivalent("iam", "ResetServiceSpecificCredential", service),
        Equivalent("iam", "DeleteServiceSpecificCredential", service),
    ]


ROUTES = [Route(SECURITY, security, methods=["GET"])]
