"""An account with something of everything that the console shows, each thing with a mark that can be told from all others."""

from __future__ import annotations

import contextlib
import json
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

    unit: str = "ou-none-00000000"
    """The id of a unit of the organization that the account manages."""
    member: str = "000000000000"
    """The id of an account in that unit."""
    control: str = "p-00000000"
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
    return replace(samples, unit=unit, member=made, control=control)


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
