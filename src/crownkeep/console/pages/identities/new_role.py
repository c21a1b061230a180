"""The beginning of a role: whom to trust, what the role may do and what it is called, reviewed before it is created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, parts, policy_documents, trusts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.forms import Form
from crownkeep.console.kit.identity_kinds import ROLE
from crownkeep.console.kit.policy_documents import Checked, Sort
from crownkeep.console.kit.trusts import Terms, Trusted
from crownkeep.console.pages.identities import granted_policies, role_limits

CREATE = "/console/create-role"
EC2 = "ec2.amazonaws.com"
SERVICES = (EC2, "lambda.amazonaws.com", "ecs-tasks.amazonaws.com", "cloudtrail.amazonaws.com", "states.amazonaws.com")
SUGGESTED = ("ReadOnlyAccess", "SecurityAudit", "job-function/ViewOnlyAccess", "PowerUserAccess", "AdministratorAccess")
_MANAGED = "arn:aws:iam::aws:policy/"
_TEXTS = ("account", "external_id", "service", "web_provider", "audience", "subject", "saml_provider")
_SETTINGS = ("name", "path", "description", "duration", "boundary", "other", "tags")
_AWS_SIGN_IN = "https://signin.aws.amazon.com/saml"


@dataclass(frozen=True, slots=True)
class Entered:
    """What was entered into the form."""

    trusted: Trusted
    texts: Mapping[str, str]
    has_mfa: bool
    document: str
    """The trust policy that was written by hand."""
    arns: tuple[str, ...]
    """The policies that are ticked."""

    @property
    def name(self) -> str:
        """The role's name."""
        return self.texts["name"]


async def create(request: Request) -> Response:
    """Ask whom to trust with the new role, and what it may do."""
    account_id = web.signed_in(request).principal.account_id
    texts = dict.fromkeys((*_TEXTS, *_SETTINGS), "") | {"account": account_id, "path": "/", "duration": "3600"}
    custom = trusts.document(Trusted.ACCOUNT, Terms(account_id=account_id))
    return await _form_page(request, Entered(Trusted.ACCOUNT, texts, has_mfa=False, document=custom, arns=()))


async def created(request: Request) -> Response:
    """Show the trust policy and what is to be said of it first; create the role where that was shown."""
    entered = _entered(web.form(request))
    trust = entered.document if entered.trusted is Trusted.CUSTOM else trusts.document(entered.trusted, _terms(request, entered))
    checked = await policy_documents.check(request, trust, Sort.TRUST)
    form = web.form(request)
    # A policy that was written by hand says what it says, and its findings may have been shown while it was typed.
    is_reviewed = form.one("reviewed") == checked.mark and "review" not in form and not checked.has_errors
    if not is_reviewed:
        return await _form_page(request, entered, checked=checked)

    async def again(refusal: Refused) -> Response:
        return await _form_page(request, entered, checked=checked, refusal=refusal)

    wanted = _calls(entered, trust)
    return await parts.change(request, wanted, then=ROLE.page(entered.name), current=ROLE.folder, show=again)


def _entered(form: Form) -> Entered:
    chosen = form.one("trust")
    # For anything else the account itself: the one choice that lets in nobody from outside.
    trusted = next((each for each in Trusted if each.value == chosen), Trusted.ACCOUNT)
    texts = {name: form.one(name).strip() for name in (*_TEXTS, *_SETTINGS)}
    document = form.one("document").replace("\r\n", "\n")
    return Entered(trusted, texts, has_mfa="mfa" in form, document=document, arns=tuple(dict.fromkeys(form.all("policy"))))


def _terms(request: Request, entered: Entered) -> Terms:
    texts = entered.texts
    return Terms(
        account_id=texts["account"].replace("-", ""),
        has_mfa=entered.has_mfa,
        external_id=texts["external_id"],
        service=texts["service"],
        provider=texts["saml_provider"] if entered.trusted is Trusted.SAML else texts["web_provider"],
        audience=texts["audience"],
        subject=texts["subject"],
        # Both: providers that were set up for AWS name AWS's address, and others this server's.
        saml_audiences=(_AWS_SIGN_IN, f"{web.of(request).settings.url}/saml"),
    )


def _calls(entered: Entered, trust: str) -> list[Equivalent]:
    texts, named = entered.texts, {"RoleName": entered.name}
    path = texts["path"] or "/"
    settings: dict[str, object] = {**named, "Path": path, "AssumeRolePolicyDocument": trust}
    if texts["description"]:
        settings["Description"] = texts["description"]
    if texts["duration"].isdigit():
        settings["MaxSessionDuration"] = int(texts["duration"][:9])
    if texts["boundary"]:
        settings["PermissionsBoundary"] = texts["boundary"]
    if pairs := _tags(texts["tags"]):
        settings["Tags"] = pairs
    wanted = [Equivalent("iam", "CreateRole", settings)]
    arns = dict.fromkeys([*entered.arns, *texts["other"].split()])
    wanted += [Equivalent("iam", "AttachRolePolicy", {**named, "PolicyArn": arn}) for arn in arns]
    if entered.trusted is Trusted.SERVICE and texts["service"] == EC2:
        # An instance is given an instance profile, not a role; AWS's console makes one of the same name, too.
        profile = {"InstanceProfileName": entered.name}
        wanted.append(Equivalent("iam", "CreateInstanceProfile", {**profile, "Path": path}))
        wanted.append(Equivalent("iam", "AddRoleToInstanceProfile", {**profile, **named}))
    return wanted


def _tags(text: str) -> list[dict[str, str]]:
    """Read tags as they are typed: one a line, as `key = value`."""
    lines = (line.partition("=") for line in text.splitlines() if line.strip())
    return [{"Key": key.strip(), "Value": value.strip()} for key, _, value in lines]


async def _form_page(
    request: Request, entered: Entered, *, checked: Checked | None = None, refusal: Refused | None = None
) -> Response:
    own = await parts.ask(request, "ListPolicies", Scope="Local", MaxItems=parts.ROWS)
    web_providers = await parts.ask(request, "ListOpenIDConnectProviders")
    saml_providers = await parts.ask(request, "ListSAMLProviders")
    shown = checked.document if checked is not None else entered.document
    return frame.page(
        request,
        "create_role.html",
        current=ROLE.folder,
        refusal=refusal,
        same=_calls(entered, shown) if entered.name else [Equivalent("iam", "CreateRole", {"RoleName": "NAME"})],
        entered=entered,
        texts=entered.texts,
        checked=checked,
        wanted=_calls(entered, shown) if checked is not None else [],
        granted=await granted_policies.of_calls(request, _calls(entered, shown)) if checked is not None else [],
        services=SERVICES,
        durations=role_limits.durations(),
        suggested={name.rpartition("/")[2]: f"{_MANAGED}{name}" for name in SUGGESTED},
        well_known=trusts.WELL_KNOWN,
        own=own,
        web_providers=web_providers,
        saml_providers=saml_providers,
    )


ROUTES = [
    Route(CREATE, create, methods=["GET"]),
    Route(CREATE, created, methods=["POST"]),
]
