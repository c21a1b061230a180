"""A populous account: thousands of users with their credentials, groups, roles, policies, members, and a trail of three months.

Rows go straight into storage: an account holds 5,000 users by default, and signing 200,000 requests would take a while.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from crownkeep import clock, ids
from crownkeep.ids import Prefix
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.credentials import access_keys, login_profiles, mfa_devices
from crownkeep.storage.credentials.access_keys import AccessKeyRow
from crownkeep.storage.credentials.login_profiles import LoginProfileRow
from crownkeep.storage.credentials.mfa_devices import DeviceKind, MfaDeviceRow
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.identities import groups, memberships, roles, users
from crownkeep.storage.identities.groups import GroupRow
from crownkeep.storage.identities.owners import OwnerKind
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.organizations import organization_accounts, organizational_units, organizations
from crownkeep.storage.organizations.organization_accounts import MemberRow
from crownkeep.storage.organizations.organizational_units import UnitRow
from crownkeep.storage.policies import attachments, policies, policy_versions
from crownkeep.storage.policies.attachments import AttachmentRow
from crownkeep.storage.policies.policies import PolicyRow
from crownkeep.storage.policies.policy_versions import VersionRow
from crownkeep.storage.trail import events
from crownkeep.storage.trail.events import EventRow

USERS = 10_000
GROUPS = 300
ROLES = 1_000
POLICIES = 1_500
EVENTS = 200_000
DAYS = 90
UNITS = 50
MEMBERS = 5_000

_READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]})
_TRUST = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
)
_BATCH = 5_000


def populate(data: Path, account_id: str) -> None:
    """Fill an account of the data directory's database; its server may be running."""
    database = Database(f"sqlite:///{data / 'crownkeep.db'}")
    now = clock.now()
    with database.transaction() as db:
        _people(db, account_id, now)
        _resources(db, account_id, now)
        accounts.touch(db, account_id, clock.revision())
    for first in range(0, EVENTS, _BATCH):
        with database.transaction() as db:
            events.add_all(db, [_event(account_id, number, now) for number in range(first, first + _BATCH)])
    database.close()


def add_members(data: Path, management_account_id: str) -> None:
    """Fill the organization that an account manages, so that it has `MEMBERS` accounts in `UNITS` units."""
    database = Database(f"sqlite:///{data / 'crownkeep.db'}")
    now = clock.now()
    with database.transaction() as db:
        organization = organizations.of_account(db, management_account_id)
        if organization is None:
            raise RuntimeError("the account manages no organization")
        here = (organization.organization_id, management_account_id)
        units = [f"{organization.root_id.replace('r-', 'ou-')}-{number:08}" for number in range(UNITS)]
        for number, unit_id in enumerate(units):
            name = f"unit-{number:02}"
            organizational_units.add(db, UnitRow(unit_id, *here, organization.root_id, name, name, now))
        for number in range(MEMBERS):
            account_id, email = f"7{number:011}", f"member-{number:04}@acme.example"
            account = AccountRow(
                account_id, f"member-{number:04}", email, email, "ACTIVE", now, None, clock.revision(), None, None, None, 0
            )
            accounts.add(db, account)
            organization_accounts.add(db, MemberRow(account_id, *here, units[number % UNITS], "CREATED", now))
        accounts.touch(db, management_account_id, clock.revision())
    database.close()


def an_event(data: Path, account_id: str) -> str:
    """Return the id of one of the account's events."""
    database = Database(f"sqlite:///{data / 'crownkeep.db'}")
    with database.snapshot() as db:
        first, before = ids.first_event_id(clock.now() - timedelta(days=1)), UUID(int=(1 << 128) - 1)
        found = events.newest(db, account_id, first=first, before=before, limit=1)
    database.close()
    return str(found[0].event_id)


def _people(db: Transaction, account_id: str, now: datetime) -> None:
    group_ids = [_unique(Prefix.GROUP) for _ in range(GROUPS)]
    for number, group_id in enumerate(group_ids):
        name = f"group-{number:04}"
        groups.add(db, GroupRow(group_id, account_id, name, name, "/", now - timedelta(days=400)))
    for number in range(USERS):
        made = now - timedelta(days=number % 400)
        name, user_id = f"user-{number:05}", _unique(Prefix.USER)
        users.add(db, UserRow(user_id, account_id, name, name, f"/team-{number % 20}/", made, None, made))
        memberships.add(db, account_id, group_ids[number % GROUPS], user_id, at=made)
        if number % 2 == 0:
            login_profiles.add(db, LoginProfileRow(user_id, account_id, "$none$", (), made, made, reset_required=False))
        if number % 3 == 0:
            key_id = f"AKIA{number:016}".replace("0", "A").replace("1", "B").replace("8", "C").replace("9", "D")
            access_keys.add(db, AccessKeyRow(key_id, account_id, user_id, b"none", "Active", made, made, "iam", "us-east-1"))
        if number % 4:
            serial = f"arn:aws:iam::{account_id}:mfa/{name}"
            device = MfaDeviceRow(_unique(Prefix.USER), account_id, DeviceKind.VIRTUAL, serial, name, "/", made, user_id, made)
            mfa_devices.add(db, device)
        if number % 10 == 0:
            attachments.add(db, AttachmentRow(account_id, user_id, OwnerKind.USER, _READ_ONLY, made))
        if number % 100 == 0:
            attachments.add(db, AttachmentRow(account_id, user_id, OwnerKind.USER, _ADMINISTRATOR, made))


def _resources(db: Transaction, account_id: str, now: datetime) -> None:
    for number in range(ROLES):
        name, role_id = f"role-{number:04}", _unique(Prefix.ROLE)
        roles.add(db, RoleRow(role_id, account_id, name, name, "/", now, _TRUST, "*", None, 3600))
        attachments.add(db, AttachmentRow(account_id, role_id, OwnerKind.ROLE, _READ_ONLY, now))
    for number in range(POLICIES):
        name, policy_id = f"policy-{number:04}", _unique(Prefix.POLICY)
        arn = f"arn:aws:iam::{account_id}:policy/{name}"
        policies.add(db, PolicyRow(policy_id, account_id, arn, name, name, "/", "Reads things", now, now, 1, 1))
        policy_versions.add(db, VersionRow(policy_id, 1, account_id, DOCUMENT, now))


def _event(account_id: str, number: int, now: datetime) -> EventRow:
    at = now - timedelta(days=DAYS) * (1 - number / EVENTS)
    event_id = ids.event_id(at, clock.token_bytes(16))
    if number % 4_000 == 0:
        return _sign_in(account_id, event_id, at)
    is_root = number % 2_000 == 1
    name = "root" if is_root else f"user-{number % USERS:05}"
    operation, read_only = (("GetUser", "true"), ("ListUsers", "true"), ("TagUser", "false"))[number % 3]
    record = {
        **_common(account_id, event_id, at),
        "userIdentity": {"type": "Root" if is_root else "IAMUser", "accountId": account_id, "userName": name},
        "eventSource": "iam.amazonaws.com",
        "eventName": operation,
        "requestParameters": {"userName": name},
        "responseElements": None,
        "readOnly": read_only == "true",
        "eventType": "AwsApiCall",
    }
    resources = (("AWS::IAM::User", name),)
    key = f"AKIA{number % 1000:016}"
    return EventRow(
        account_id, event_id, at, "iam.amazonaws.com", operation, read_only, name, key, json.dumps(record).encode(), resources
    )


def _sign_in(account_id: str, event_id: UUID, at: datetime) -> EventRow:
    record = {
        **_common(account_id, event_id, at),
        "userIdentity": {"type": "IAMUser", "accountId": account_id, "userName": "admin"},
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "errorMessage": "Failed authentication",
        "responseElements": {"ConsoleLogin": "Failure"},
        "readOnly": False,
        "eventType": "AwsConsoleSignIn",
    }
    kept = json.dumps(record).encode()
    return EventRow(account_id, event_id, at, "signin.amazonaws.com", "ConsoleLogin", "false", "admin", "", kept)


def _common(account_id: str, event_id: UUID, at: datetime) -> dict[str, object]:
    return {
        "eventVersion": "1.11",
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2 md/Botocore#1.44 ua/2.1 os/linux",
        "requestID": str(event_id),
        "eventID": str(event_id),
        "managementEvent": True,
        "recipientAccountId": account_id,
        "eventCategory": "Management",
    }


def _unique(prefix: Prefix) -> str:
    return ids.unique_id(prefix, clock.token_bytes(16))
