"""A decision is about the thing that is found, never about a spelling of it: whatever a caller writes, what is acted on and what
policies are asked about are the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import pytest
from tests.fixtures.crown import Crowns
from tests.services.deciding import Scene
from tests.services.test_recorded_decisions import AUTHORISED

IDENTIFYING = (
    "AWSServiceName",
    "AccessKeyId",
    "AccountId",
    "Arn",
    "AuditId",
    "ChildId",
    "DelegationRequestId",
    "DestinationParentId",
    "EntityArn",
    "EntityPath",
    "GroupId",
    "GroupName",
    "HandshakeId",
    "IdentityStoreId",
    "InstanceArn",
    "InstanceProfileName",
    "MembershipId",
    "OpenIDConnectProviderArn",
    "OrganizationalUnitId",
    "OrganizationsPolicyId",
    "ParentId",
    "PermissionSetArn",
    "PermissionsBoundary",
    "PolicyArn",
    "PolicyId",
    "PolicySourceArn",
    "ResourceId",
    "RoleArn",
    "RoleName",
    "RootId",
    "SAMLProviderArn",
    "SSHPublicKeyId",
    "SerialNumber",
    "ServerCertificateName",
    "ServiceName",
    "ServicePrincipal",
    "ServiceSpecificCredentialId",
    "SourceParentId",
    "TargetId",
    "TargetPrincipal",
    "Url",
    "UserId",
    "UserName",
)
"""Members by which something is named that is there already."""


def spellings(text: str) -> list[str]:
    """Return what a careless reader would take for the same name, path, id or ARN."""
    head, slash, name = text.rpartition("/")
    first = text.find("/")
    found = [
        text.upper(),
        text.lower(),
        text.swapcase(),
        f"{text}/",
        f"/{text}",
        f" {text}",
        f"{text} ",
        f"{text}%20",
        "".join(f"%{ord(letter):02X}" for letter in text[:2]) + text[2:],
        # The Kelvin sign and the long s are `k` and `s` in lower or upper case.
        text.replace("k", "\u212a").replace("s", "\u017f"),
        "".join(chr(ord(letter) + 0xFEE0) if letter.isalnum() else letter for letter in text),
    ]
    if slash:
        found += [
            f"{head}//{name}",
            f"{head}/./{name}",
            f"{head}/x/../{name}",
            f"{head}%2F{name}",
            f"{text[:first]}//{text[first + 1 :]}",
            f"{text[:first]}/{name}",
            f"{head}/{name.swapcase()}",
        ]
    if text.startswith("arn:"):
        parts = text.split(":", 5)
        found += [
            ":".join([*parts[:1], "aws-cn", *parts[2:]]),
            ":".join([*parts[:3], "us-east-1", *parts[4:]]),
            ":".join([*parts[:2], parts[2].upper(), *parts[3:]]),
            ":".join([*parts[:4], "", parts[5]]),
            f"{text}:*",
        ]
    return [each for each in dict.fromkeys(found) if each != text]


NAMING_SOMETHING_ELSE: Mapping[str, str] = {
    "iam:CreateGroup GroupName": "of the group to be made",
    "iam:CreateInstanceProfile InstanceProfileName": "of the instance profile to be made",
    "iam:CreateOpenIDConnectProvider Url": "of the provider to be made",
    "iam:CreateRole RoleName": "of the role to be made",
    "iam:CreateUser UserName": "of the user to be made",
    "iam:DeleteOpenIDConnectProvider OpenIDConnectProviderArn": "one that isn't there is no error, and nothing is deleted",
    "identitystore:CreateUser UserName": "of the user to be made",
    "sso-admin:PutPermissionsBoundaryToPermissionSet PermissionsBoundary": "a reference that each account resolves for itself",
    "iam:UploadServerCertificate ServerCertificateName": "of the certificate to be made",
    "organizations:ListDelegatedAdministrators ServicePrincipal": "a filter: another spelling finds nothing",
    "sts:AssumeRole SerialNumber": "a device to be proved, not what is acted on",
    "sts:GetSessionToken SerialNumber": "a device to be proved, not what is acted on",
}
"""By operation and member, with what it names in the place of something that is there."""

NAMING = sorted(
    (name, member)
    for name, operation in AUTHORISED.items()
    if operation.model.input is not None
    for member in operation.model.input.members
    if member in IDENTIFYING and f"{name} {member}" not in NAMING_SOMETHING_ELSE
)
OF_ALL = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 3
"""One of how many spellings is tried of each: operations that find things alike try others."""


@pytest.fixture(scope="module")
def scene(crowns: Crowns) -> Iterator[Scene]:
    """A server of this module's own, and what is on it."""
    crown = crowns.fresh("sqlite")
    yield Scene(crown)
    crown.close()


@pytest.mark.parametrize(("name", "member", "number"), [(*each, number) for number, each in enumerate(NAMING)])
def test_a_decision_is_about_the_thing_found_never_about_a_spelling_of_it(name: str, member: str, number: int, scene: Scene):
    operation = AUTHORISED[name]
    usual = scene.parameters(operation)
    names = [usual[member], *([scene.without_path[member]] if member in scene.without_path else [])]

    for named in names:
        as_it_is = scene.carry_out(operation, usual | {member: named})
        for spelled in spellings(named)[number % OF_ALL :: OF_ALL]:
            watch = scene.carry_out(operation, usual | {member: spelled})
            if watch.succeeded:
                assert watch.decided == as_it_is.decided, spelled
