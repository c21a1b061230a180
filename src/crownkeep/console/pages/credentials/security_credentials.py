"""My security credentials: everything that somebody signs in with or signs requests with, on one page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import destinations, frame, parts, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.credentials import own
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import enrolment, recovery_codes
from crownkeep.translation import gettext


async def security(request: Request) -> Response:
    """Show what somebody signs in with, and what their programs sign with."""
    session, here = web.signed_in(request), web.of(request)
    person = session.person
    if not own.has_credentials(session):
        return own.none(request)
    asked = await _ask(request, person)
    used = await _last_used(request, asked["keys"])
    listed = await parts.ask(request, own.LIST_SESSIONS.operation, service=own.LIST_SESSIONS.service)
    return frame.page(
        request,
        "security.html",
        current=destinations.SECURITY,
        same=[*parts.equivalents([*asked.values(), *used.values()]), *_changes(person)],
        asked=asked,
        used=used,
        kind_of=kind_of,
        most_devices=enrolment.most_devices(here.door, person),
        codes_left=recovery_codes.remaining(here.door, person),
        sessions=listed,
    )


def kind_of(serial: str) -> str:
    """Say what kind of device a serial number belongs to."""
    if ":mfa/" in serial:
        return gettext("Authenticator app")
    return gettext("Passkey or security key") if ":u2f/" in serial else gettext("Hardware TOTP token")


async def _ask(request: Request, person: Principal) -> Mapping[str, Part]:
    wanted = {"devices": "ListMFADevices", "keys": "ListAccessKeys", "certificates": "ListSigningCertificates"}
    if person.kind is PrincipalKind.USER:
        wanted |= {"ssh": "ListSSHPublicKeys", "services": "ListServiceSpecificCredentials"}
    # At once: an answer waits for the commit of its record, and so all of them for one commit.
    found = await asyncio.gather(*(parts.ask(request, operation, **own.named(person)) for operation in wanted.values()))
    return dict(zip(wanted, found, strict=True))


async def _last_used(request: Request, keys: Part) -> dict[str, Part]:
    ids = [key["AccessKeyId"] for key in keys.rows("AccessKeyMetadata")]
    found = await asyncio.gather(*(parts.ask(request, "GetAccessKeyLastUsed", AccessKeyId=key_id) for key_id in ids))
    return dict(zip(ids, found, strict=True))


def _changes(person: Principal) -> list[Equivalent]:
    """Return what the page's buttons call, for the commands that it shows."""
    whose = own.named(person)
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


ROUTES = [Route(destinations.SECURITY, security, methods=["GET"])]
