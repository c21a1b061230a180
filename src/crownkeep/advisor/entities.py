"""Users, groups, roles and policies, out of GetAccountAuthorizationDetails: who has which documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from crownkeep import untrusted_json
from crownkeep.advisor import calls
from crownkeep.advisor.view import View

ADMINISTRATOR_ACCESS = ":iam::aws:policy/AdministratorAccess"


@dataclass(frozen=True, slots=True)
class Held:
    """One policy that somebody has, by its name, its ARN where it is managed, and its document."""

    name: str
    arn: str
    document: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The document as JSON."""
        return text_of(self.document)

    @property
    def is_managed_by_aws(self) -> bool:
        """Whether AWS wrote it."""
        return ":iam::aws:policy/" in self.arn


@dataclass(frozen=True, slots=True)
class User:
    """A user."""

    name: str
    arn: str
    own: tuple[Held, ...]
    groups: tuple[str, ...]
    boundary: str = ""
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class AccountGroup:
    """A group."""

    name: str
    arn: str
    own: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Role:
    """A role."""

    name: str
    arn: str
    path: str
    own: tuple[Held, ...]
    trust: Mapping[str, Any]
    made_at: str
    used_at: str
    boundary: str = ""
    tags: Mapping[str, str] | None = None

    @property
    def is_service_linked(self) -> bool:
        """Whether an AWS service keeps it for itself."""
        return self.path.startswith("/aws-service-role/")


@dataclass(frozen=True, slots=True)
class Entities:
    """Everything in an account that has policies, and the managed policies themselves."""

    users: tuple[User, ...]
    groups: Mapping[str, AccountGroup]
    roles: tuple[Role, ...]
    policies: Mapping[str, Held]
    """Managed policies by ARN, in their default version."""

    @property
    def holders(self) -> list[User | AccountGroup | Role]:
        """Everybody who has policies."""
        return [*self.users, *self.groups.values(), *self.roles]

    def of_user(self, user: User) -> Iterator[Held]:
        """Return a user's own policies and those of the groups."""
        yield from user.own
        for name in user.groups:
            if name in self.groups:
                yield from self.groups[name].own


def text_of(document: Mapping[str, Any]) -> str:
    """Return a document as JSON."""
    return json.dumps(document)


def of(view: View) -> Entities:
    """Return what the account has."""
    return view.made("entities", (calls.AUTHORIZATION,), lambda: _read(view.get(calls.AUTHORIZATION)))


def statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a document's statements, one alone as a list too."""
    found: object = document.get("Statement", [])
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]


def listed(value: object) -> list[str]:
    """Return an element's texts, one alone as a list too."""
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _read(answer: Mapping[str, Any]) -> Entities:
    policies = {
        policy["Arn"]: Held(policy["PolicyName"], policy["Arn"], _default(policy)) for policy in answer.get("Policies", [])
    }
    groups = {
        each["GroupName"]: AccountGroup(each["GroupName"], each["Arn"], _held(each, "GroupPolicyList", policies))
        for each in answer.get("GroupDetailList", [])
    }
    users = tuple(_user(each, policies) for each in answer.get("UserDetailList", []))
    roles = tuple(_role(each, policies) for each in answer.get("RoleDetailList", []))
    return Entities(users, groups, roles, policies)


def _user(answer: Mapping[str, Any], policies: Mapping[str, Held]) -> User:
    return User(
        answer["UserName"],
        answer["Arn"],
        _held(answer, "UserPolicyList", policies),
        tuple(answer.get("GroupList", [])),
        answer.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        _tags(answer),
    )


def _role(answer: Mapping[str, Any], policies: Mapping[str, Held]) -> Role:
    return Role(
        answer["RoleName"],
        answer["Arn"],
        answer.get("Path", "/"),
        _held(answer, "RolePolicyList", policies),
        _document(answer.get("AssumeRolePolicyDocument")),
        answer.get("CreateDate", ""),
        answer.get("RoleLastUsed", {}).get("LastUsedDate", ""),
        answer.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        _tags(answer),
    )


def _tags(answer: Mapping[str, Any]) -> Mapping[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in answer.get("Tags", [])}


def _held(answer: Mapping[str, Any], inline: str, policies: Mapping[str, Held]) -> tuple[Held, ...]:
    own = [Held(each["PolicyName"], "", _document(each.get("PolicyDocument"))) for each in answer.get(inline, [])]
    for each in answer.get("AttachedManagedPolicies", []):
        own.append(policies.get(each["PolicyArn"]) or Held(each["PolicyName"], each["PolicyArn"], {}))
    return tuple(own)


def _default(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    versions = policy.get("PolicyVersionList", [])
    found: Mapping[str, Any] = next((each for each in versions if each.get("IsDefaultVersion")), {})
    return _document(found.get("Document"))


def _document(answer: object) -> Mapping[str, Any]:
    """Return a document, which clients decode, but for endpoints that write it otherwise than AWS."""
    if isinstance(answer, str):
        try:
            answer = untrusted_json.read(unquote(answer))
        except ValueError:
            return {}
    return answer if isinstance(answer, dict) else {}
