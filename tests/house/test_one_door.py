"""One door: what changes something is an operation, or one of the listed steps for which nobody has signed in yet."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from types import FunctionType, ModuleType

import pytest
from starlette.routing import Route
from tests.house.source import Definition, definitions, modules

from crownkeep import services
from crownkeep.console.app import ROUTES
from crownkeep.operations import registry
from crownkeep.operations.registry import Mode

services.load()

_NOBODY_YET = "nobody is known yet: a password or a factor is tried"
_BY_LINK = "whoever comes holds a mailed link, and is not signed in"
_PROOF = "a proof of presence is asked of the session's person, whatever policies say; it gives no power of its own"
_ITSELF = "somebody signed in does this to themselves, and no operation does it"
STEPS: Mapping[str, str] = {
    "signin.entry._enter": _NOBODY_YET,
    "signin.entry.verify": _NOBODY_YET,
    "signin.factors.anew": "a step of a sign-in is taken, and begun anew",
    "signin.factors.present": _NOBODY_YET,
    "signin.enrolment.go_on": "a sign-in goes on once a device or a password was set, by an operation",
    "signin.federation._record": "a session that nobody has opened yet is refused",
    "signin.federation.sign_in": "a token of getSigninToken opens a session",
    "signin.federation.sign_in_token": "credentials of AssumeRole or GetFederationToken are exchanged for a token that signs in",
    "signin.mfa_recovery.complete": _BY_LINK,
    "signin.mfa_recovery.confirm_as_custodian": _BY_LINK,
    "signin.mfa_recovery.open_link": _BY_LINK,
    "signin.mfa_recovery.request": "root has proved its password alone, and is not signed in",
    "signin.pending.spend": "a challenge is used up, so that it is answered once; nothing else changes",
    "signin.presence.prove_by_factor": _PROOF,
    "signin.presence.prove_by_password": _PROOF,
    "signin.recovery.unhurried": "a stranger asks for a link to root's mailbox",
    "signin.root_passwords.choose": _BY_LINK,
    "signin.sessions.see": "that a session was used is written down; nobody asked for it",
    "signin.recovery_codes.decline": _ITSELF,
    "signin.sessions.sign_out": "nobody needs a permission to leave, and no policy can keep a session open",
    "signin.sign_in_links.enter": _BY_LINK,
    "signin.switch_role._record_failure": "AssumeRole has been refused and recorded; this is CloudTrail's own SwitchRole event",
    "signin.switch_role._take_on": "AssumeRole has decided; the session remembers whom it acts as",
    "signin.switch_role.come_back": "nobody needs a permission to give up a role",
}
"""Who commits without an operation, each with the reason."""

READS: Mapping[str, str] = {
    "/signin": "the account or the address is asked for, and the next page for the password",
    "/signin/step/strength": "how strong a password is that somebody types",
    "/console/simulator": "the policy simulator",
    "/console/check-document": "a policy document is checked while it is typed",
}
"""Forms that change nothing, each with what they are for."""

_OF_IDENTITIES = ("User", "Role", "Group")
PUT_TOGETHER: Mapping[str, tuple[str, ...]] = {
    "/console/undo": (),
    "/console/attach": tuple(f"Attach{kind}Policy" for kind in _OF_IDENTITIES),
    "/console/policies/detach": tuple(f"Detach{kind}Policy" for kind in _OF_IDENTITIES),
    "/console/{kind}/{name}/detach": tuple(f"Detach{kind}Policy" for kind in _OF_IDENTITIES),
    "/console/{kind}/{name}/boundary": ("PutUserPermissionsBoundary", "DeleteRolePermissionsBoundary"),
    "/console/{kind}/{name}/inline": tuple(f"Delete{kind}Policy" for kind in _OF_IDENTITIES),
    "/console/{kind}/{name}/inline-editor": tuple(f"Put{kind}Policy" for kind in _OF_IDENTITIES),
    "/console/identity-providers/thumbprints": ("UpdateOpenIDConnectProviderThumbprint",),
    "/console/identity-providers/metadata": ("UpdateSAMLProvider",),
    "/console/identity-providers/tag": ("TagOpenIDConnectProvider", "TagSAMLProvider"),
    "/console/identity-providers/untag": ("UntagOpenIDConnectProvider", "UntagSAMLProvider"),
}
"""Forms whose operation's name is put together of a verb and a kind; an undo calls what the page before it offered."""

CALLS = {"calls.change", "parts.obtain"}
"""How pages call operations that change something."""

CHANGES = [route for route in ROUTES if "POST" in (route.methods or ())]
WRITES = {
    name
    for service in registry.services()
    for name in service.served()
    if (found := service.find(name)) is not None and found.mode is Mode.WRITE
}


def _callers(wanted: Callable[[ast.Attribute], bool]) -> dict[str, Definition]:
    """Return the functions that mention an attribute, by module and name."""
    found = {}
    for module in modules():
        for definition in definitions(module):
            if isinstance(definition.node, ast.ClassDef):
                continue
            if any(isinstance(node, ast.Attribute) and wanted(node) for node in ast.walk(definition.node)):
                found[definition.name.removeprefix("crownkeep.").replace(":", ".")] = definition
    return found


def test_only_listed_steps_change_something_without_an_operation():
    callers = _callers(lambda node: ast.unparse(node) == "sign_in_steps.commit")

    assert set(STEPS) == set(callers)


def test_nobody_but_the_steps_of_sign_in_goes_around_the_operations():
    callers = _callers(lambda node: node.attr == "carry_out" and ast.unparse(node.value).endswith("door"))

    assert {"signin.sign_in_steps.commit"} == set(callers)


def test_the_door_s_database_and_writer_are_its_own():
    strange = _callers(lambda node: node.attr.lstrip("_") in ("database", "writer") and ast.unparse(node.value).endswith("door"))

    assert {} == strange


def test_the_console_opens_no_snapshot():
    callers = _callers(lambda node: node.attr in ("snapshot", "transaction"))

    assert [] == [name for name in callers if name.startswith("console.")]


@pytest.mark.parametrize("route", CHANGES, ids=lambda route: f"{route.path} {_plain(route.endpoint).__name__}")
def test_a_form_is_sent_to_an_operation_or_to_a_listed_step(route: Route):
    reached = list(_reached(_plain(route.endpoint)))
    changes = {name for function in reached for name in _calls(function)} & CALLS

    if route.path in READS:
        assert set() == changes | (acts(route) & STEPS.keys())
    elif route.path in PUT_TOGETHER:
        assert changes
        assert set(PUT_TOGETHER[route.path]) <= WRITES
    else:
        assert acts(route)


def test_the_lists_name_only_forms_that_there_are():
    assert READS.keys() | PUT_TOGETHER.keys() <= {route.path for route in CHANGES}


def acts(route: Route) -> set[str]:
    """Return the operations and the listed steps that a page's function names, itself or by what it calls."""
    return {name for function in _reached(_plain(route.endpoint)) for name in _named(function)}


def _plain(endpoint: object) -> FunctionType:
    while isinstance(endpoint, partial):
        endpoint = endpoint.func
    assert isinstance(endpoint, FunctionType)
    return endpoint


def _reached(function: FunctionType) -> Iterator[FunctionType]:
    """Return a function of the console or of sign-in, and those that it names, however far away."""
    seen, waiting = set(), [function]
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        yield each
        for value in _values(each):
            if isinstance(value, FunctionType) and value.__module__.startswith(("crownkeep.console", "crownkeep.signin")):
                waiting.append(value)


def _named(function: FunctionType) -> Iterator[str]:
    step = f"{function.__module__}.{function.__qualname__}".removeprefix("crownkeep.")
    if step in STEPS:
        yield step
    for value in _values(function):
        yield from _operations(value)


def _operations(value: object) -> Iterator[str]:
    match value:
        case str() if value in WRITES:
            yield value
        case re.Pattern():
            yield from filter(value.fullmatch, WRITES)
        case Mapping():
            for each in value.values():
                yield from _operations(each)
        case list() | tuple():
            for each in value:
                yield from _operations(each)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            for field in dataclasses.fields(value):
                yield from _operations(getattr(value, field.name))


def _calls(function: FunctionType) -> Iterator[str]:
    """Return what a function calls, such as `calls.change`."""
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@cache
def _values(function: FunctionType) -> tuple[object, ...]:
    """Return what a function's source names: constants, globals, and members of modules."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return tuple(value for node in ast.walk(tree) for value in _meant(node, function.__globals__))


def _meant(node: ast.AST, scope: Mapping[str, object]) -> Iterator[object]:
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=[ast.Constant(value=str() as verb), *_]) if verb[:1].isupper():
            # A name put together, such as f"Detach{kind}Policy".
            parts = [re.escape(str(each.value)) if isinstance(each, ast.Constant) else "[A-Za-z]+" for each in node.values]
            yield re.compile("".join(parts))
        case ast.Name(id=name) if name in scope:
            yield scope[name]
        case ast.Attribute(value=ast.Name(id=name), attr=member) if isinstance(scope.get(name), ModuleType):
            yield getattr(scope[name], member, None)
