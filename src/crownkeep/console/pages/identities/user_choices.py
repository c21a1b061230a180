"""Choices for a new user: what a form says, carried from page to page without a secret, and the calls that make it so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request

from crownkeep import arn
from crownkeep.console.kit import parts
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.forms import Form

MANAGED: Final = "arn:aws:iam::aws:policy/"
CHANGE_PASSWORD: Final = f"{MANAGED}IAMUserChangePassword"
"""What lets a user change their own password; AWS's console attaches it, too, where a password must be changed."""

PASSWORD: Final = "PASSWORD"
"""What stands for the password until the user is created."""

NO_PASSWORD: Final = "none"
GENERATED: Final = "generated"
CHOSEN: Final = "chosen"
FORCE_MFA: Final = "ForceMFA"
SET_UP_MFA: Final = "SetUpOwnMFA"
_MOST_TAGS = 50


_ENROL: Final = (
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:GetUser",
    "iam:ListMFADevices",
    "iam:ResyncMFADevice",
)
_NEW_DEVICES: Final = ("iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ResyncMFADevice")
_OWN: Final = ("arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:mfa/*")


def set_up_mfa_document() -> str:
    """Return the policy that lets users set up MFA for themselves in the console, which nobody may without it."""
    own = {"Sid": "AllowOwnMFA", "Effect": "Allow", "Action": list(_ENROL), "Resource": list(_OWN)}
    return _document(own, _keys_enrol_nothing())


def force_mfa_document() -> str:
    """Return the policy that lets a session without MFA do nothing but get one (IAM user guide, "Force MFA")."""
    reach = ["iam:GetAccountPasswordPolicy", "iam:ListVirtualMFADevices", "iam:ListUsers"]
    spared = [*_ENROL, "iam:ListVirtualMFADevices", "iam:ChangePassword", "iam:GetAccountPasswordPolicy", "sts:GetSessionToken"]
    without_mfa = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    return _document(
        {"Sid": "AllowWhatNamesNobody", "Effect": "Allow", "Action": reach, "Resource": "*"},
        {
            "Sid": "AllowOwnPasswordAndMFA",
            "Effect": "Allow",
            "Action": [*_ENROL, "iam:ChangePassword"],
            "Resource": list(_OWN),
        },
        {"Sid": "DenyAllElseWithoutMFA", "Effect": "Deny", "NotAction": spared, "Resource": "*", "Condition": without_mfa},
        _keys_enrol_nothing(),
    )


def _keys_enrol_nothing() -> dict[str, object]:
    """Return what keeps whoever found an access key from getting a second factor by it: people enrol after their password.

    Requests signed with a long-term key don't have the condition key at all.
    """
    by_key = {"Null": {"aws:MultiFactorAuthPresent": "true"}}
    return {"Sid": "KeysEnrolNothing", "Effect": "Deny", "Action": list(_NEW_DEVICES), "Resource": "*", "Condition": by_key}


def _document(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen for a new user."""

    name: str = ""
    path: str = "/"
    access: str = NO_PASSWORD
    must_change: bool = True
    needs_mfa: bool = True
    forces_mfa: bool = False
    policies: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    copied_from: str = ""
    boundary: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    malformed_tags: tuple[str, ...] = ()
    """Lines of tags that are none."""

    @property
    def has_password(self) -> bool:
        """Whether the user signs in to the console."""
        return self.access != NO_PASSWORD

    @property
    def tag_lines(self) -> str:
        """The tags as they are typed."""
        return "\n".join([*(f"{key}={value}" for key, value in self.tags), *self.malformed_tags])

    def fields(self) -> Iterator[tuple[str, str]]:
        """Return the fields of a form that `read` reads back as these choices."""
        yield from (("name", self.name), ("path", self.path), ("access", self.access), ("copy", self.copied_from))
        yield from (("boundary", self.boundary), ("tags", self.tag_lines), ("other", ""))
        ticked = {"reset": self.must_change, "mfa": self.needs_mfa, "force": self.forces_mfa}
        yield from ((name, "on") for name, is_ticked in ticked.items() if is_ticked)
        yield from (("policy", each) for each in self.policies)
        yield from (("group", name) for name in self.groups)


@dataclass(frozen=True, slots=True)
class Plan:
    """What creating the user calls, in this order, and what could not be looked into."""

    calls: tuple[Equivalent, ...] = ()
    refusals: tuple[Refused, ...] = field(default_factory=tuple)

    @property
    def digest(self) -> str:
        """A digest of the calls: what is created is what was reviewed."""
        answer = [[call.operation, call.parameters] for call in self.calls]
        return hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()


def read(form: Form) -> Choices:
    """Read what was chosen; the form's password is read where the user is made, and nowhere before."""
    lines = [line.strip() for line in form.one("tags").splitlines() if line.strip()][:_MOST_TAGS]
    pairs = [(key.strip(), value.strip()) for key, mark, value in (line.partition("=") for line in lines) if mark and key.strip()]
    access = form.one("access")
    return Choices(
        name=form.one("name").strip(),
        path=form.one("path").strip() or "/",
        access=access if access in (GENERATED, CHOSEN) else NO_PASSWORD,
        must_change="reset" in form,
        needs_mfa="mfa" in form,
        forces_mfa="force" in form,
        policies=tuple(dict.fromkeys([*form.all("policy"), *form.one("other").split()])),
        groups=tuple(dict.fromkeys(form.all("group"))),
        copied_from=form.one("copy").strip(),
        boundary=form.one("boundary").strip(),
        tags=tuple(pairs),
        malformed_tags=tuple(line for line in lines if "=" not in line or line.startswith("=")),
    )


async def plan(request: Request, choices: Choices, account_id: str) -> Plan:
    """Plan the calls, as whoever is signed in: what is copied from another user is read now."""
    named = {"UserName": choices.name}
    copied, refusals = await _copied(request, choices)
    wanted = [_creation(choices, copied.boundary)]
    if choices.has_password:
        settings = {"Password": PASSWORD, "PasswordResetRequired": choices.must_change}
        wanted.append(Equivalent("iam", "CreateLoginProfile", {**named, **settings}))
        if choices.needs_mfa and not choices.forces_mfa:
            own = {"PolicyName": SET_UP_MFA, "PolicyDocument": set_up_mfa_document()}
            wanted.append(Equivalent("iam", "PutUserPolicy", {**named, **own}))
    arns = [*choices.policies, *copied.policies]
    if choices.has_password and choices.must_change:
        arns.append(CHANGE_PASSWORD)
    if choices.forces_mfa:
        policy_arn = arn.policy(account_id, "/", FORCE_MFA)
        found = await parts.ask(request, "GetPolicy", PolicyArn=policy_arn)
        if found.is_missing:
            wanted.append(Equivalent("iam", "CreatePolicy", {"PolicyName": FORCE_MFA, "PolicyDocument": force_mfa_document()}))
        elif found.refusal is not None:
            refusals.append(found.refusal)
        arns.append(policy_arn)
    wanted += [Equivalent("iam", "AttachUserPolicy", {**named, "PolicyArn": each}) for each in dict.fromkeys(arns)]
    for name, document in copied.inline:
        wanted.append(Equivalent("iam", "PutUserPolicy", {**named, "PolicyName": name, "PolicyDocument": document}))
    groups = dict.fromkeys([*choices.groups, *copied.groups])
    wanted += [Equivalent("iam", "AddUserToGroup", {**named, "GroupName": group}) for group in groups]
    return Plan(tuple(wanted), tuple(refusals))


@dataclass(frozen=True, slots=True)
class _Copied:
    policies: Sequence[str] = ()
    inline: Sequence[tuple[str, str]] = ()
    groups: Sequence[str] = ()
    boundary: str = ""


async def _copied(request: Request, choices: Choices) -> tuple[_Copied, list[Refused]]:
    if not choices.copied_from:
        return _Copied(), []
    named = {"UserName": choices.copied_from}
    about = await parts.ask(request, "GetUser", **named)
    attached = await parts.ask(request, "ListAttachedUserPolicies", **named)
    names = await parts.ask(request, "ListUserPolicies", **named)
    groups = await parts.ask(request, "ListGroupsForUser", **named)
    documents = [await parts.ask(request, "GetUserPolicy", **named, PolicyName=str(name)) for name in names.rows("PolicyNames")]
    inline = [(each.text("PolicyName"), parts.readable(each.text("PolicyDocument"))) for each in documents]
    boundary = about.one("User").get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    copied = _Copied(
        [str(each["PolicyArn"]) for each in attached.rows("AttachedPolicies")],
        inline,
        [str(each["GroupName"]) for each in groups.rows("Groups")],
        str(boundary),
    )
    asked = [about, attached, names, groups, *documents]
    return copied, [each.refusal for each in asked if each.refusal is not None]


def _creation(choices: Choices, copied_boundary: str) -> Equivalent:
    settings: dict[str, object] = {"UserName": choices.name, "Path": choices.path}
    boundary = choices.boundary or copied_boundary
    if boundary:
        settings["PermissionsBoundary"] = boundary
    if choices.tags:
        settings["Tags"] = [{"Key": key, "Value": value} for key, value in choices.tags]
    return Equivalent("iam", "CreateUser", settings)
