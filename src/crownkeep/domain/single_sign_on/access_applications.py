"""Applications of account access: whose they are, who may see them, and the entitlements to existing roles that go with them.

AWS's account access manager (IAM user guide, "Account access manager"). An instance of an organization has one at most.
"""

from __future__ import annotations

import hashlib

from crownkeep import arn, clock
from crownkeep.operations import trust
from crownkeep.operations.call import Call
from crownkeep.storage.database import Transaction
from crownkeep.storage.organizations import delegated_administrators
from crownkeep.storage.single_sign_on import access_applications, instances, role_entitlements, sso_tags
from crownkeep.storage.single_sign_on.access_applications import AccessApplicationRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

SERVICE = f"{trust.ACCOUNT_ACCESS}.amazonaws.com"
"""The service principal that roles trust, and by which an organization delegates the administration."""

_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TENANT_LENGTH = 10


def arn_of(row: AccessApplicationRow) -> str:
    """Return an application's ARN."""
    return f"arn:{arn.PARTITION}:{trust.ACCOUNT_ACCESS}:{row.region}:{row.account_id}:application/{row.application_id}"


def any_arn(call: Call) -> str:
    """Return the ARN of whatever application the caller's account may make."""
    return f"arn:{arn.PARTITION}:{trust.ACCOUNT_ACCESS}:{call.origin.region}:{call.account_id}:application/*"


def tag_id(row: AccessApplicationRow) -> str:
    """Return by which id an application's tags are kept, among those of instances."""
    return f"application/{row.application_id}"


def role_digest(role_arn: str) -> str:
    """Return by which digest a role's ARN is looked up."""
    return hashlib.sha256(role_arn.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def visible(call: Call, application_arn: str) -> AccessApplicationRow | None:
    """Return the application with this very ARN where the caller's account may manage it, else None: as if there were none."""
    row = access_applications.with_id(call.db, application_arn.rpartition("/")[2])
    if row is None or arn_of(row) != application_arn:
        return None
    return row if row.account_id == call.account_id or _is_delegate(call, row) else None


def all_visible(call: Call) -> list[AccessApplicationRow]:
    """Return the applications that the caller's account may manage: its own, and the organization's where that is delegated."""
    found = [instances.of_account(call.db, call.account_id)]
    membership = call.standing.membership(call.db)
    if membership is not None:
        found.append(instances.of_organization(call.db, membership.organization_id))
    rows = {each.instance_id: access_applications.of_instance(call.db, each.instance_id) for each in found if each is not None}
    return [row for row in rows.values() if row is not None and (row.account_id == call.account_id or _is_delegate(call, row))]


def new(call: Call, instance: InstanceRow) -> AccessApplicationRow:
    """Make an instance's application and keep it."""
    letters = [_LETTERS[int.from_bytes(clock.token_bytes(4)) % len(_LETTERS)] for _ in range(_TENANT_LENGTH)]
    row = AccessApplicationRow(
        application_id=clock.token_bytes(8).hex(),
        account_id=instance.account_id,
        instance_id=instance.instance_id,
        tenant_id=f"aa-{''.join(letters)}",
        region=instance.region,
        created_at=call.now,
        updated_at=call.now,
    )
    access_applications.add(call.db, row)
    return row


def remove(db: Transaction, row: AccessApplicationRow) -> None:
    """End an application with its entitlements: sessions of roles that were taken by them end at once."""
    role_entitlements.remove_all(db, row.instance_id)
    sso_tags.remove_all(db, tag_id(row))
    access_applications.remove(db, row.application_id)


def dissolve(db: Transaction, instance: InstanceRow) -> None:
    """End the application of an instance that goes, where it has one."""
    row = access_applications.of_instance(db, instance.instance_id)
    if row is not None:
        remove(db, row)


def _is_delegate(call: Call, row: AccessApplicationRow) -> bool:
    instance = instances.with_id(call.db, row.instance_id)
    if instance is None or instance.organization_id is None:
        return False
    return delegated_administrators.is_delegate_for(call.db, instance.organization_id, call.account_id, SERVICE)
