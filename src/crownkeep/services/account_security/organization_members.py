"""An account in its organization: how members' root users stand, for administrators, and what binds the account, for itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from crownkeep import errors
from crownkeep.catalogue import organization_policies as catalogue
from crownkeep.domain.credentials import reported_credentials
from crownkeep.operations import central_root, registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.organizations import organizational_units, organizations
from crownkeep.storage.organizations.organizations import OrganizationRow
from crownkeep.storage.reports import binding_policies, member_lists, member_security
from crownkeep.storage.reports.binding_policies import BindingPolicy
from crownkeep.storage.reports.member_security import MemberRoot


@account_security.operation("ListMemberSecurity", resource=registry.everything)
def list_member_security(call: Call, *, account_ids: Sequence[str]) -> Result:
    """Return how these accounts stand, those that are no members left out.

    Raises AccessDenied for an account that does not administer root access of an organization.
    """
    return {"Members": standing(call, administered(call).organization_id, account_ids)}


def standing(call: Call, organization_id: str, account_ids: Sequence[str]) -> list[dict[str, object]]:
    """Return how those of these accounts stand that are in the organization."""
    roots = member_security.roots(call.db, organization_id, account_ids)
    return _described(call, roots) if roots else []


@account_security.operation("ListMemberCredentials", resource=registry.everything, mode=Mode.LONG_READ)
def list_member_credentials(call: Call, *, account_ids: Sequence[str]) -> Result:
    """Return the credential reports of these accounts as they are now, those that are no members left out.

    Raises AccessDenied for an account that does not administer root access of an organization.
    """
    # Each once: a report costs what its account has, and the list says nothing against naming one ten times.
    asked = list(dict.fromkeys(account_ids))
    found = member_lists.with_ids(call.db, administered(call).organization_id, asked)
    written = [
        {"AccountId": each, "Content": reported_credentials.content(call.db, each).decode()} for each in asked if each in found
    ]
    return {"Reports": written}


def administered(call: Call) -> OrganizationRow:
    """Return the organization whose root access the calling account administers; raises AccessDenied."""
    organization = organizations.of_account(call.db, call.account_id)
    if organization is None or not central_root.is_administrator(call.db, organization, call.account_id):
        raise errors.AccessDenied("You don't have permissions to access this resource.")
    return organization


def _described(call: Call, roots: Sequence[MemberRoot]) -> list[dict[str, object]]:
    members = [each.account_id for each in roots]
    keys, certificates = member_security.root_keys(call.db, members), member_security.root_certificates(call.db, members)
    contacts, audits = member_security.with_security_contact(call.db, members), member_security.last_audits(call.db, members)
    kinds: dict[str, list[str]] = defaultdict(list)
    for device in member_security.root_devices(call.db, members):
        kinds[device.account_id].append(device.kind.upper())
    described = []
    for each in roots:
        held = keys.get(each.account_id)
        used = [moment for moment in (each.password_used_at, held.used_at if held else None) if moment is not None]
        known: dict[str, object] = {
            "AccountId": each.account_id,
            "RootHasPassword": each.has_password,
            "RootMayRecover": each.may_recover,
            "RootAccessKeys": held.count if held else 0,
            "RootSigningCertificates": certificates.get(each.account_id, 0),
            "RootMfaKinds": sorted(kinds[each.account_id]),
            "HasSecurityContact": each.account_id in contacts,
        }
        moments = {"RootLastUsedAt": max(used, default=None), "LastAuditAt": audits.get(each.account_id)}
        described.append(known | {name: at for name, at in moments.items() if at is not None})
    return described


@account_security.operation("ListBindingPolicies", resource=registry.everything)
def list_binding_policies(call: Call) -> Result:
    """Return the control policies that bind the account: none where it is in no organization, or manages it."""
    organization = organizations.of_account(call.db, call.account_id)
    if organization is None or organization.management_account_id == call.account_id:
        return {"BindingPolicies": []}
    way = organizational_units.ancestry(call.db, call.account_id)
    found = binding_policies.on_way(call.db, organization.organization_id, way)
    # From the root down, as the policies are asked.
    place = {each: number for number, each in enumerate(way)}
    return {"BindingPolicies": [_binding(each) for each in sorted(found, key=lambda each: place[each.target_id])]}


def _binding(found: BindingPolicy) -> dict[str, object]:
    own = catalogue.aws_policy(found.policy_id)
    kind = "ROOT" if found.target_id.startswith("r-") else "ORGANIZATIONAL_UNIT" if found.unit_name is not None else "ACCOUNT"
    return {
        "PolicyId": found.policy_id,
        "Name": found.name or (own.name if own else found.policy_id),
        "Description": found.description or (own.description if own else ""),
        "Type": found.type,
        "AttachedToType": kind,
        "AttachedToName": found.unit_name or "",
    }
