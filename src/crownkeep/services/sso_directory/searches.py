"""People found by part of a name, and assignments with the names of what they are about: what pages list, a page at a time.

They are long reads: a text is looked for in every person, and policies of thousands of permission sets may have to be compiled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from crownkeep import errors, policy
from crownkeep.catalogue import managed_policies
from crownkeep.domain import next_tokens
from crownkeep.domain.single_sign_on import instances
from crownkeep.operations import permissions
from crownkeep.operations.call import Call, Result
from crownkeep.operations.giving_way import GivingWay
from crownkeep.operations.permissions import Text
from crownkeep.operations.registry import Mode, Target
from crownkeep.policy import Applicable, PolicyKind, PolicyPrincipal, PolicyPrincipalKind, PolicyRequest, PolicySource
from crownkeep.services.sso_directory import targets
from crownkeep.services.sso_directory.service import sso_directory
from crownkeep.services.sso_directory.targets import NamedPerson
from crownkeep.storage.database import Transaction
from crownkeep.storage.single_sign_on import (
    assignment_search,
    directory_groups,
    directory_memberships,
    directory_search,
    permission_set_policies,
    permission_sets,
    provisioned_roles,
)
from crownkeep.storage.single_sign_on.assignment_search import NamedAssignment
from crownkeep.storage.single_sign_on.directory_search import ListedPerson
from crownkeep.storage.single_sign_on.instances import InstanceRow
from crownkeep.storage.single_sign_on.permission_sets import PermissionSetRow

_MOST_SETS = 5000
_MOST_GROUPS = 1000
_NEEDED = ("iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey")
"""Whoever may do these may give anybody, and so itself, everything."""
# Nobody's account: policies are asked about as they stand, and a condition on the caller's account is not met.
_SOMEBODY = PolicyPrincipal(
    PolicyPrincipalKind.ROLE_SESSION, "arn:aws:sts::000000000000:assumed-role/role/session", "000000000000"
)
_ANY_USER = "arn:aws:iam::000000000000:user/somebody"


def in_instance(call: Call, *, identity_store_id: str, **_: object) -> Target:
    """The instance of the identity store with this id."""
    row = instances.visible_store(call, identity_store_id)
    return Target(instances.arn_of("*" if row is None else row.instance_id), row=NamedPerson(row))


@sso_directory.operation("SearchUsers", resource=targets.store, mode=Mode.LONG_READ)
def search_users(
    call: Call,
    *,
    identity_store_id: str,
    query: str = "",
    group_id: str = "",
    max_results: int | None = None,
    next_token: str | None = None,
) -> Result:
    """List people whose name or e-mail address holds a text, or those of a group, with groups, devices and latest session."""
    store_id = targets.required_store(call).identity_store_id
    found, more = next_tokens.page(
        call,
        list_name="SearchUsers",
        filters=(store_id, query, group_id),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: directory_search.people(call.db, store_id, query, group_id=group_id, after=after, limit=limit),
        key=lambda row: row.user_name_key,
    )
    return {"Users": [_person(row) for row in found], **more}


@sso_directory.operation(
    "SearchAccountAssignments", resource=in_instance, mode=Mode.LONG_READ, action="sso:ListAccountAssignmentsForPrincipal"
)
def search_account_assignments(
    call: Call,
    *,
    identity_store_id: str,
    account_id: str = "",
    principal_id: str = "",
    permission_set_arn: str = "",
    administrators_only: bool = False,
    max_results: int | None = None,
    next_token: str | None = None,
) -> Result:
    """List who may take what where: in an account, of a person with their groups', or where it lets people administer."""
    instance = targets.required_store(call)
    # All sets at once: names and policies of thousands take two queries, and not two for each.
    known = {
        row.permission_set_id: row for row in permission_sets.page(call.db, instance.instance_id, after="", limit=_MOST_SETS)
    }
    chosen = _chosen_sets(known, permission_set_arn)
    if administrators_only:
        chosen = _ruling(call.db, known.values() if chosen is None else (known[each] for each in chosen))
    found, more = next_tokens.page(
        call,
        list_name="SearchAccountAssignments",
        filters=(instance.instance_id, account_id, principal_id, permission_set_arn, str(administrators_only)),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: assignment_search.page(
            call.db,
            instance.instance_id,
            instance.identity_store_id,
            target_id=account_id,
            principal_ids=principals(call, instance, principal_id),
            permission_set_ids=None if chosen is None else sorted(chosen),
            after=after,
            limit=limit,
        ),
        key=lambda row: row.place,
    )
    ruling = _ruling(call.db, (known[each] for each in {row.permission_set_id for row in found}))
    shown = [_assignment(row, instance, is_ruling=row.permission_set_id in ruling) for row in found]
    return {"AccountAssignments": shown, **more}


@sso_directory.operation("ListGroupsForUser", resource=targets.user)
def list_groups_for_user(call: Call, *, identity_store_id: str, user_id: str) -> Result:
    """List the groups that a person is in, by name."""
    found = targets.required(call)
    rows = directory_groups.of_member(call.db, found.user.identity_store_id, found.user.user_id, limit=_MOST_GROUPS)
    shown = [{"GroupId": row.group_id, "DisplayName": row.display_name} for row in rows]
    return {"Groups": sorted(shown, key=lambda each: each["DisplayName"].lower())}


@sso_directory.operation("SearchPermissionSets", resource=in_instance, mode=Mode.LONG_READ, action="sso:ListPermissionSets")
def search_permission_sets(call: Call, *, identity_store_id: str) -> Result:
    """List the permission sets by name, with how many accounts have a role of each, and in how many it is out of date."""
    instance = targets.required_store(call)
    rows = permission_sets.page(call.db, instance.instance_id, after="", limit=_MOST_SETS)
    followed = provisioned_roles.followed(call.db, instance.instance_id)
    ruling = _ruling(call.db, rows)
    shown = [_permission_set(row, followed.get(row.permission_set_id, {}), row.permission_set_id in ruling) for row in rows]
    return {"PermissionSets": sorted(shown, key=lambda each: str(each["Name"]).lower())}


def _permission_set(row: PermissionSetRow, followed: Mapping[int, int], gives_administrator: bool) -> dict[str, object]:
    return {
        "PermissionSetArn": f"arn:aws:sso:::permissionSet/{row.instance_id}/{row.permission_set_id}",
        "Name": row.name,
        **({"Description": row.description} if row.description else {}),
        "SessionDuration": row.session_duration,
        "Accounts": sum(followed.values()),
        "OutdatedAccounts": sum(count for revision, count in followed.items() if revision != row.revision),
        "GivesAdministrator": gives_administrator,
    }


def principals(call: Call, instance: InstanceRow, principal_id: str) -> list[str] | None:
    """Return somebody with their groups, or a group; None where nobody is named."""
    if not principal_id:
        return None
    return [principal_id, *directory_memberships.groups_of(call.db, instance.identity_store_id, principal_id)]


def _chosen_sets(known: dict[str, PermissionSetRow], permission_set_arn: str) -> set[str] | None:
    if not permission_set_arn:
        return None
    set_id = permission_set_arn.rpartition("/")[2]
    if set_id not in known:
        raise errors.ResourceNotFound("PermissionSet not found.")
    return {set_id}


def _ruling(db: Transaction, rows: Iterable[PermissionSetRow]) -> set[str]:
    """Return which permission sets let people administer an account, as far as the instance knows their policies."""
    wanted = list(rows)
    if not wanted:
        return set()
    held: dict[str, list[str]] = {}
    for each in permission_set_policies.of_instance(db, wanted[0].instance_id):
        held.setdefault(each.permission_set_id, []).append(each.reference)
    pace = GivingWay()
    ruling: set[str] = set()
    for row in wanted:
        if _administers(row, held.get(row.permission_set_id, ())):
            ruling.add(row.permission_set_id)
        pace.pause()
    return ruling


def _administers(row: PermissionSetRow, references: Iterable[str]) -> bool:
    """A customer managed policy is another one in each account: it allows nothing here, and as a boundary it limits nothing."""
    inline = [Text(row.inline_policy, PolicySource(PolicyKind.IDENTITY, "inline"))] if row.inline_policy else []
    identity = permissions.compiled([*inline, *filter(None, map(_managed, references))])
    limit = _managed(json.loads(row.boundary).get("ManagedPolicyArn", "")) if row.boundary else None
    applicable = Applicable(identity=identity, boundary=permissions.compiled([limit]) if limit is not None else None)
    return lets_administer(applicable)


def lets_administer(applicable: Applicable) -> bool:
    """Tell whether whoever has these policies may give anybody, and so itself, everything."""
    asked = (PolicyRequest(_SOMEBODY, action, _ANY_USER) for action in _NEEDED)
    return all(policy.authorize(each, applicable).allowed for each in asked)


def _managed(policy_arn: str) -> Text | None:
    found = managed_policies.with_arn(policy_arn)
    return None if found is None else Text(found.document, PolicySource(PolicyKind.IDENTITY, found.name))


def _person(row: ListedPerson) -> dict[str, object]:
    return {
        "UserId": row.user_id,
        "UserName": row.user_name,
        **({"DisplayName": row.display_name} if row.display_name else {}),
        **({"Email": row.email} if row.email else {}),
        "UserStatus": "ENABLED" if row.is_active else "DISABLED",
        "Groups": row.groups,
        "MfaDevices": row.mfa_devices,
        "HasPassword": row.has_password,
        **({"SignedInAt": row.signed_in_at} if row.signed_in_at else {}),
    }


def _assignment(row: NamedAssignment, instance: InstanceRow, *, is_ruling: bool) -> dict[str, object]:
    return {
        "AccountId": row.target_id,
        "AccountName": row.account_name,
        "PermissionSetArn": f"arn:aws:sso:::permissionSet/{instance.instance_id}/{row.permission_set_id}",
        "PermissionSetName": row.permission_set,
        "PrincipalType": row.principal_type,
        "PrincipalId": row.principal_id,
        "PrincipalName": row.principal,
        "GivesAdministrator": is_ruling,
    }
