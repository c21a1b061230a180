"""An account with something of everything that the console shows, each thing with a mark that can be told from all others."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

Call = tuple[str, str, dict[str, Any]]
"""A service, an operation of its client, and the parameters."""

METADATA = Path(__file__).with_name("corp_metadata.xml")
ALLOW = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "ReadHarbourFiles", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}
CONTACT = {"Title": "Head", "EmailAddress": "people@acme.example", "PhoneNumber": "+49 30 123456"}
PEOPLE = {"SECURITY": "Imke Lund", "BILLING": "Pavel Novak", "OPERATIONS": "Rosa Diaz"}
OWNER = {
    "FullName": "Harbour Works Ltd",
    "AddressLine1": "Street 1",
    "City": "Berlin",
    "StateOrRegion": "BE",
    "PostalCode": "10115",
    "CountryCode": "DE",
    "PhoneNumber": "+49 30 123456",
}


@dataclass(frozen=True, slots=True)
class Samples:
    """Names of things that an account has, to fill addresses with."""

    account: str
    user: str
    group: str
    role: str
    policy: str
    """The name of a customer managed policy with the path /."""
    inline: str
    """The name of an inline policy that the user holds."""
    event: str
    """The id of an event."""

    audit: str = "none"
    """The id of a credential audit."""

    asked: str = "00000000000000000000000000000000"
    """The id of a request for approval."""

    root: str = "r-none"
    """The id of the root of the organization that the account manages."""
    unit: str = "ou-none-00000000"
    """The id of a unit of the organization that the account manages."""
    member: str = "000000000000"
    """The id of an account in that unit."""
    control: str = "p-00000000"

    start: str = "d-0123456789"
    """The id of the identity store, which the start URL is made of."""
    person: str = "00000000-0000-0000-0000-000000000000"
    """The id of somebody in it."""
    people: str = "00000000-0000-0000-0000-000000000000"
    """The id of a group in it."""
    permission_set: str = "arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-0000000000000000"
    """The ARN of one."""
    """The id of a service control policy."""


def furnish(iam: Any, contacts: Any, account_id: str) -> Samples:
    """Fill an account, by clients of an administrator of it."""
    iam.create_user(UserName="bob", Tags=[{"Key": "team", "Value": "harbour-crew"}])
    key = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="bob", AccessKeyId=key, Status="Inactive")
    inline = json.dumps(ALLOW).replace("ReadHarbourFiles", "ReadOwnFiles")
    iam.put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=inline)
    iam.create_group(GroupName="staff")
    iam.create_user(UserName="margit")
    for name in ("bob", "margit"):
        iam.add_user_to_group(GroupName="staff", UserName=name)
    statement = {"Sid": "HarbourMayEnter", "Effect": "Allow", "Principal": {"AWS": account_id}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=trust, Description="Reads the books and changes nothing")
    arn = iam.create_policy(PolicyName="reading", PolicyDocument=json.dumps(ALLOW))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="bob", PolicyArn=arn)
    iam.create_account_alias(AccountAlias=f"harbour-{account_id}")
    for kind, name in PEOPLE.items():
        contacts.put_alternate_contact(AlternateContactType=kind, Name=name, **CONTACT)
    contacts.put_contact_information(ContactInformation=OWNER)
    iam.create_open_id_connect_provider(Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"])
    iam.create_saml_provider(Name="corp", SAMLMetadataDocument=METADATA.read_text())
    iam.create_user(UserName="temp-worker")
    iam.delete_user(UserName="temp-worker")
    iam.generate_credential_report()
    with contextlib.suppress(ClientError):
        iam.get_user(UserName="nobody")
    return Samples(account_id, "bob", "staff", "auditor", "reading", "own", "00000000-0000-0000-0000-000000000000")


def organize(organizations: Any, samples: Samples) -> Samples:
    """Give the account an organization with a unit, a member in it and a policy, by a client of an administrator of it."""
    organizations.create_organization(FeatureSet="ALL")
    root_id = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root_id, PolicyType="SERVICE_CONTROL_POLICY")
    unit = organizations.create_organizational_unit(ParentId=root_id, Name="Workloads")["OrganizationalUnit"]["Id"]
    address = f"shipping-{samples.account}@acme.example"
    made = organizations.create_account(Email=address, AccountName="shipping")["CreateAccountStatus"]["AccountId"]
    organizations.move_account(AccountId=made, SourceParentId=root_id, DestinationParentId=unit)
    statement = {"Sid": "KeepTrails", "Effect": "Deny", "Action": "cloudtrail:StopLogging", "Resource": "*"}
    content = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    control = organizations.create_policy(
        Name="keep-trails", Description="Nobody turns a trail off", Content=content, Type="SERVICE_CONTROL_POLICY"
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=control, TargetId=unit)
    return replace(samples, root=root_id, unit=unit, member=made, control=control)


def sign_on(client: Callable[[str], Any], samples: Samples) -> Samples:
    """Give the account single sign-on with people, groups and permission sets, by clients of an administrator of it."""
    admin, people = client("sso-admin"), client("identitystore")
    instance = {"InstanceArn": admin.create_instance(Name="harbour")["InstanceArn"]}
    store = {"IdentityStoreId": admin.describe_instance(**instance)["IdentityStoreId"]}
    ids = {}
    for given, family in (("Ines", "Falk"), ("Jonas", "Weber"), ("Mira", "Okafor"), ("Tomasz", "Zielinski")):
        email = {"Value": f"{given.lower()}-{samples.account}@acme.example", "Type": "work", "Primary": True}
        whole = {"Name": {"GivenName": given, "FamilyName": family}, "DisplayName": f"{given} {family}"}
        ids[given] = people.create_user(**store, UserName=given.lower(), **whole, Emails=[email])["UserId"]
    groups = {}
    for name, members in {"operations": ("Ines", "Jonas"), "bookkeeping": ("Mira",)}.items():
        groups[name] = people.create_group(**store, DisplayName=name, Description=f"The {name} team")["GroupId"]
        for each in members:
            people.create_group_membership(**store, GroupId=groups[name], MemberId={"UserId": ids[each]})
    sets = {}
    for name, policy in {
        "Administrators": "AdministratorAccess",
        "Readers": "ReadOnlyAccess",
        "Billing": "job-function/Billing",
    }.items():
        made = admin.create_permission_set(**instance, Name=name, Description=f"For {name.lower()}", SessionDuration="PT4H")
        sets[name] = {**instance, "PermissionSetArn": made["PermissionSet"]["PermissionSetArn"]}
        admin.attach_managed_policy_to_permission_set(**sets[name], ManagedPolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    for name, account, kind, who in (
        ("Administrators", samples.account, "GROUP", groups["operations"]),
        ("Administrators", samples.member, "GROUP", groups["operations"]),
        ("Readers", samples.member, "GROUP", groups["bookkeeping"]),
        ("Readers", samples.member, "GROUP", groups["operations"]),
        ("Billing", samples.account, "GROUP", groups["bookkeeping"]),
        ("Readers", samples.account, "USER", ids["Tomasz"]),
    ):
        target = {"TargetId": account, "TargetType": "AWS_ACCOUNT", "PrincipalType": kind, "PrincipalId": who}
        admin.create_account_assignment(**sets[name], **target)
    admin.attach_managed_policy_to_permission_set(**sets["Readers"], ManagedPolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
    shown = {"start": store["IdentityStoreId"], "person": ids["Ines"], "people": groups["operations"]}
    return replace(samples, **shown, permission_set=sets["Readers"]["PermissionSetArn"])


def marks(iam: Any, account_id: str) -> dict[str, list[Call]]:
    """Return each mark of a furnished account with the calls of the API that reveal it."""
    key = iam.list_access_keys(UserName="bob")["AccessKeyMetadata"][0]["AccessKeyId"]
    arn = f"arn:aws:iam::{account_id}:policy/reading"
    policy = ("iam", "get_policy_version", {"PolicyArn": arn, "VersionId": "v1"})
    role = ("iam", "get_role", {"RoleName": "auditor"})
    trail = ("cloudtrail", "lookup_events", {"MaxResults": 1})
    details = ("iam", "get_account_authorization_details", {"MaxItems": 1})
    users: Call = ("iam", "list_users", {})
    roles: Call = ("iam", "list_roles", {})
    aliases: Call = ("iam", "list_account_aliases", {})
    owner: Call = ("account", "get_contact_information", {})
    report: Call = ("iam", "get_credential_report", {})
    alternates: dict[str, list[Call]] = {
        name: [("account", "get_alternate_contact", {"AlternateContactType": kind})] for kind, name in PEOPLE.items()
    }
    return {
        "harbour-crew": [
            ("iam", "get_user", {"UserName": "bob"}),
            ("iam", "list_user_tags", {"UserName": "bob"}),
            trail,
            details,
        ],
        key: [("iam", "list_access_keys", {"UserName": "bob"}), trail],
        "ReadOwnFiles": [("iam", "get_user_policy", {"UserName": "bob", "PolicyName": "own"}), trail, details],
        "ReadHarbourFiles": [policy, trail, details],
        "margit": [users, ("iam", "get_group", {"GroupName": "staff"}), report, trail, details],
        "HarbourMayEnter": [role, roles, trail, details],
        "Reads the books and changes nothing": [role, roles, trail, details],
        f"harbour-{account_id}": [aliases, trail],
        "Harbour Works Ltd": [owner, trail],
        "temp-worker": [trail],
        **{mark: [*calls, trail] for mark, calls in alternates.items()},
    }
