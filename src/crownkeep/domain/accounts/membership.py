"""Joining and leaving an organization: everything that changes with it, in one place for services and operator alike."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from crownkeep import clock
from crownkeep.audit.event import moment
from crownkeep.domain import service_events
from crownkeep.domain.identities import linked_roles
from crownkeep.domain.single_sign_on import assignments
from crownkeep.operations.call import Call
from crownkeep.storage.accounts import accounts
from crownkeep.storage.credentials import root_login_profiles
from crownkeep.storage.organizations import (
    account_creations,
    delegated_administrators,
    handshakes,
    organization_accounts,
    organization_features,
    organization_policies,
    organization_policy_targets,
    organization_policy_types,
    organization_resource_policies,
    organization_service_access,
    organization_tags,
    organizational_units,
    organizations,
)
from crownkeep.storage.organizations.organization_accounts import MemberRow
from crownkeep.storage.organizations.organizations import OrganizationRow
from crownkeep.storage.single_sign_on import instances
from crownkeep.storage.trail import trails

CREATED = "CREATED"
INVITED = "INVITED"
SERVICE = "organizations.amazonaws.com"


class Departure(Enum):
    """How an account left: by itself, by the management account's hand, or because it is no more."""

    LEFT = "LEFT"
    REMOVED = "REMOVED"
    CLEANED = "CLEANED"


def keys_of(call: Call, account_id: str) -> list[str]:
    """Return what handshakes that ask an account are made out to: its id, and root's address."""
    account = accounts.with_id(call.db, account_id)
    # An invitation may name either (API_InviteAccountToOrganization, `Target`).
    return [account_id, account.email_key] if account is not None else [account_id]


def join(call: Call, organization: OrganizationRow, account_id: str, *, joined_method: str) -> None:
    """Put an account under the root of an organization: what its policies say is in force for it at once."""
    row = MemberRow(
        account_id=account_id,
        organization_id=organization.organization_id,
        management_account_id=organization.management_account_id,
        parent_id=organization.root_id,
        joined_method=joined_method,
        joined_at=call.now,
    )
    organization_accounts.add(call.db, row)
    organization_policy_targets.attach_defaults(
        call.db, organization.organization_id, organization.management_account_id, account_id, at=call.now
    )
    linked_roles.ensure(call, account_id, SERVICE)
    accounts.touch(call.db, account_id, clock.revision())
    details = {"accountId": account_id, "joinedMethod": joined_method, "joinedTime": moment(call.now)}
    _tell(call, organization.management_account_id, "AccountJoinedOrganization", details)


def leave(call: Call, member: MemberRow, departure: Departure) -> None:
    """Take a member out of its organization, with whatever the organization keeps of it: from now on it stands alone."""
    place = (call.db, member.organization_id)
    assignments.forget_target(call, member.organization_id, member.account_id)
    organization_policy_targets.remove_of_target(*place, member.account_id)
    delegated_administrators.remove_delegate(*place, member.account_id)
    handshakes.cancel_within(*place, keys_of(call, member.account_id), at=call.now)
    organization_tags.remove_of_entity(*place, member.account_id)
    # Nobody is left who could let root's password be recovered, so root can do it alone again.
    root_login_profiles.remove(call.db, member.account_id)
    organization_accounts.remove(call.db, member.account_id)
    accounts.touch(call.db, member.account_id, clock.revision())
    _tell_departure(call, member.management_account_id, member.account_id, departure)


def dissolve(call: Call, organization: OrganizationRow) -> None:
    """End an organization that has only its management account left."""
    place = (call.db, organization.organization_id)
    instance = instances.of_organization(*place)
    if instance is not None:
        assignments.dissolve(call, instance)
    for topic in (
        account_creations,
        delegated_administrators,
        handshakes,
        organization_features,
        organization_policies,
        organization_policy_targets,
        organization_policy_types,
        organization_service_access,
        organization_tags,
        organizational_units,
        trails,
    ):
        topic.remove_all(*place)
    organization_resource_policies.remove(*place)
    organization_accounts.remove(call.db, organization.management_account_id)
    organizations.remove(*place)
    accounts.touch(call.db, organization.management_account_id, clock.revision())
    _tell_departure(call, organization.management_account_id, organization.management_account_id, Departure.LEFT)


def _tell_departure(call: Call, management_account_id: str, account_id: str, departure: Departure) -> None:
    details = {"accountId": account_id, "departureMethod": departure.value, "departureTime": moment(call.now)}
    _tell(call, management_account_id, "AccountDepartedOrganization", details)


def _tell(call: Call, management_account_id: str, name: str, details: Mapping[str, object]) -> None:
    """Record it in the management account's trail, and in no other (API_AcceptHandshake, API_LeaveOrganization)."""
    service_events.keep(call, source=SERVICE, name=name, account_id=management_account_id, details=details)
