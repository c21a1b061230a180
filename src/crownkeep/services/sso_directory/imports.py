"""People and groups imported from a file, a batch in one transaction: what came of each is told, and one that is refused
leaves the others be.

It asks for the permissions of doing it one by one: to make people and groups, and to put somebody into each group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crownkeep import errors
from crownkeep.credentials import imported_hashes
from crownkeep.credentials.imported_hashes import UnsoundHash
from crownkeep.domain.single_sign_on import assignments, directory, instances
from crownkeep.errors import AwsError
from crownkeep.models import service as model_of
from crownkeep.operations import authorize, model_limits
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.sso_directory import targets
from crownkeep.services.sso_directory.service import sso_directory
from crownkeep.signin import people, person_notices, person_passwords
from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import savepoint
from crownkeep.storage.single_sign_on import directory_groups, directory_memberships, directory_users
from crownkeep.storage.single_sign_on.directory_groups import DirectoryGroupRow
from crownkeep.storage.single_sign_on.directory_memberships import DirectoryMembershipRow
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

Given = Mapping[str, Any]
MOST_MEMBERSHIPS = 1_000
"""How many groups the people of one request are put into, taken together: nobody else's change commits meanwhile."""
_IDENTITY = "arn:aws:identitystore:::"


class _Rehearsed(Exception):
    """A dry run is over: all that it did is undone."""


@dataclass(slots=True)
class _Batch:
    """One call's work: where it is done, and the groups that were looked up, by their names in lower case."""

    call: Call
    instance: InstanceRow
    invites: bool
    groups: dict[str, DirectoryGroupRow] = field(default_factory=dict)


@sso_directory.operation("ImportUsers", resource=targets.store, action="sso-directory:CreateUser", effect=Effect.STATE)
def import_users(
    call: Call,
    *,
    identity_store_id: str,
    users: Sequence[Given] = (),
    groups: Sequence[Given] = (),
    invite: bool = True,
    dry_run: bool = False,
) -> Result:
    """Make people and groups and put people into groups; what is there already stays, and nobody's password is changed."""
    instance = targets.required_store(call)
    if sum(len(each.get("Groups") or ()) for each in users) > MOST_MEMBERSHIPS:
        raise errors.ServiceValidation(
            f"one request puts people into at most {MOST_MEMBERSHIPS} groups, taken together: send fewer people at a time"
        )
    accounts.hold(call.db, instance.account_id)
    outcome: dict[str, list[dict[str, object]]] = {"Groups": [], "Users": []}
    try:
        with savepoint(call.db):
            batch = _Batch(call, instance, invites=invite)
            outcome["Groups"] += [_settled(batch, "DisplayName", each, _import_group) for each in groups]
            outcome["Users"] += [_settled(batch, "UserName", each, _import_user) for each in users]
            if dry_run:
                # Undone by the savepoint and not by a second code path: a rehearsal meets exactly what the import would.
                raise _Rehearsed
    except _Rehearsed:
        call.notes.additional["DryRun"] = True
    counted = [each["Outcome"] for kind in outcome.values() for each in kind]
    call.notes.additional["Outcomes"] = {name: counted.count(name) for name in ("CREATED", "EXISTING", "REFUSED")}
    return outcome


def _settled(batch: _Batch, named: str, given: Given, work: Any) -> dict[str, object]:
    """Import one person or group, or nothing of it, and tell why not."""
    name = given[named]
    try:
        with savepoint(batch.call.db):
            return {named: name, **work(batch, given)}
    except AwsError as error:
        # A group that was made for somebody who is refused is gone with them.
        batch.groups.clear()
        return {named: name, "Outcome": "REFUSED", "Reason": error.message}


def _import_group(batch: _Batch, given: Given) -> dict[str, object]:
    name = given["DisplayName"]
    found = directory_groups.named(batch.call.db, batch.instance.identity_store_id, name)
    row = found or _make_group(batch, name, given.get("Description"))
    batch.groups[name.lower()] = row
    return {"GroupId": row.group_id, "Outcome": "CREATED" if found is None else "EXISTING"}


def _make_group(batch: _Batch, name: str, description: str | None = None) -> DirectoryGroupRow:
    call, instance = batch.call, batch.instance
    _require_valid("Group", {"DisplayName": name, **({} if description is None else {"Description": description})})
    # By name: the call as a whole was decided on CreateUser, which says nothing of groups.
    authorize.require_action(call, "identitystore:CreateGroup", Target(instances.store_arn(instance)))
    return directory.make_group(call, instance, name, by=call.principal.arn, description=description)


def _import_user(batch: _Batch, given: Given) -> dict[str, object]:
    call, instance = batch.call, batch.instance
    found = directory_users.named(call.db, instance.identity_store_id, given["UserName"])
    row = found or _make_user(batch, given)
    answer = {"UserId": row.user_id, "Outcome": "CREATED" if found is None else "EXISTING"}
    added = sum(_join(batch, row, name) for name in dict.fromkeys(given.get("Groups") or ()))
    return {**answer, "AddedGroups": added, **(_admit(batch, row, given) if found is None else {"Password": "UNCHANGED"})}


def _make_user(batch: _Batch, given: Given) -> DirectoryUserRow:
    call, instance = batch.call, batch.instance
    held = _attributes(given)
    _require_valid("User", held)
    authorize.require_action(call, "identitystore:CreateUser", Target(instances.store_arn(instance)))
    own = {"external_id": given.get("ExternalId"), "is_active": given.get("Active", True)}
    return directory.make_user(call, instance, held, by=call.principal.arn, **own)


def _attributes(given: Given) -> dict[str, Any]:
    """Return a person's attributes by the API's names; a missing display name is made of the others."""
    name = {each: given[each] for each in ("GivenName", "FamilyName") if each in given}
    whole = given.get("DisplayName") or " ".join(name.values())
    held: dict[str, Any] = {"UserName": given["UserName"], "Name": name, **({"DisplayName": whole} if whole else {})}
    if "Email" in given:
        held["Emails"] = [{"Value": given["Email"], "Type": "work", "Primary": True}]
    if "PhoneNumber" in given:
        held["PhoneNumbers"] = [{"Value": given["PhoneNumber"], "Type": "work", "Primary": True}]
    return {**held, **({"Title": given["Title"]} if "Title" in given else {})}


def _require_valid(kind: str, held: Given) -> None:
    """Raise ValidationException for what the API wouldn't take; the import's own model lets more in, to refuse it by row."""
    found = model_limits.violations(model_of("identitystore").shapes[kind], held)
    # What is required of a whole user differs from what an import needs, which fills in what can be derived.
    wrong = [each for each in found if each.kind != "required"]
    if wrong:
        raise errors.ServiceValidation(wrong[0].text)


def _join(batch: _Batch, user: DirectoryUserRow, name: str) -> bool:
    """Put somebody into a group, which is made where there is none; False where they were in it."""
    call, instance = batch.call, batch.instance
    store_id = instance.identity_store_id
    group = batch.groups.get(name.lower()) or directory_groups.named(call.db, store_id, name) or _make_group(batch, name)
    batch.groups[name.lower()] = group
    if directory_memberships.between(call.db, store_id, group_id=group.group_id, user_id=user.user_id) is not None:
        return False
    for each in (f"{_IDENTITY}group/{group.group_id}", f"{_IDENTITY}user/{user.user_id}", instances.store_arn(instance)):
        authorize.require_action(call, "identitystore:CreateGroupMembership", Target(each))
    # A group may hold a role in the management account, which a delegated administrator must not give to anybody.
    assignments.require_people_within_reach(call, instance, [group.group_id])
    row = DirectoryMembershipRow(
        identity_store_id=store_id,
        membership_id=instances.entity_id(),
        account_id=instance.account_id,
        group_id=group.group_id,
        user_id=user.user_id,
        created_at=call.now,
        created_by=call.principal.arn,
    )
    directory_memberships.add(call.db, row)
    return True


def _admit(batch: _Batch, user: DirectoryUserRow, given: Given) -> dict[str, object]:
    """Take a new person's hash over or, where there is none or it is not sound, invite them."""
    call, person = batch.call, people.person_of(batch.instance, user)
    reason = {}
    if given.get("PasswordHash"):
        try:
            kept = imported_hashes.read(given["PasswordHash"])
        except UnsoundHash as error:
            reason = {"Reason": str(error)}
        else:
            authorize.require_action(call, "sso-directory:UpdatePassword", Target(f"{_IDENTITY}user/{user.user_id}"))
            # A hash may be of a password that the importer knows: so it takes the permission to set one.
            person_passwords.set_password(call.db, person, kept, now=call.now)
            return {"Password": "KEPT"}
    if not batch.invites or not user.is_active or not person_notices.email_of(user):
        return {"Password": "NONE", **reason}
    start = batch.instance.identity_store_id
    person_passwords.post(call.db, call.wiring, person, start, user, call.origin, call.now)
    return {"Password": "INVITED", **reason}
