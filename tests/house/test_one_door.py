"""One door: what changes something is an operation, or one of the listed steps for which nobody has signed in yet."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import click
import pytest
from starlette.routing import Route
from tests.house.reaching import WRITES, callers, calls, named_operations, plain, reached, texts

from crownkeep.cli.main import main
from crownkeep.console.app import ROUTES

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
    "signin.person_passwords.choose": _BY_LINK,
    "signin.presence.prove_by_factor": _PROOF,
    "signin.presence.prove_by_password": _PROOF,
    "signin.recovery.unhurried": "a stranger asks for a link to root's mailbox",
    "signin.root_passwords.choose": _BY_LINK,
    "signin.sealed_root.ask": "root has proved password and MFA, and is not signed in",
    "signin.external_sign_in._enter": _NOBODY_YET,
    "signin.external_sign_in._record": "an answer of an identity provider was refused, and is recorded",
    "signin.sealed_root.go_on": _NOBODY_YET,
    "signin.sessions.see": "that a session was used is written down; nobody asked for it",
    "signin.recovery_codes.decline": _ITSELF,
    "signin.sessions.sign_out": "nobody needs a permission to leave, and no policy can keep a session open",
    "signin.sign_in_links.enter": _BY_LINK,
    "signin.switch_role._record_failure": "AssumeRole has been refused and recorded; this is CloudTrail's own SwitchRole event",
    "signin.switch_role._take_on": "AssumeRole has decided; the session remembers whom it acts as",
    "signin.switch_role.come_back": "nobody needs a permission to give up a role",
}
"""Who commits without an operation, each with the reason."""

_LISTS = ("user", "group", "role", "policy", "access-key", "account")
READS: Mapping[str, str] = {
    "/signin": "the account or the address is asked for, and the next page for the password",
    "/signin/step/strength": "how strong a password is that somebody types",
    "/approvals/open": "a custodian shows a security key, and sees what waits",
    "/approvals/keys/open": "a custodian shows a security key, and sees their own keys",
    "/console/simulator": "the policy simulator",
    "/console/attach/review": "what the chosen policies grant, before they are attached",
    **{f"/console/{noun}-list/columns": "a browser keeps which columns it shows" for noun in _LISTS},
    **{f"/console/{noun}-list/review": "what would be done with the chosen rows, before anything is" for noun in _LISTS},
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
    "/console/user-list/apply": ("UpdateAccessKey", "AddUserToGroup", "AttachUserPolicy", "TagUser"),
    "/console/group-list/apply": ("AttachGroupPolicy",),
    "/console/role-list/apply": ("AttachRolePolicy", "TagRole"),
    "/console/policy-list/apply": ("TagPolicy",),
    "/console/access-key-list/apply": ("UpdateAccessKey",),
    "/console/account-list/apply": ("MoveAccount", "TagResource", "AttachPolicy", "DetachPolicy"),
    "/console/identity-providers/delete": ("DeleteOpenIDConnectProvider", "DeleteSAMLProvider"),
    "/console/identity-providers/thumbprints": ("UpdateOpenIDConnectProviderThumbprint",),
    "/console/identity-providers/metadata": ("UpdateSAMLProvider",),
    "/console/identity-providers/tag": ("TagOpenIDConnectProvider", "TagSAMLProvider"),
    "/console/identity-providers/untag": ("UntagOpenIDConnectProvider", "UntagSAMLProvider"),
}
"""Forms whose operation's name is put together of a verb and a kind, or chosen in a list; an undo calls what was offered."""

CALLS = {"calls.change", "parts.obtain"}
"""How pages call operations that change something."""

ROOMS = ("crownkeep.console", "crownkeep.signin")
CHANGES = [route for route in ROUTES if "POST" in (route.methods or ())]


def test_only_listed_steps_change_something_without_an_operation():
    found = callers(lambda node: ast.unparse(node) == "sign_in_steps.commit")

    assert set(STEPS) == set(found)


def test_nobody_but_the_steps_of_sign_in_goes_around_the_operations():
    found = callers(lambda node: node.attr == "carry_out" and ast.unparse(node.value).endswith("door"))

    assert {"signin.sign_in_steps.commit"} == set(found)


def test_the_door_s_database_and_writer_are_its_own():
    strange = callers(lambda node: node.attr.lstrip("_") in ("database", "writer") and ast.unparse(node.value).endswith("door"))

    assert {} == strange


def test_the_console_opens_no_snapshot():
    found = callers(lambda node: node.attr in ("snapshot", "transaction"))

    assert [] == [name for name in found if name.startswith("console.")]


@pytest.mark.parametrize("route", CHANGES, ids=lambda route: f"{route.path} {plain(route.endpoint).__name__}")
def test_a_form_is_sent_to_an_operation_or_to_a_listed_step(route: Route):
    changes = {name for function in reached(plain(route.endpoint), *ROOMS) for name in calls(function)} & CALLS

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
    functions = list(reached(plain(route.endpoint), *ROOMS))
    steps = {f"{function.__module__}.{function.__qualname__}".removeprefix("crownkeep.") for function in functions}
    return (steps & STEPS.keys()).union(*map(named_operations, functions))


# Commands.

_SERVER = "it talks to a server as anybody's client does, by its wire"
_FILES = "it reads files that it is given"
_API = "what changes is changed by the AWS API, with the credentials of whoever calls, as by any client"
NO_CHANGE: Mapping[str, str] = {
    "account list": "a list",
    "account show": "one account",
    "alerts history": "a list",
    "operator list": "a list",
    "alerts receiver list": "a list",
    "sso identity-provider show": "one provider",
    "sso scim-token list": "a list",
    "alerts rule list": "a list",
    "alerts rule test": "a pattern is tried out on what is recorded",
    "approvals list": "a list",
    "approvals report": "the trail is read",
    "approvals show": "one request, and its proof into a file",
    "approvals teams": "a list",
    "approvals verify": "a file is verified",
    "audit": "the AWS API is asked, as any client asks it",
    "backup drill": "what is restored is removed again",
    "backup list": "a list",
    "backup new-recipient": "a file with keys is made, which no database holds",
    "backup verify": "manifests and hashes are looked at",
    "credential-audit export": "the AWS API is asked, as any client asks it",
    "credential-audit model": "a published model",
    "credential-audit verify": _FILES,
    "custodian list": "a list",
    "doctor": "what is wrong is said, and not mended",
    "upgrade": "the schema is brought up to date, which holds no account's change",
    "evidence check": _FILES,
    "evidence pack": _FILES,
    "import aws": _API,
    "sso import": _API,
    "least-privilege": _API,
    "lockdown apply": _API,
    "lockdown plan": _API,
    "lockdown undo": _API,
    "lockdown verify": _API,
    "login": _SERVER,
    "mail list": "a list",
    "mail show": "one notice",
    "operations": "a list",
    "policy check": _FILES,
    "policy explain": "a decision, explained",
    "recoverability": "who can get into one account",
    "root status": "what one root user signs in with",
    "seal show": "one account's seal",
    "serve": "what the server does comes in by its wire and its pages",
    "token list": "a list",
    "trail bucket list": "a list",
    "trail check": "a proof in a file is checked",
    "trail checkpoint": "records get their places in the tree, which is no account's, and the newest checkpoint is printed",
    "trail export": "a copy is written into a file",
    "trail keys": "public keys are printed",
    "trail list": "a list",
    "trail prove": "as for a checkpoint, and a proof is written into a file",
    "trail search": "a search",
    "trail sealed": "a list",
    "trail witness list": "a list",
    "what-if attach-scp": _API,
    "what-if delete-key": _API,
    "what-if leave-group": _API,
    "what-if remove-policy": _API,
    "what-if require-mfa": _API,
    "what-if root-off": _API,
    "what-if set-boundary": _API,
}
"""Commands that change nothing of an account, each with what they are for."""

KEY_FILE: Mapping[str, str] = {
    "keys add": "a key is put into the key file, which no database holds; nothing is sealed with it yet"
}
"""Commands that change the key file alone."""

DATABASE: Mapping[str, str] = {
    "cli.backup._kept": "the public keys that sign backups are read",
    "cli.backup._made": "every row is read in one snapshot",
    "cli.backup.create": "records get their places in the tree, which is no account's",
    "cli.credential_audit._kept": "records are read",
    "cli.drill.command": "every row is read in one snapshot, for a copy",
    "cli.keys.rotate": "the database learns which key it is sealed with, before anything is sealed with it",
    "cli.policy._explained": "policies are read",
    "cli.trail_proofs.prove": "the tree is read, once what waits has its place in it",
    "cli.trail_keeping.withhold": "bytes of what the act has withheld leave the files of sealed months",
    "cli.trail_sealing.seal_month": "records are written to a file before the act, and dropped after it",
    "cli.trail_verify.checkpoint": "as above",
    "cli.trail_verify.keys": "the log's public keys are read, made where there are none yet",
}
"""Who gets hold of the database itself, and what for."""


def commands(command: click.Command = main, path: str = "") -> dict[str, click.Command]:
    """Return every command that does something, by its words."""
    if not isinstance(command, click.Group):
        return {path: command}
    return {
        name: each for word, inner in command.commands.items() for name, each in commands(inner, f"{path} {word}".strip()).items()
    }


@pytest.mark.parametrize("name", commands())
def test_a_command_asks_for_an_operation_or_changes_nothing(name: str):
    functions = list(reached(plain(commands()[name].callback), "crownkeep.cli"))
    named = set().union(*map(texts, functions)) & WRITES

    assert bool(named) != (name in NO_CHANGE or name in KEY_FILE), named
    assert not named or {"held.ask", "waiting.ask"} & {call for function in functions for call in calls(function)}


def test_no_command_gets_around_the_door():
    own = callers(lambda node: node.attr in ("transaction", "writer", "submit", "carry_out", "perform"))
    database = callers(lambda node: ast.unparse(node) == "held.database")

    assert [] == [name for name in own if name.startswith("cli.")]
    assert set(DATABASE) == {name for name in database if name.startswith("cli.")}


def test_the_lists_name_only_commands_that_there_are():
    assert NO_CHANGE.keys() | KEY_FILE.keys() <= commands().keys()
