"""Identity providers: directories and programs elsewhere whose people roles can trust, by OpenID Connect or by SAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import danger, frame, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.translation import gettext

FOLDER = "/console/identity-providers"
CREATE = f"{FOLDER}/create"
KINDS = ("oidc", "saml")
_OIDC, _SAML = ":oidc-provider/", ":saml-provider/"
_SAMPLE = {"name": "", "metadata": "", "url": "", "audiences": "sts.amazonaws.com", "thumbprints": ""}


def page(arn: str) -> str:
    """Return the address of one provider's page."""
    return parts.address(f"{FOLDER}/one", arn=arn)


def name_of(arn: str) -> str:
    """Return what a provider is called: its host and path, or its name."""
    return arn.partition(_OIDC)[2] or arn.partition(_SAML)[2] or arn


async def providers(request: Request) -> Response:
    """List the providers of both kinds; a quota keeps them few."""
    web.signed_in(request)
    oidc = await parts.ask(request, "ListOpenIDConnectProviders")
    saml = await parts.ask(request, "ListSAMLProviders")
    rows = [(page(each["Arn"]), name_of(each["Arn"]), "OpenID Connect", None) for each in oidc.rows("OpenIDConnectProviderList")]
    rows += [
        (page(each["Arn"]), name_of(each["Arn"]), "SAML 2.0", each.get("ValidUntil")) for each in saml.rows("SAMLProviderList")
    ]
    return frame.page(
        request,
        "identity_providers.html",
        current=FOLDER,
        same=parts.equivalents([oidc, saml]),
        rows=rows,
        refused=[part for part in (oidc, saml) if part.refusal is not None],
    )


async def create(request: Request) -> Response:
    """Ask for a provider."""
    web.signed_in(request)
    return _form_page(request, parts.chosen(request, "kind", KINDS), _SAMPLE)


async def created(request: Request) -> Response:
    """Register a provider."""
    entered = parts.entered(request, *_SAMPLE)
    kind = web.form(request).one("kind")
    if kind not in KINDS:
        raise HTTPException(404)
    result, outcome = await parts.obtain(request, _creation(kind, entered))
    if outcome.refused is not None:
        return _form_page(request, kind, entered, refusal=outcome.refused)
    arn = result.get("OpenIDConnectProviderArn") or result["SAMLProviderArn"]
    return parts.after(request, outcome, then=page(arn), current=FOLDER)


def _creation(kind: str, entered: Mapping[str, str]) -> Equivalent:
    if kind == "saml":
        given: dict[str, object] = {"Name": entered["name"], "SAMLMetadataDocument": entered["metadata"]}
        return Equivalent("iam", "CreateSAMLProvider", given)
    lists = {"ClientIDList": entered["audiences"].split(), "ThumbprintList": entered["thumbprints"].split()}
    present = {name: values for name, values in lists.items() if values}
    return Equivalent("iam", "CreateOpenIDConnectProvider", {"Url": entered["url"], **present})


def _form_page(request: Request, kind: str, entered: Mapping[str, str], *, refusal: Refused | None = None) -> Response:
    shown = {"name": "NAME", "metadata": "METADATA", "url": "https://HOST"}
    sample = {**entered, **{name: entered[name] or word for name, word in shown.items()}}
    return frame.page(
        request,
        "create_identity_provider.html",
        current=FOLDER,
        refusal=refusal,
        same=[_creation(each, sample) for each in KINDS],
        kind=kind,
        entered=entered,
    )


async def provider(request: Request) -> Response:
    """Show one provider, and what can be changed about it."""
    web.signed_in(request)
    return await _page(request, request.query_params.get("arn", ""))


async def _page(request: Request, arn: str, *, alert: str = "") -> Response:
    is_saml = _SAML in arn
    about = await parts.ask(request, f"Get{_noun(arn)}", **_named(arn))
    if about.is_missing:
        return parts.missing(request, about, current=FOLDER, title=gettext("There is no such provider"), back=FOLDER)
    return frame.page(
        request,
        "identity_provider.html",
        current=FOLDER,
        status=400 if alert else 200,
        same=[about.call, *_changes(arn)],
        arn=arn,
        name=name_of(arn),
        is_saml=is_saml,
        about=about,
        tags=about.rows("Tags"),
        alert=alert,
    )


def _noun(arn: str) -> str:
    return "SAMLProvider" if _SAML in arn else "OpenIDConnectProvider"


def _named(arn: str) -> dict[str, str]:
    return {f"{_noun(arn)}Arn": arn}


def _call(verb: str, arn: str, rest: str = "", **parameters: object) -> Equivalent:
    return Equivalent("iam", f"{verb}{_noun(arn)}{rest}", {**_named(arn), **parameters})


def _changes(arn: str) -> list[Equivalent]:
    """Return what the page's buttons call, for the commands that it shows."""
    own = [_call("Update", arn, SAMLMetadataDocument="METADATA")]
    if _SAML not in arn:
        own = [*_audience(arn, "AUDIENCE"), _call("Update", arn, "Thumbprint", ThumbprintList=["THUMBPRINT"])]
    tags = [_call("Tag", arn, Tags=[{"Key": "KEY", "Value": "VALUE"}]), _call("Untag", arn, TagKeys=["KEY"])]
    return [*own, *tags, _call("Delete", arn)]


def _audience(arn: str, client_id: str) -> tuple[Equivalent, Equivalent]:
    given = {**_named(arn), "ClientID": client_id}
    return (
        Equivalent("iam", "AddClientIDToOpenIDConnectProvider", given),
        Equivalent("iam", "RemoveClientIDFromOpenIDConnectProvider", given),
    )


async def audience(request: Request) -> Response:
    """Take tokens for another audience, or for one fewer."""
    form = web.form(request)
    adds, removes = _audience(form.one("arn"), form.one("audience").strip())
    wanted, back = (removes, adds) if "remove" in form else (adds, removes)
    return await _changed(request, [wanted], back=[back])


async def thumbprints(request: Request) -> Response:
    """Set the thumbprints of the certificates that the provider's server may show."""
    form = web.form(request)
    wanted = _call("Update", form.one("arn"), "Thumbprint", ThumbprintList=form.one("thumbprints").split())
    return await _changed(request, [wanted])


async def metadata(request: Request) -> Response:
    """Set the metadata of a SAML provider, such as after its certificate changed."""
    form = web.form(request)
    return await _changed(request, [_call("Update", form.one("arn"), SAMLMetadataDocument=form.one("metadata").strip())])


async def tag(request: Request) -> Response:
    """Add a tag, or change its value."""
    form = web.form(request)
    return await _changed(request, [_call("Tag", form.one("arn"), Tags=[{"Key": form.one("key"), "Value": form.one("value")}])])


async def untag(request: Request) -> Response:
    """Remove a tag."""
    form = web.form(request)
    arn, key = form.one("arn"), form.one("key")
    back = _call("Tag", arn, Tags=[{"Key": key, "Value": form.one("value")}])
    return await _changed(request, [_call("Untag", arn, TagKeys=[key])], back=[back])


async def deleted(request: Request) -> Response:
    """Forget a provider, where its name was typed; roles that trust it trust nobody by it any more."""
    arn = web.form(request).one("arn")
    text = gettext("Roles that trust it stay, but nobody can assume them through it any more.")
    name = name_of(arn)
    danger.require(
        request,
        Ending(
            name, gettext("Delete the provider %(name)s?", name=name), text, gettext("Delete provider"), page(arn), {"ARN": arn}
        ),
    )
    outcome = await parts.carry_out(request, [_call("Delete", arn)])
    then = FOLDER if outcome.refused is None else page(arn)
    return parts.after(request, outcome, then=then, current=FOLDER)


async def _changed(request: Request, wanted: Sequence[Equivalent], *, back: Sequence[Equivalent] = ()) -> Response:
    return await parts.change(request, wanted, then=page(web.form(request).one("arn")), current=FOLDER, back=back)


ROUTES = [
    Route(FOLDER, providers, methods=["GET"]),
    Route(CREATE, create, methods=["GET"]),
    Route(CREATE, created, methods=["POST"]),
    Route(f"{FOLDER}/one", provider, methods=["GET"]),
    Route(f"{FOLDER}/audience", audience, methods=["POST"]),
    Route(f"{FOLDER}/thumbprints", thumbprints, methods=["POST"]),
    Route(f"{FOLDER}/metadata", metadata, methods=["POST"]),
    Route(f"{FOLDER}/tag", tag, methods=["POST"]),
    Route(f"{FOLDER}/untag", untag, methods=["POST"]),
    Route(f"{FOLDER}/delete", deleted, methods=["POST"]),
]
