"""One's own signing certificates, SSH public keys and service-specific credentials: added, turned off, deleted."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import danger, frame, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.destinations import SECURITY
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.credentials import own
from crownkeep.principals import Principal
from crownkeep.translation import gettext, gettext_noop

UPLOAD = f"{SECURITY}/upload/{{kind}}"
CHANGE = f"{SECURITY}/change/{{kind}}"
SERVICES = ("codecommit.amazonaws.com", "cassandra.amazonaws.com", "bedrock.amazonaws.com", "logs.amazonaws.com")
"""Services that take credentials of their own (IAM user guide, "Service-specific credentials for IAM users")."""

_PRIVATE = "PRIVATE KEY-----"
_SECRET = gettext_noop("That is a private key. It was not sent on, but it has left its safe place. Make a new pair.")


@dataclass(frozen=True, slots=True)
class UploadKind:
    """A kind of public key or certificate, as IAM's operations and the pages name it."""

    slug: str
    heading: str
    purpose: str
    noun: str
    """As in `UploadSigningCertificate`."""
    key: str
    """The parameter that names one."""
    body: str = ""
    """The parameter that holds what is uploaded; empty where IAM makes the credential itself."""
    hint: str = ""


KINDS = (
    UploadKind(
        "certificate",
        gettext_noop("Upload a signing certificate"),
        gettext_noop(
            "An X.509 certificate with which old SOAP clients sign requests. Its private key stays with you: never paste one."
        ),
        "SigningCertificate",
        "CertificateId",
        "CertificateBody",
        gettext_noop("PEM: it begins with -----BEGIN CERTIFICATE-----"),
    ),
    UploadKind(
        "ssh",
        gettext_noop("Upload an SSH public key"),
        gettext_noop("For Git repositories that ask IAM who you are. Its private key stays with you: never paste one."),
        "SSHPublicKey",
        "SSHPublicKeyId",
        "SSHPublicKeyBody",
        gettext_noop("One line that begins with ssh-rsa, or PEM."),
    ),
    UploadKind(
        "service",
        gettext_noop("Generate a service credential"),
        gettext_noop("A password or API key that one service takes, with your permissions and nothing more. It is shown once."),
        "ServiceSpecificCredential",
        "ServiceSpecificCredentialId",
    ),
)


async def ask(request: Request) -> Response:
    """Ask for what is uploaded, or for which service a credential is; a fresh proof comes first."""
    own.owner(request)
    web.proven(request)
    return _page(request, _kind(request))


async def upload(request: Request) -> Response:
    """Keep what was uploaded, or make a credential, whose secret this answer alone shows."""
    person, form, kind = own.owner(request), web.form(request), _kind(request)
    web.proven(request)
    wanted = _adding(kind, person, form.one("body" if kind.body else "service"))
    if kind.body:
        if _PRIVATE in form.one("body"):
            # It must not reach the trail, which forgets nothing, and must not come back on a page.
            return _page(request, kind, alert=gettext(_SECRET))

        async def again(refusal: Refused) -> Response:
            return _page(request, kind, typed=form.one("body"), refusal=refusal)

        return await parts.change(request, [wanted], then=SECURITY, current=SECURITY, show=again)
    return await _obtained(request, kind, wanted)


async def change(request: Request) -> Response:
    """Turn one on or off, delete it, or give a service credential a new secret."""
    person, form, kind = own.owner(request), web.form(request), _kind(request)
    one, to = {**own.named(person), kind.key: form.one("id")}, form.one("to")
    if to == "Reset" and not kind.body:
        web.proven(request)
        return await _obtained(request, kind, Equivalent("iam", f"Reset{kind.noun}", one))
    if to == "Active":
        web.proven(request)
    wanted = Equivalent("iam", f"Update{kind.noun}", {**one, "Status": to})
    if to == "Deleted":
        text = gettext("What signs or signs in with it is refused from now on. It is not kept anywhere.")
        danger.require(request, Ending(form.one("id"), gettext("Delete this credential?"), text, gettext("Delete"), SECURITY))
        wanted = Equivalent("iam", f"Delete{kind.noun}", one)
    return await parts.change(request, [wanted], then=SECURITY, current=SECURITY)


async def _obtained(request: Request, kind: UploadKind, wanted: Equivalent) -> Response:
    result, outcome = await parts.obtain(request, wanted)
    if outcome.refused is not None:
        return _page(request, kind, refusal=outcome.refused)
    made = result[kind.noun]
    labels = {
        "ServiceUserName": gettext("User name"),
        "ServicePassword": gettext("Password"),
        "ServiceCredentialAlias": gettext("Alias"),
        "ServiceCredentialSecret": gettext("API key"),
    }
    secrets = {label: str(made[name]) for name, label in labels.items() if name in made}
    title = gettext("Your credential for %(service)s", service=made["ServiceName"])
    return parts.result_page(request, outcome, title=title, then=SECURITY, current=SECURITY, secrets=secrets)


def _kind(request: Request) -> UploadKind:
    found = next((kind for kind in KINDS if kind.slug == request.path_params["kind"]), None)
    if found is None:
        raise HTTPException(404)
    return found


def _adding(kind: UploadKind, person: Principal, given: str) -> Equivalent:
    whose = own.named(person)
    if kind.body:
        return Equivalent("iam", f"Upload{kind.noun}", {**whose, kind.body: given})
    return Equivalent("iam", f"Create{kind.noun}", {**whose, "ServiceName": given})


def _page(request: Request, kind: UploadKind, *, typed: str = "", alert: str = "", refusal: Refused | None = None) -> Response:
    sample = typed or ("file://public.pem" if kind.body else SERVICES[0])
    return frame.page(
        request,
        "upload_credential.html",
        current=SECURITY,
        same=[_adding(kind, own.owner(request), sample)],
        refusal=refusal,
        status=400 if alert else 200,
        alert=alert,
        kind=kind,
        typed=typed,
        services=SERVICES,
    )


ROUTES = [
    Route(UPLOAD, ask, methods=["GET"]),
    Route(UPLOAD, upload, methods=["POST"]),
    Route(CHANGE, change, methods=["POST"]),
]
