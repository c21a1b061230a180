"""How the service names what it keeps: ARNs of the management account, whoever asks."""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep.arn import PARTITION
from crownkeep.storage.organizations.organizations import OrganizationRow

UNKNOWN = "o-*"
"""Stands for the organization where the caller is in none, so that a refusal still names what was asked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """An organization as its ARNs name it."""

    management_account_id: str
    organization_id: str


def place_of(organization: OrganizationRow) -> Place:
    """Return the place that an organization is."""
    return Place(organization.management_account_id, organization.organization_id)


def organization(place: Place) -> str:
    """Return an organization's own ARN."""
    return _arn(place, "organization")


def root(place: Place, root_id: str) -> str:
    """Return the ARN of an organization's root."""
    return f"{_arn(place, 'root')}/{root_id}"


def unit(place: Place, unit_id: str) -> str:
    """Return the ARN of an organizational unit."""
    return f"{_arn(place, 'ou')}/{unit_id}"


def parent(place: Place, parent_id: str) -> str:
    """Return the ARN of a root or a unit, by its id."""
    return unit(place, parent_id) if parent_id.startswith("ou-") else root(place, parent_id)


def account(place: Place, account_id: str) -> str:
    """Return the ARN of an account of an organization."""
    return f"{_arn(place, 'account')}/{account_id}"


def handshake(place: Place, action: str, handshake_id: str) -> str:
    """Return the ARN of a handshake; `action` is the kind of it, such as `INVITE`."""
    return f"{_arn(place, 'handshake')}/{action.lower()}/{handshake_id}"


def resource_policy(place: Place, policy_id: str) -> str:
    """Return the ARN of an organization's resource policy."""
    return f"{_arn(place, 'resourcepolicy')}/{policy_id}"


def _arn(place: Place, kind: str) -> str:
    return f"arn:{PARTITION}:organizations::{place.management_account_id}:{kind}/{place.organization_id}"
