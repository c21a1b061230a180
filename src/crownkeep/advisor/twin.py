"""A twin: the calls that make an account's users, groups, roles, policies and settings anew, out of evidence; no secrets.

The calls are in an order in which most find what they name; those that don't, such as a role that trusts a later role, are to be
tried again after the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from crownkeep.advisor import calls
from crownkeep.advisor.evidence import ApiQuestion, Evidence
from crownkeep.advisor.plans import PlannedCall
from crownkeep.advisor.view import CannotTell, View

_POLICY_MEMBERS = (
    "MinimumPasswordLength",
    "RequireSymbols",
    "RequireNumbers",
    "RequireUppercaseCharacters",
    "RequireLowercaseCharacters",
    "AllowUsersToChangePassword",
    "MaxPasswordAge",
    "PasswordReusePrevention",
    "HardExpiry",
)
_SERVICE_LINKED = "/aws-service-role/"


def of(evidence: Evidence, account_id: str) -> list[PlannedCall]:
    """Return the calls that make the twin in another account, whose id takes the place of the first one's; raises CannotTell.

    Users and roles have to be known. Settings that could not be read are left out.
    """
    view = View(evidence)
    details = view.get(calls.AUTHORIZATION)
    rewrite = _renamed(evidence.account_id, account_id)
    made = [
        *_policies(details),
        *_groups(details),
        *_users(details),
        *_providers(view, evidence),
        *_roles(details),
        *_settings(view),
    ]
    return [PlannedCall(each.service, each.operation, rewrite(each.parameters)) for each in made]


def _renamed(before: str, after: str) -> Callable[[Any], Any]:
    """Put one account's id in the place of another's where it stands by itself: in ARNs, and as a principal."""
    pattern = re.compile(rf"(?<!\d){before}(?!\d)")

    def rename(value: Any) -> Any:
        match value:
            case str():
                return pattern.sub(after, value)
            case dict():
                return {name: rename(each) for name, each in value.items()}
            case list():
                return [rename(each) for each in value]
            case _:
                return value

    return rename


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def _iam(operation: str, **parameters: Any) -> PlannedCall:
    return PlannedCall("iam", operation, {name: value for name, value in parameters.items() if value not in (None, "", [])})


def _tags(answer: Mapping[str, Any]) -> list[Mapping[str, str]]:
    return [{"Key": each["Key"], "Value": each.get("Value", "")} for each in answer.get("Tags", [])]


def _boundary(answer: Mapping[str, Any]) -> str:
    return str(answer.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""))


def _policies(details: Mapping[str, Any]) -> Iterator[PlannedCall]:
    for each in details.get("Policies", []):
        if ":iam::aws:policy/" in each["Arn"]:
            continue
        default = next((one for one in each.get("PolicyVersionList", []) if one.get("IsDefaultVersion")), None)
        if default is not None:
            yield _iam(
                "CreatePolicy",
                PolicyName=each["PolicyName"],
                Path=each.get("Path", "/"),
                PolicyDocument=_text(default["Document"]),
                Description=each.get("Description"),
            )


def _held(answer: Mapping[str, Any], kind: str) -> Iterator[PlannedCall]:
    named = {f"{kind}Name": answer[f"{kind}Name"]}
    for each in answer.get(f"{kind}PolicyList", []):
        document = _text(each["PolicyDocument"])
        yield _iam(f"Put{kind}Policy", **named, PolicyName=each["PolicyName"], PolicyDocument=document)
    for each in answer.get("AttachedManagedPolicies", []):
        yield _iam(f"Attach{kind}Policy", **named, PolicyArn=each["PolicyArn"])


def _groups(details: Mapping[str, Any]) -> Iterator[PlannedCall]:
    for each in details.get("GroupDetailList", []):
        yield _iam("CreateGroup", GroupName=each["GroupName"], Path=each.get("Path", "/"))
        yield from _held(each, "Group")


def _users(details: Mapping[str, Any]) -> Iterator[PlannedCall]:
    for each in details.get("UserDetailList", []):
        yield _iam(
            "CreateUser",
            UserName=each["UserName"],
            Path=each.get("Path", "/"),
            PermissionsBoundary=_boundary(each),
            Tags=_tags(each),
        )
        yield from _held(each, "User")
        for group in each.get("GroupList", []):
            yield _iam("AddUserToGroup", UserName=each["UserName"], GroupName=group)


def _providers(view: View, evidence: Evidence) -> Iterator[PlannedCall]:
    for asked in evidence.answers.values():
        made = _PROVIDERS.get(asked.question.operation)
        answer = _find(view, asked.question) if made is not None else None
        if made is not None and answer:
            yield made(asked.question, answer)


def _oidc_provider(_: ApiQuestion, answer: Mapping[str, Any]) -> PlannedCall:
    return _iam(
        "CreateOpenIDConnectProvider",
        Url=f"https://{answer['Url'].removeprefix('https://')}",
        ClientIDList=answer.get("ClientIDList"),
        ThumbprintList=answer.get("ThumbprintList"),
    )


def _saml_provider(asked: ApiQuestion, answer: Mapping[str, Any]) -> PlannedCall:
    """Return the call that makes a SAML provider; its metadata is public, and keys that decrypt assertions are never told."""
    name = str(asked.arguments()["SAMLProviderArn"]).rpartition("/")[2]
    return _iam("CreateSAMLProvider", Name=name, SAMLMetadataDocument=answer["SAMLMetadataDocument"], Tags=_tags(answer))


_PROVIDERS: Mapping[str, Callable[[ApiQuestion, Mapping[str, Any]], PlannedCall]] = {
    "GetOpenIDConnectProvider": _oidc_provider,
    "GetSAMLProvider": _saml_provider,
}


def _roles(details: Mapping[str, Any]) -> Iterator[PlannedCall]:
    for each in details.get("RoleDetailList", []):
        if each.get("Path", "/").startswith(_SERVICE_LINKED):
            continue  # services make these themselves
        yield _iam(
            "CreateRole",
            RoleName=each["RoleName"],
            Path=each.get("Path", "/"),
            AssumeRolePolicyDocument=_text(each["AssumeRolePolicyDocument"]),
            PermissionsBoundary=_boundary(each),
            Tags=_tags(each),
        )
        yield from _held(each, "Role")


def _settings(view: View) -> Iterator[PlannedCall]:
    policy = (_find(view, calls.PASSWORD_POLICY) or {}).get("PasswordPolicy", {})
    if policy:
        members = {name: policy[name] for name in _POLICY_MEMBERS if policy.get(name) is not None}
        yield PlannedCall("iam", "UpdateAccountPasswordPolicy", members)
    for each in (_find(view, calls.ALIASES) or {}).get("AccountAliases", []):
        yield _iam("CreateAccountAlias", AccountAlias=each)
    owner = (_find(view, calls.PRIMARY_CONTACT) or {}).get("ContactInformation")
    if owner:
        yield PlannedCall("account", "PutContactInformation", {"ContactInformation": owner})
    for kind, asked in calls.ALTERNATE_CONTACTS.items():
        contact = (_find(view, asked) or {}).get("AlternateContact")
        if contact:
            members = {name: contact[name] for name in ("Name", "Title", "EmailAddress", "PhoneNumber") if name in contact}
            yield PlannedCall("account", "PutAlternateContact", {"AlternateContactType": kind, **members})


def _find(view: View, asked: ApiQuestion) -> Mapping[str, Any] | None:
    try:
        return view.find(asked)
    except CannotTell:
        return None


def subjects(made: Iterable[PlannedCall]) -> Mapping[str, int]:
    """Return how many of each kind of thing calls make."""
    counted: dict[str, int] = {}
    for each in made:
        if each.operation.startswith("Create"):
            is_control = (each.service, each.operation) == ("organizations", "CreatePolicy")
            kind = "ControlPolicy" if is_control else each.operation.removeprefix("Create")
            counted[kind] = counted.get(kind, 0) + 1
    return counted
