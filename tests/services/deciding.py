"""A scene with something of every kind in it, on which any operation is carried out, seen deciding, and undone again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization, deny
from tests.house import valid
from tests.services.iam.making_certificates import authority, rsa_key, ssh_line
from tests.services.sts.saml_provider import SamlProvider

from crownkeep import errors, policy
from crownkeep.catalogue import actions
from crownkeep.operations import invoke
from crownkeep.operations.call import Call, Request, Result
from crownkeep.operations.registry import Operation
from crownkeep.policy import Applicable, ContextValue, Decision
from crownkeep.storage.approvals import sessions
from crownkeep.storage.approvals.sessions import ApprovalSessionRow
from crownkeep.storage.database import Database

TAGS = [{"Key": "team", "Value": "red"}]
RED = {"team": "red"}
ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
PAIR = authority("root authority")


_WITHOUT_MFA = ("AssumeRole", "GetSessionToken")


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision: the action, on what, and the values of those condition keys that the reference lists."""

    action: str
    resource: str
    values: frozenset[tuple[str, ContextValue]]

    @property
    def keys(self) -> frozenset[str]:
        """The keys that had a value."""
        return frozenset(key for key, _ in self.values)


@dataclass
class Watch:
    """What was decided while an operation was carried out, and whether it came to an end; what it changed is undone."""

    decided: list[Decided] = field(default_factory=list)
    succeeded: bool = False
    refusal: str = ""

    def of(self, action: str) -> list[Decided]:
        """Return the decisions about one action."""
        return [each for each in self.decided if each.action == action]


@contextmanager
def watched() -> Iterator[Watch]:
    """Watch every decision in this process, and undo whatever is carried out meanwhile."""
    decide, carry_out = policy.authorize, invoke._carry_out
    watch = Watch()

    def noted(request: policy.PolicyRequest, applicable: Applicable) -> Decision:
        # Asked before the decision is known, for a Deny that speaks of any of them must find it.
        found = ((key, request.context.get(of_team(key))) for key in listed_keys(request.action))
        values = frozenset((key, value) for key, value in found if value is not None)
        watch.decided.append(Decided(request.action, request.resource, values))
        return decide(request, applicable)

    def undone(call: Call, request: Request, arguments: Mapping[str, object]) -> Result:
        carry_out(call, request, arguments)
        watch.succeeded = True
        raise errors.AccessDenied("carried out, and undone")

    with mock.patch.object(policy, "authorize", noted), mock.patch.object(invoke, "_carry_out", undone):
        yield watch


def listed_keys(action: str) -> frozenset[str]:
    """Return every condition key that the service authorization reference lists for an action and what it is done to."""
    known = actions.action(action)
    if known is None:
        return frozenset()
    keys = {*known.condition_keys}
    keys.update(*(acted.condition_keys for acted in known.resources))
    keys.update(*(kind.condition_keys for kind in actions.resource_types(known)))
    return frozenset(keys)


def of_team(key: str) -> str:
    """Return a key as the resolver is asked for it: of a tag, that which everything in the scene has."""
    return key.replace("${TagKey}", "team").lower()


class Scene:
    """An organization's management account that has one of everything, tagged wherever that is possible."""

    def __init__(self, crown: Crown) -> None:
        self.crown = crown
        self.organization = Organization(crown)
        self.account: Account = self.organization.management
        self.member = self.organization.invited()
        self.known = {
            **self._identities(),
            **self._providers(),
            **self._credentials(),
            **self._organized(),
            **self._requested(),
            **self._delivered(),
        }
        self.known |= self._single_sign_on()
        self.known |= self._approving()
        self.without_path = self._without_path()
        self.clients: dict[str, Any] = {}
        self.recorded: dict[str, list[Decided]] = {}

    def client(self, service: str) -> Any:
        """Return the administrator's client, which checks nothing itself."""
        if service not in self.clients:
            self.clients[service] = self.account.client(service, parameter_validation=False)
        return self.clients[service]

    def parameters(self, operation: Operation) -> dict[str, Any]:
        """Return parameters that name what is in the scene, and every optional one that a decision may be about."""
        shape = operation.model.input
        if shape is None:
            return {}
        named = valid.parameters(operation.model)
        own = {key.partition(".")[2]: value for key, value in self.known.items() if key.partition(".")[0] == operation.name}
        for member in shape.members:
            if member in own:
                named[member] = own[member]
            elif member in self.known:
                named[member] = self.known[member]
        if operation.name in _WITHOUT_MFA:
            del named["SerialNumber"]
        return named

    def carry_out(self, operation: Operation, parameters: Mapping[str, Any], client: Any = None) -> Watch:
        """Carry an operation out, watched and undone."""
        api = client or self.client(operation.service.name)
        with watched() as watch:
            try:
                getattr(api, xform_name(operation.name))(**parameters)
            except (ClientError, BotoCoreError) as error:
                watch.refusal = str(error)
        return watch

    def arn(self, resource: str) -> str:
        """Return the ARN of something in the account's IAM."""
        return f"arn:aws:iam::{self.account.id}:{resource}"

    def _identities(self) -> dict[str, Any]:
        iam, tagged = self.account.client("iam"), {"Path": "/x/", "Tags": TAGS}
        passing = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
        allowed = {"Effect": "Allow", "Principal": {"AWS": self.account.id}, "Action": passing}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        boundary = iam.create_policy(PolicyName="Plan", PolicyDocument=ALL, **tagged)["Policy"]["Arn"]
        iam.create_user(UserName="Bob", PermissionsBoundary=boundary, **tagged)
        iam.create_group(GroupName="Crew", Path="/x/")
        iam.tag_user(UserName="admin", Tags=TAGS)
        iam.create_role(RoleName="Job", AssumeRolePolicyDocument=trust, PermissionsBoundary=boundary, **tagged)
        iam.create_instance_profile(InstanceProfileName="Profile", **tagged)
        made = {"CreateUser": "UserName", "CreateRole": "RoleName", "CreateGroup": "GroupName", "CreatePolicy": "PolicyName"}
        made |= {"CreateInstanceProfile": "InstanceProfileName", "CreateVirtualMFADevice": "VirtualMFADeviceName"}
        made |= {"UploadServerCertificate": "ServerCertificateName", "CreateSAMLProvider": "Name"}
        return {
            **{f"{operation}.{member}": "new" for operation, member in made.items()},
            "UserName": "Bob",
            "GroupName": "Crew",
            "RoleName": "Job",
            "InstanceProfileName": "Profile",
            "PolicyArn": boundary,
            "PermissionsBoundary": boundary,
            "Tags": TAGS,
            "TagKeys": ["team"],
            "PolicyDocument": ALL,
            "AssumeRolePolicyDocument": trust,
            "UpdateAssumeRolePolicy.PolicyDocument": trust,
            "PolicySourceArn": self.arn("user/x/Bob"),
            "Arn": self.arn("user/x/Bob"),
            "RoleArn": self.arn("role/x/Job"),
            "RoleSessionName": "session",
            "ExternalId": "external-id",
            "SourceIdentity": "ann",
            "TransitiveTagKeys": ["team"],
            "AWSServiceName": "elasticbeanstalk.amazonaws.com",
        }

    def _without_path(self) -> dict[str, Any]:
        """Make some of what has a path once more without one, and return its names as `known` has them."""
        iam = self.account.client("iam")
        iam.create_user(UserName="Ann")
        iam.create_role(RoleName="Plain", AssumeRolePolicyDocument=self.known["AssumeRolePolicyDocument"])
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName="Tablet")["VirtualMFADevice"]
        return {
            "UserName": "Ann",
            "RoleName": "Plain",
            "RoleArn": self.arn("role/Plain"),
            "Arn": self.arn("role/Plain"),
            "PolicySourceArn": self.arn("user/Ann"),
            "PolicyArn": iam.create_policy(PolicyName="Bare", PolicyDocument=ALL)["Policy"]["Arn"],
            "SerialNumber": device["SerialNumber"],
        }

    def _providers(self) -> dict[str, Any]:
        iam = self.account.client("iam")
        document = SamlProvider().metadata()
        saml = iam.create_saml_provider(Name="Idp", SAMLMetadataDocument=document, Tags=TAGS)["SAMLProviderArn"]
        thumbprints = {"Url": "https://idp.example", "ThumbprintList": ["a" * 40]}
        oidc = iam.create_open_id_connect_provider(**thumbprints, Tags=TAGS)["OpenIDConnectProviderArn"]
        return {
            "SAMLProviderArn": saml,
            "SAMLMetadataDocument": document,
            "OpenIDConnectProviderArn": oidc,
            "Url": "https://other.example",
            "ThumbprintList": ["a" * 40],
        }

    def _credentials(self) -> dict[str, Any]:
        iam = self.account.client("iam")
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName="Phone", Path="/x/", Tags=TAGS)["VirtualMFADevice"]
        pem = {"CertificateBody": PAIR.certificate, "PrivateKey": PAIR.private_key}
        iam.upload_server_certificate(ServerCertificateName="Site", Path="/x/", Tags=TAGS, **pem)
        service = "codecommit.amazonaws.com"
        made = iam.create_service_specific_credential(UserName="Bob", ServiceName=service)["ServiceSpecificCredential"]
        key = ssh_line(rsa_key())
        return {
            "SerialNumber": device["SerialNumber"],
            **pem,
            "ServerCertificateName": "Site",
            "ServiceName": service,
            "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"],
            "CredentialAgeDays": 30,
            "AccessKeyId": iam.create_access_key(UserName="Bob")["AccessKey"]["AccessKeyId"],
            "SSHPublicKeyBody": key,
            "SSHPublicKeyId": iam.upload_ssh_public_key(UserName="Bob", SSHPublicKeyBody=key)["SSHPublicKey"]["SSHPublicKeyId"],
        }

    def _organized(self) -> dict[str, Any]:
        organization, root = self.organization, self.organization.root_id
        api = organization.client
        unit = organization.unit("Unit")
        policy_id = organization.policy(deny("s3:*"))
        delegated = {
            "Effect": "Allow",
            "Principal": {"AWS": self.member.id},
            "Action": "organizations:ListRoots",
            "Resource": "*",
        }
        content = json.dumps({"Version": "2012-10-17", "Statement": [delegated]})
        kept = api.put_resource_policy(Content=content)["ResourcePolicy"]["ResourcePolicySummary"]["Id"]
        for each in (root, unit, policy_id, kept, self.member.id):
            api.tag_resource(ResourceId=each, Tags=TAGS)
        invitation = organization.invite(self.crown.account())
        return {
            **dict.fromkeys(("ParentId", "SourceParentId", "RootId"), root),
            **dict.fromkeys(("OrganizationalUnitId", "DestinationParentId"), unit),
            "AccountId": self.member.id,
            "ChildId": self.member.id,
            "TargetId": unit,
            "DescribeEffectivePolicy.TargetId": self.member.id,
            "DescribeEffectivePolicy.PolicyType": "TAG_POLICY",
            "ListAccountsWithInvalidEffectivePolicy.PolicyType": "TAG_POLICY",
            "ListEffectivePolicyValidationErrors.PolicyType": "TAG_POLICY",
            "ResourceId": self.member.id,
            "resource policy": kept,
            "PolicyId": policy_id,
            "HandshakeId": invitation,
            "PolicyType": "SERVICE_CONTROL_POLICY",
            "Type": "SERVICE_CONTROL_POLICY",
            "Content": content,
            "CreatePolicy.Content": json.dumps(deny("s3:*")),
            "UpdatePolicy.Content": json.dumps(deny("s3:*")),
            "Target": {"Id": self.crown.account().id, "Type": "ACCOUNT"},
            "ServicePrincipal": "account.amazonaws.com",
            "EntityPath": f"{organization.id}/{root}",
            "OrganizationsPolicyId": policy_id,
            "Email": f"new-{self.account.id}@test.example",
        }

    def _delivered(self) -> dict[str, Any]:
        """Make a bucket and a trail."""
        bucket = {"name": f"logs-{self.account.id}", "account_id": self.account.id}
        assert self.crown.operator("POST", "/trail-buckets", bucket).status == 201
        api = self.account.client("cloudtrail")
        arn = api.create_trail(Name="Audit", S3BucketName=bucket["name"], TagsList=TAGS)["TrailARN"]
        named = ("GetTrail", "GetTrailStatus", "UpdateTrail", "StartLogging", "StopLogging", "DeleteTrail")
        return {
            **{f"{operation}.Name": "Audit" for operation in named},
            "CreateTrail.Name": "New",
            "S3BucketName": bucket["name"],
            "TrailName": "Audit",
            "TagsList": TAGS,
            "InsightSelectors": [],
            "EventSelectors": [{}],
            "AddTags.ResourceId": arn,
            "RemoveTags.ResourceId": arn,
            "ResourceIdList": [arn],
            "Bucket": bucket["name"],
            "Key": "AWSLogs/x",
            "ListObjects.Prefix": "AWSLogs/",
            "ListObjectsV2.Prefix": "AWSLogs/",
            "Delimiter": "/",
            "MaxKeys": 5,
        }

    def _requested(self) -> dict[str, Any]:
        path = f"/accounts/{self.account.id}/delegation-templates/setup"
        template = self.crown.operator("PUT", path, {"policy": ALL}).json()["template_arn"]
        iam = self.account.client("iam")
        asked = {
            "Description": "Set it up",
            "Permissions": {"PolicyTemplateArn": template},
            "NotificationChannel": "arn:aws:sns:us-east-1:123456789012:topic",
            "SessionDuration": 3600,
        }
        own = {"OwnerAccountId": self.account.id, "RequestorWorkflowId": "first"}
        request_id = iam.create_delegation_request(**asked, **own)["DelegationRequestId"]
        iam.associate_delegation_request(DelegationRequestId=request_id)
        audits = self.account.client("credential-audit")
        owner = f"arn:aws:iam::{self.account.id}:user/admin"
        return {
            **{f"CreateDelegationRequest.{member}": value for member, value in asked.items()},
            "DelegationRequestId": request_id,
            "OwnerId": owner,
            "EntityArn": self.arn(f"delegation-request/{request_id}"),
            "AuditId": audits.start_credential_audit(Name="2026 Q4")["CredentialAudit"]["AuditId"],
        }

    def _single_sign_on(self) -> dict[str, Any]:
        admin, people = self.account.client("sso-admin"), self.account.client("identitystore")
        instance = {"InstanceArn": admin.create_instance(Name="acme", Tags=TAGS)["InstanceArn"]}
        store = {"IdentityStoreId": admin.describe_instance(**instance)["IdentityStoreId"]}
        person = {"UserName": "ann", "DisplayName": "Ann", "Name": {"GivenName": "Ann", "FamilyName": "Lee"}}
        user_id = people.create_user(**store, **person)["UserId"]
        group_id = people.create_group(**store, DisplayName="ops")["GroupId"]
        member = {"GroupId": group_id, "MemberId": {"UserId": user_id}}
        membership_id = people.create_group_membership(**store, **member)["MembershipId"]
        made = admin.create_permission_set(**instance, Name="Reader", Tags=TAGS)["PermissionSet"]["PermissionSetArn"]
        target = {"TargetId": self.member.id, "TargetType": "AWS_ACCOUNT", "PrincipalType": "USER", "PrincipalId": user_id}
        admin.create_account_assignment(**instance, **target, PermissionSetArn=made)
        by_name = (
            {"AttributePath": "userName", "AttributeValue": "ann"},
            {"AttributePath": "displayName", "AttributeValue": "ops"},
        )
        role_arn = self.arn("role/x/Job")
        access = self.account.client("account-access")
        source = {"identityCenter": {"instanceArn": instance["InstanceArn"]}}
        application = {"applicationArn": access.create_application(identitySource=source, tags=RED)["applicationArn"]}
        entitled = {"principalRole": {"principal": {"identityCenter": {"userId": user_id}}, "roleArn": role_arn}}
        assigning = ("CreateAccountAssignment", "DeleteAccountAssignment", "ProvisionPermissionSet")
        tagging = ("TagResource", "UntagResource", "ListTagsForResource")
        return {
            **instance,
            **store,
            **member,
            "UserId": user_id,
            "MembershipId": membership_id,
            "GroupIds": [group_id],
            "PermissionSetArn": made,
            "PrincipalId": user_id,
            "PutPermissionsBoundaryToPermissionSet.PermissionsBoundary": {
                "ManagedPolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"
            },
            "GetUserId.AlternateIdentifier": {"UniqueAttribute": by_name[0]},
            "GetGroupId.AlternateIdentifier": {"UniqueAttribute": by_name[1]},
            **{f"{operation}.TargetId": self.member.id for operation in assigning},
            **{f"{operation}.ResourceArn": made for operation in tagging},
            **application,
            "resourceArn": application["applicationArn"],
            "entitlementId": access.create_entitlement(**application, entitlement=entitled)["entitlementId"],
            "CreateEntitlement.entitlement": entitled,
            "CreateApplication.identitySource": source,
            "CreateApplication.tags": RED,
            "TagResource.tags": RED,
        }

    def _approving(self) -> dict[str, Any]:
        """Make a team of custodians, an identity source, and a session that the team was asked in."""
        mpa, red = self.account.client("mpa"), RED
        center = {"InstanceArn": self.known["InstanceArn"], "Region": "us-east-1"}
        made = {"IdentitySourceParameters": {"IamIdentityCenter": center}, "Tags": red}
        source = mpa.create_identity_source(**made)["IdentitySourceArn"]
        custodians = source.rpartition("/")[0] + "/custodians"
        people = [{"name": f"Carol {each}", "email": f"carol-{each}@test.example"} for each in "abc"]
        named = [self.crown.operator("POST", "/custodians", each).json()["custodian"]["custodian_id"] for each in people]
        wanted = {
            "Description": "Who lets root be used.",
            "ApprovalStrategy": {"MofN": {"MinApprovalsRequired": 2}},
            "Approvers": [{"PrimaryIdentityId": each, "PrimaryIdentitySourceArn": custodians} for each in named],
            "Policies": [{"PolicyArn": "arn:aws:mpa:::aws:policy/crownkeep/SealedRoot/1"}],
            "Tags": red,
        }
        team = mpa.create_approval_team(Name="Quorum", **wanted)
        own = ("GetApprovalTeam", "UpdateApprovalTeam", "DeleteInactiveApprovalTeamVersion", "StartApprovalTeamBaseline")
        return {
            **{f"CreateIdentitySource.{member}": value for member, value in made.items()},
            **{f"CreateApprovalTeam.{member}": value for member, value in (wanted | {"Name": "New"}).items()},
            **{f"{operation}.Arn": team["Arn"] for operation in (*own, "StartActiveApprovalTeamDeletion")},
            "DeleteInactiveApprovalTeamVersion.VersionId": team["VersionId"],
            "ApprovalTeamArn": team["Arn"],
            "IdentitySourceArn": source,
            "SessionArn": self._session(team["Arn"], team["VersionId"]),
        }

    def _session(self, team: str, version_id: str) -> str:
        """Keep a session that the team was asked in, and return its ARN."""
        team_id, session_id = team.rpartition("/")[2], "5" * 32
        now = datetime.now(UTC)
        texts = ("service", "protected_arn", "description", "reason", "ticket", "document", "asked")
        values: dict[str, Any] = {
            **dict.fromkeys(texts, ""),
            **dict.fromkeys(("account_id", "requester_account_id", "acted_account_id"), self.account.id),
            **dict.fromkeys(("requester_arn", "requester_id", "requester_region"), "operator"),
            **dict.fromkeys(("digest", "nonce"), bytes(32)),
            **dict.fromkeys(("status_code", "status_message", "execution_status"), None),
            "session_id": session_id,
            "team_id": team_id,
            "version_id": version_id,
            "action": "mpa:UpdateApprovalTeam",
            "status": "PENDING",
            "initiated_at": now,
            "expires_at": now + timedelta(hours=24),
        }
        database = Database(self.crown.settings.database_url)
        database.write(lambda db: sessions.add(db, ApprovalSessionRow(**values)))
        database.close()
        return f"arn:aws:mpa:us-east-1:{self.account.id}:session/{team_id}/{session_id}"
