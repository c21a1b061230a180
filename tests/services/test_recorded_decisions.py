"""Every operation through the door under a recording decision: what it asks about and knows is what AWS's reference lists.

A condition key that is never filled in makes a Deny void that asks about it, and so does a resource that is not asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from tests.fixtures.crown import Crowns
from tests.house.test_operations import OPERATIONS
from tests.services.deciding import Decided, Scene, listed_keys

from crownkeep.catalogue import actions
from crownkeep.operations.registry import Permission
from crownkeep.policy.globs import arn_holds

AUTHORISED = {
    f"{operation.service.name}:{operation.name}": operation
    for operation in OPERATIONS
    if operation.model.auth != "none" and operation.permission is not Permission.NONE and operation.service.name != "operator"
}

NO_TEMPLATES = "no role here is made from one of AWS's role templates"
NO_PROVIDER = "a role's session has it from its identity provider (tests/services/sts)"
NOT_FROM_ELSEWHERE = "nobody in an identity store comes from another directory yet"
NO_APPLICATIONS = "applications of single sign-on are not served"
NO_ACCESS_POINTS = "buckets are reached by their names alone"
NO_TAGGED_BUCKETS = "neither buckets nor the objects in them have tags"
UNASSIGNED = "nobody owns a request that is only being made"
KEYS_WITHOUT_VALUE: Mapping[str, str] = {
    "iam:AttachRolePolicy iam:RoleTemplateARN": NO_TEMPLATES,
    "iam:CreateRole iam:RoleTemplateARN": NO_TEMPLATES,
    "iam:GetRole iam:RoleTemplateARN": NO_TEMPLATES,
    "iam:PutRolePermissionsBoundary iam:RoleTemplateARN": NO_TEMPLATES,
    "iam:PutRolePolicy iam:RoleTemplateARN": NO_TEMPLATES,
    "iam:TagRole iam:RoleTemplateARN": NO_TEMPLATES,
    "iam:CreateDelegationRequest iam:DelegationRequestOwner": UNASSIGNED,
    "iam:GetAccountProperties iam:AccountPropertyNamespaces": "it names no namespace, and no account has a property",
    "iam:EnableMFADevice iam:FIDO-certification": "passkeys are registered on the pages (tests/signin/test_imported.py)",
    "iam:EnableMFADevice iam:FIDO-FIPS-140-2-certification": "as iam:FIDO-certification",
    "iam:EnableMFADevice iam:FIDO-FIPS-140-3-certification": "as iam:FIDO-certification",
    "s3:ListAllMyBuckets s3:TlsVersion": "the scene is asked without TLS, and the edge does not tell its version",
    **{
        f"s3:{action} {key}": reason
        for action in ("GetBucketLocation", "GetObject", "ListBucket")
        for key, reason in {
            "s3:TlsVersion": "as of s3:ListAllMyBuckets",
            "s3:AccessGrantsInstanceArn": NO_ACCESS_POINTS,
            "s3:AccessPointNetworkOrigin": NO_ACCESS_POINTS,
            "s3:AccessPointTag/${TagKey}": NO_ACCESS_POINTS,
            "s3:DataAccessPointAccount": NO_ACCESS_POINTS,
            "s3:DataAccessPointArn": NO_ACCESS_POINTS,
            "s3:BucketTag/${TagKey}": NO_TAGGED_BUCKETS,
            "aws:ResourceTag/${TagKey}": NO_TAGGED_BUCKETS,
            "s3:ExistingObjectTag/<key>": NO_TAGGED_BUCKETS,
        }.items()
    },
    "iam:GetServiceLinkedRoleDeletionStatus aws:ResourceTag/${TagKey}": "the role is gone, and its tags with it",
    "iam:GetServiceLinkedRoleDeletionStatus iam:ResourceTag/${TagKey}": "the role is gone, and its tags with it",
    "organizations:InviteAccountToOrganization aws:ResourceTag/${TagKey}": "the account gets its tags when it joins",
    **{
        f"organizations:{name} organizations:{key}": "responsibility transfers are not served"
        for name in ("ListTagsForResource", "TagResource", "UntagResource")
        for key in ("TransferDirection", "TransferType")
    },
    **{
        f"identitystore:{name}User identitystore:UserExternalIdIssuers": NOT_FROM_ELSEWHERE
        for name in ("Create", "Delete", "Describe", "Update")
    },
    **{
        f"identitystore:{name}Group identitystore:GroupExternalIdIssuers": NOT_FROM_ELSEWHERE
        for name in ("Create", "Delete", "Describe", "Update")
    },
    "identitystore:ListUsers identitystore:UserExternalIdIssuers": NOT_FROM_ELSEWHERE,
    "identitystore:ListGroups identitystore:GroupExternalIdIssuers": NOT_FROM_ELSEWHERE,
    "identitystore:CreateUser identitystore:ReservedUserId": "no ids are reserved before a user is made (ReserveUser)",
    "identitystore:UpdateIdentityStore identitystore:VpceAccessRequired": "networks that a store is closed to are refused",
    **{f"sso:{name} sso:ApplicationAccount": NO_APPLICATIONS for name in ("ListTagsForResource", "TagResource", "UntagResource")},
    **{
        f"sts:AssumeRole {key}": NO_PROVIDER
        for key in listed_keys("sts:AssumeRole")
        if key.partition(":")[0] not in ("aws", "iam", "sts")
    },
}
"""By action and key, with the reason why a key that the reference lists is not filled in."""
KEYS_WITHOUT_VALUE_BESIDES: Mapping[str, str] = {
    "iam:PassRole iam:AssociatedResourceArn": "a role is put into a profile before any instance is there to name",
    "iam:TagRole iam:RoleTemplateARN": NO_TEMPLATES,
    "sso:TagResource sso:ApplicationAccount": NO_APPLICATIONS,
    "organizations:TagResource organizations:TransferDirection": "responsibility transfers are not served",
    "organizations:TagResource organizations:TransferType": "responsibility transfers are not served",
    "sts:TagSession saml:aud": NO_PROVIDER,
}
"""The same of what operations ask for besides, in whatever operation."""
WHAT_OTHERS_COULD = {
    "account-security:GetRecoverability",
    "sso-directory:SearchAccountAssignments",
    "sso-directory:SearchPermissionSets",
    "sso-directory:SearchRoleEntitlements",
}
"""Operations that ask what others could do, of whom no request is there: nothing is done on the answer."""
MAKING = ("Create", "Upload")
"""What is being made has no tags yet (aws:ResourceTag): aws:RequestTag says which it is to have."""

TYPES_NOT_MET: Mapping[str, str] = {
    "signin:AuthorizeOAuth2Access console": "the console is signed in to without asking a policy",
    "signin:AuthorizeOAuth2Access oauth2-resource-service-principal": "no service is a client here",
    **{
        f"cloudtrail:{name} {kind}": "CloudTrail Lake and its channels are not served"
        for name in (
            "AddTags",
            "RemoveTags",
            "ListTags",
            "GetEventConfiguration",
            "GetInsightSelectors",
            "PutEventConfiguration",
            "PutInsightSelectors",
        )
        for kind in ("channel", "dashboard", "eventdatastore")
    },
    **{f"s3:{name} accesspoint": NO_ACCESS_POINTS for name in ("GetBucketLocation", "ListBucket")},
    "s3:GetObject accesspointobject": NO_ACCESS_POINTS,
    "iam:DeleteVirtualMFADevice sms-mfa": "AWS has given up devices that get a text message",
    **{
        f"sso:{name} {kind}": NO_APPLICATIONS
        for name in ("ListTagsForResource", "TagResource", "UntagResource")
        for kind in ("Application", "TrustedTokenIssuer")
    },
    "iam:GetRoleTemplateVersion role-template": "templates are AWS's own, and it is told whatever ARN is asked for",
    **{
        f"organizations:{name} responsibilitytransfer": "responsibility transfers are not served"
        for name in ("ListTagsForResource", "TagResource", "UntagResource")
    },
}
"""By action or operation, and type, with the reason why no decision is about a resource of a type that the reference lists."""


@pytest.fixture(scope="module")
def scene(crowns: Crowns) -> Iterator[Scene]:
    """A server of this module's own, and what is on it."""
    crown = crowns.fresh("sqlite")
    yield Scene(crown)
    crown.close()


def everything_tagged(scene: Scene, member: str) -> list[dict[str, Any]]:
    """Return parameters that name in turn what can be tagged in an organization."""
    known = scene.known
    named = ("AccountId", "OrganizationalUnitId", "PolicyId", "RootId", "resource policy")
    return [{member: known[each]} for each in named]


def entities(scene: Scene, member: str) -> list[dict[str, Any]]:
    """Return parameters that name a user, a group, a role and a policy."""
    return [{member: scene.arn(each)} for each in ("user/x/Bob", "group/x/Crew", "role/x/Job", "policy/x/Plan")]


def in_organization(scene: Scene, member: str) -> list[dict[str, Any]]:
    """Return parameters that name the root, a unit and an account."""
    return [{member: scene.known[each]} for each in ("RootId", "OrganizationalUnitId", "AccountId")]


def both_clients(scene: Scene, member: str) -> list[dict[str, Any]]:
    """Return parameters that name each kind of command line."""
    return [{member: f"arn:aws:signin:::devtools/{each}-device"} for each in ("same", "cross")]


def single_sign_on(scene: Scene, member: str) -> list[dict[str, Any]]:
    """Return parameters that name an instance of single sign-on and a permission set."""
    return [{member: scene.known[each]} for each in ("InstanceArn", "PermissionSetArn")]


def of_approval(scene: Scene, member: str) -> list[dict[str, Any]]:
    """Return parameters that name an approval team and an identity source."""
    return [{member: scene.known[each]} for each in ("ApprovalTeamArn", "IdentitySourceArn")]


def tagging_of_approval(scene: Scene, member: str) -> list[dict[str, Any]]:
    """Return the same, with the tags that they are given: here a map."""
    return [named | {"Tags": {"team": "red"}} for named in of_approval(scene, member)]


OTHERS: Mapping[str, tuple[Callable[[Scene, str], list[dict[str, Any]]], str]] = {
    "iam:GenerateServiceLastAccessedDetails": (entities, "Arn"),
    "iam:ListPoliciesGrantingServiceAccess": (entities, "Arn"),
    "iam:SimulatePrincipalPolicy": (entities, "PolicySourceArn"),
    "iam:GetContextKeysForPrincipalPolicy": (entities, "PolicySourceArn"),
    "account-security:AuthorizeOAuth2Access": (both_clients, "client_id"),
    "sso-admin:TagResource": (single_sign_on, "ResourceArn"),
    "sso-admin:UntagResource": (single_sign_on, "ResourceArn"),
    "sso-admin:ListTagsForResource": (single_sign_on, "ResourceArn"),
    "mpa:TagResource": (tagging_of_approval, "ResourceArn"),
    "mpa:UntagResource": (of_approval, "ResourceArn"),
    "mpa:ListTagsForResource": (of_approval, "ResourceArn"),
    "organizations:TagResource": (everything_tagged, "ResourceId"),
    "organizations:UntagResource": (everything_tagged, "ResourceId"),
    "organizations:ListTagsForResource": (everything_tagged, "ResourceId"),
    "organizations:AttachPolicy": (in_organization, "TargetId"),
    "organizations:DetachPolicy": (in_organization, "TargetId"),
    "organizations:ListPoliciesForTarget": (in_organization, "TargetId"),
    "organizations:ListParents": (in_organization, "ChildId"),
    "organizations:ListChildren": (in_organization, "ParentId"),
    "organizations:ListAccountsForParent": (in_organization, "ParentId"),
    "organizations:ListOrganizationalUnitsForParent": (in_organization, "ParentId"),
    "organizations:CreateOrganizationalUnit": (in_organization, "ParentId"),
}
"""Operations that can be about resources of several types, and by which member they name them."""


def variants(name: str, scene: Scene) -> list[dict[str, Any]]:
    """Return in which ways an operation is called, so that it is about a resource of each type."""
    usual = scene.parameters(AUTHORISED[name])
    if name in OTHERS:
        named, member = OTHERS[name]
        return [usual | each for each in named(scene, member)]
    if name.startswith("account:") and "AccountId" in usual:
        own = {key: value for key, value in usual.items() if key != "AccountId"}
        return [usual, own]
    return [usual]


def recorded(name: str, scene: Scene) -> list[Decided]:
    """Return the decisions about an operation's own action, in all the ways in which it is called.

    Our own operations share actions of AWS's: passkeys that of other devices, root's own address that of members' addresses.
    """
    action = AUTHORISED[name].action
    sharing = [each for each, operation in AUTHORISED.items() if operation.action == action]
    return [each for one in sharing for each in everything_recorded(one, scene) if each.action == action]


def everything_recorded(name: str, scene: Scene) -> list[Decided]:
    """Return the decisions of an operation, also about what it asks for besides, such as iam:PassRole."""
    if name not in scene.recorded:
        watches = [scene.carry_out(AUTHORISED[name], way) for way in variants(name, scene)]
        scene.recorded[name] = [each for watch in watches for each in watch.decided]
    return scene.recorded[name]


@pytest.mark.parametrize("name", AUTHORISED)
def test_a_decision_knows_every_condition_key_that_the_reference_lists(name: str, scene: Scene):
    operation = AUTHORISED[name]

    decided = recorded(name, scene)

    missing = set(listed_keys(operation.action)).difference(*(each.keys for each in decided))
    if operation.name.startswith(MAKING):
        missing = {key for key in missing if "ResourceTag" not in key}
    assert {key for key in missing if f"{operation.action} {key}" not in KEYS_WITHOUT_VALUE} == set()


@pytest.mark.parametrize("name", AUTHORISED)
def test_a_decision_is_about_every_type_of_resource_that_the_reference_lists(name: str, scene: Scene):
    operation = AUTHORISED[name]
    known = actions.action(operation.action)
    kinds = () if known is None else actions.resource_types(known)

    asked = [each.resource for each in recorded(name, scene)]

    missing = {kind.name for kind in kinds if not any(arn_holds(kind.arn_pattern, resource) for resource in asked)}
    named = {kind for kind in missing if not {f"{operation.action} {kind}", f"{name} {kind}"} & TYPES_NOT_MET.keys()}
    assert set() == named


def test_what_operations_ask_for_besides_knows_every_condition_key_that_the_reference_lists(scene: Scene):
    asked: dict[str, set[str]] = {}
    for name, operation in AUTHORISED.items():
        for each in () if name in WHAT_OTHERS_COULD else everything_recorded(name, scene):
            if each.action != operation.action:
                asked.setdefault(each.action, set()).update(each.keys)

    missing = {f"{action} {key}" for action, keys in asked.items() for key in listed_keys(action) - keys}

    missing = {each for each in missing if not each.partition(":")[2].startswith(("Tag", "AddTags")) or "ResourceTag" not in each}
    assert missing == KEYS_WITHOUT_VALUE_BESIDES.keys()
    assert {"iam:PassRole", "iam:TagUser", "organizations:TagResource", "sts:SetSourceIdentity"} <= asked.keys()


def test_every_reason_is_still_needed(scene: Scene):
    filled: set[str] = set()
    met: set[str] = set()
    for name, operation in AUTHORISED.items():
        known = actions.action(operation.action)
        for each in recorded(name, scene):
            filled |= {f"{operation.action} {key}" for key in each.keys}
            kinds = () if known is None else actions.resource_types(known)
            found = [kind.name for kind in kinds if arn_holds(kind.arn_pattern, each.resource)]
            met |= {f"{asked} {kind}" for kind in found for asked in (operation.action, name)}

    assert (set(), set()) == (filled & KEYS_WITHOUT_VALUE.keys(), met & TYPES_NOT_MET.keys())
