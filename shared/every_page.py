"""Every page of the console that can be asked for, from its table of routes: a page that is added can't be forgotten.

A page whose address names something needs a sample address here; all others are found by themselves. Tests, pictures and the
pages' benchmark walk this list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from urllib.parse import quote, unquote

from starlette.routing import Route

from crownkeep.console.app import ROUTES
from crownkeep.console.pages.credentials import own_uploads
from crownkeep.console.pages.identities import groups, roles, users
from crownkeep.console.pages.organization import control_policies, member_accounts
from crownkeep.console.pages.policies import policies
from crownkeep.console.pages.single_sign_on import directory_people
from shared.furnished import Samples

_AWS_POLICY = quote("arn:aws:iam::aws:policy/AdministratorAccess", safe="")
_COMMAND_LINE = (
    "/v1/authorize?response_type=code&client_id=arn%3Aaws%3Asignin%3A%3A%3Adevtools%2Fsame-device&state=7a3f0c52-5a80-4c62-a0d8-6f7c42f6f0c1&scope=openid"
    "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=SHA-256"
    "&redirect_uri=http%3A%2F%2F127.0.0.1%3A8000%2Foauth%2Fcallback"
)


def _tabs(address: str, tabs: Sequence[str]) -> tuple[str, ...]:
    mark = "&" if "?" in address else "?"
    return tuple(f"{address}{mark}tab={tab}" for tab in tabs)


def _controls(address: str) -> tuple[str, ...]:
    return (f"{address}?type=SERVICE_CONTROL_POLICY", f"{address}?type=RESOURCE_CONTROL_POLICY")


_OWN_POLICY = "arn%3Aaws%3Aiam%3A%3A{account}%3Apolicy%2F{policy}"
ADDRESSES: Mapping[str, tuple[str, ...]] = {
    "/console/users/{name}": _tabs("/console/users/{user}", users.TABS),
    "/console/groups/{name}": _tabs("/console/groups/{group}", groups.TABS),
    "/console/roles/{name}": _tabs("/console/roles/{role}", roles.TABS),
    "/console/help/{name:path}": ("/console/help/sign-in", "/console/help/reference/settings"),
    "/console/policies/one": (
        *_tabs(f"/console/policies/one?arn={_OWN_POLICY}", policies.TABS),
        *_tabs(f"/console/policies/one?arn={_AWS_POLICY}", policies.TABS),
    ),
    "/console/policies/new-version": (f"/console/policies/new-version?arn={_OWN_POLICY}",),
    "/console/{kind}/{name}/inline": ("/console/users/{user}/inline?policy={inline}",),
    "/console/{kind}/{name}/inline-editor": (
        "/console/users/{user}/inline-editor",
        "/console/users/{user}/inline-editor?policy={inline}",
    ),
    "/console/identity-providers/one": (
        "/console/identity-providers/one?arn=arn%3Aaws%3Aiam%3A%3A{account}%3Aoidc-provider%2Ftoken.actions.githubusercontent.com",
        "/console/identity-providers/one?arn=arn%3Aaws%3Aiam%3A%3A{account}%3Asaml-provider%2Fcorp",
    ),
    "/console/identity-providers/create": tuple(f"/console/identity-providers/create?kind={kind}" for kind in ("oidc", "saml")),
    "/console/what-if": ("/console/what-if", "/console/what-if?change=remove-policy&policy={inline}"),
    "/console/simulator": ("/console/simulator", "/console/simulator?principal=user/{user}&actions=s3:GetObject"),
    "/console/password-policy/review": ("/console/password-policy/review?MinimumPasswordLength=14",),
    "/console/attach": ("/console/attach?to=user&name={user}", "/console/attach?to=role&name={role}&use=boundary"),
    "/console/security/upload/{kind}": tuple(f"/console/security/upload/{kind.slug}" for kind in own_uploads.KINDS),
    "/console/mfa/resync": ("/console/mfa/resync?serial=arn%3Aaws%3Aiam%3A%3A{account}%3Amfa%2Fphone",),
    "/console/organization": ("/console/organization", "/console/organization?under={unit}&tab=policies"),
    "/console/organization/account": _tabs("/console/organization/account?id={member}", member_accounts.TABS),
    "/console/organization/accounts/move": (
        "/console/organization/accounts/move?account={member}&to={unit}",
        "/console/organization/accounts/move?account={member}&to={root}",
    ),
    "/console/organization/root": ("/console/organization/root?id={member}",),
    "/console/organization/policies": _controls("/console/organization/policies"),
    "/console/organization/policies/create": (
        *_controls("/console/organization/policies/create"),
        "/console/organization/policies/create?preset=deny-root-user",
    ),
    "/console/organization/policies/one": _tabs("/console/organization/policies/one?id={control}", control_policies.TABS),
    "/console/organization/policies/edit": ("/console/organization/policies/edit?id={control}",),
    "/console/organization/policies/attach": (
        "/console/organization/policies/attach?policy={control}",
        "/console/organization/policies/attach?target={member}",
        "/console/organization/policies/attach?policy={control}&target={unit}",
    ),
    "/console/organization/policies/detach": ("/console/organization/policies/detach?policy={control}&target={unit}",),
    "/console/find": ("/console/find", "/console/find?q={user}"),
    "/console/single-sign-on/people": ("/console/single-sign-on/people", "/console/single-sign-on/people?q=ines"),
    "/console/single-sign-on/people/one": _tabs("/console/single-sign-on/people/one?id={person}", directory_people.TABS),
    "/console/single-sign-on/groups/one": ("/console/single-sign-on/groups/one?id={people}",),
    "/console/single-sign-on/permission-sets/one": ("/console/single-sign-on/permission-sets/one?arn={permission_set}",),
    "/console/single-sign-on/assignments": (
        "/console/single-sign-on/assignments",
        "/console/single-sign-on/assignments?administrators=1",
    ),
    "/console/trail": ("/console/trail", "/console/trail?by=Username&value=root", "/console/trail?by=EventName&value=CreateUser"),
    "/console/trail/event": ("/console/trail/event?id={event}",),
    "/console/custody/requests/one": ("/console/custody/requests/one?id={asked}",),
    "/console/credential-report": ("/console/credential-report", "/console/credential-report?show=unused"),
    "/signin/{account}": ("/signin/{account}",),
    "/start/{start}": ("/start/{start}",),
    "/start/{start}/device": ("/start/{start}/device",),
    "/start/{start}/security": ("/start/{start}/security",),
    "/start/{start}/devices": ("/start/{start}/devices",),
    "/start/{start}/app": ("/start/{start}/app",),
    "/start/{start}/recovery-codes": ("/start/{start}/recovery-codes",),
    "/start/{start}/change-password": ("/start/{start}/change-password",),
    "/start/{start}/password": ("/start/{start}/password",),
    "/start/{start}/set-password": ("/start/{start}/set-password",),
    "/v1/authorize": (_COMMAND_LINE,),
}
"""What to ask for where a route's own path is no whole address, or not all that there is to see."""

_ID = re.compile(r"[0-9]{12}|[0-9a-f-]{36}")
_UNKNOWN = "unknown-sample"
_NOTHING = Samples(*[""] * 7)
NO_PAGES = frozenset(
    {
        "/",
        "/.well-known/change-password",
        "/events",
        "/favicon.ico",
        "/console/",
        "/console/find/suggestions",
        "/console/root-keys",
        "/federation",
        "/start/{start}/external",
        "/start/{start}/oidc",
        "/start/{start}/saml",
        "/start/{start}/saml/metadata",
    }
)
"""Routes that only send a browser on, answer a program, or are a part of a page."""


def inside(samples: Samples) -> list[str]:
    """Return the address of every page for people who have signed in."""
    return [address for path, address in _all(samples) if path.startswith(("/console", "/switchrole", "/v1/"))]


def is_file(address: str) -> bool:
    """Tell whether an address answers a file to keep, which no browser shows."""
    return address.partition("?")[0].endswith(("/download", "/evidence"))


def outside(samples: Samples) -> list[str]:
    """Return the address of every page for people who have not signed in, or are about to."""
    return [address for path, address in _all(samples) if not path.startswith(("/console", "/switchrole", "/v1/"))]


def routes(method: str) -> list[Route]:
    """Return the routes that take a method."""
    return [route for route in ROUTES if method in (route.methods or ())]


def unsampled() -> set[str]:
    """Return the pages whose address names something of a kind that is not known here: they need an address in ADDRESSES."""
    named = {route.path for route in routes("GET") if "{" in route.path and route.path not in NO_PAGES}
    return {path for path in named if path not in ADDRESSES and _UNKNOWN in filled(path, _NOTHING)}


def filled(path: str, samples: Samples) -> str:
    """Fill in a route's path: the word before a name says what is named."""
    named = {
        "users": samples.user,
        "groups": samples.group,
        "roles": samples.role,
        "alternate-contacts": "security",
        "credential-audits": samples.audit,
    }
    words = path.replace("/{kind}/{name}", "/users/{name}").split("/")
    for index, word in enumerate(words):
        if word.startswith("{"):
            words[index] = named.get(words[index - 1], _UNKNOWN)
    return "/".join(words)


def name_of(address: str) -> str:
    """Return a name for an address, for a file that shows it: its words, without ids and the rest of an ARN."""
    path, _, query = address.partition("?")
    told = [] if path.startswith("/v1/") else [unquote(pair.partition("=")[2]).rpartition("/")[2] for pair in query.split("&")]
    place = "-".join(_words(path.split("/"))) or "dashboard"
    return "_".join([place, *_words(told)])


def _words(words: Sequence[str]) -> list[str]:
    return [word.lower() for word in words if word not in ("", "console") and not _ID.fullmatch(word)]


def _all(samples: Samples) -> list[tuple[str, str]]:
    names = {name: quote(value, safe="") for name, value in asdict(samples).items()}
    found: dict[str, str] = {}
    for route in routes("GET"):
        if route.path in NO_PAGES:
            continue
        for address in ADDRESSES.get(route.path) or (filled(route.path, samples),):
            found.setdefault(address.format(**names), route.path)
    return [(path, address) for address, path in found.items()]
