"""What people may take by their assignments and their groups', and the sessions of reserved roles that come of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crownkeep import arn, errors
from crownkeep.domain.credentials import issue
from crownkeep.domain.single_sign_on import provisioning
from crownkeep.operations.call import Call
from crownkeep.principals import OnBehalfOf, Principal, PrincipalKind, Session
from crownkeep.storage.identities import roles
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.single_sign_on import directory_users, entitlements, permission_sets, provisioned_roles
from crownkeep.storage.single_sign_on import instances as instance_rows
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

GRANT, SESSION = "grant:", "session:"
"""What `OnBehalfOf.sign_in` begins with: the id of a program's grant, or of a browser session, follows."""

_NOT_IN_NAMES = re.compile(r"[^\w+=,.@-]", re.ASCII)
_LONGEST_NAME = 64
_LONGEST_TAG = 256
_PATH = re.compile(r"\$\{path:([A-Za-z.]+)(?:\[primary eq true\]\.([A-Za-z]+))?\}")
_ENTERPRISE = "aws:identitystore:enterprise"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person who has signed in, by which sign-in, and until when that lasts at most."""

    instance: InstanceRow
    user: DirectoryUserRow
    sign_in: str
    """What `OnBehalfOf.sign_in` is to say."""
    until: datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """A session of a role, and its credentials as STS answers them."""

    expires_at: datetime
    credentials: Mapping[str, object]


def person_behind(call: Call, person: Principal, *, sign_in: str, until: datetime) -> SignedIn | None:
    """Return a person as the directory knows them now; None for one who is gone."""
    instance = instance_rows.of_account(call.db, person.account_id)
    user = None if instance is None else directory_users.with_id(call.db, instance.identity_store_id, person.person_id)
    # Asked anew each time: somebody who was disabled since they signed in takes nothing more.
    return None if instance is None or user is None or not user.is_active else SignedIn(instance, user, sign_in, until)


def take(call: Call, person: SignedIn, *, account_id: str, role_name: str) -> Issued:
    """Issue a session of a permission set's role to somebody who may take it; raises ResourceNotFoundException for all else.

    Who may not take a role isn't told whether there is one.
    """
    found = _role(call, person, account_id, role_name)
    # One answer for all reasons. Otherwise anybody could find out what roles an account has.
    if found is None:
        raise errors.ResourceNotFound("No access")
    role, permission_set_id = found
    instance, user = person.instance, person.user
    session = Session(
        issued_at=call.now,
        # A session of a role never outlives the sign-in that it was taken with.
        expires_at=min(call.now + timedelta(seconds=role.max_session_seconds), person.until),
        name=session_name(user.user_name),
        tags=session_tags(instance, user),
        # In records the session looks as AWS's do: taken through the provider of the instance.
        assumed_by=provisioning.provider_arn(instance, account_id),
        # With this in the token each request can be checked against the directory and the assignments as they are now.
        on_behalf_of=OnBehalfOf(
            user_id=user.user_id,
            identity_store_id=instance.identity_store_id,
            owner_id=instance.account_id,
            instance_id=instance.instance_id,
            permission_set_id=permission_set_id,
            account_id=account_id,
            sign_in=person.sign_in,
        ),
    )
    holder = Principal(PrincipalKind.ROLE, account_id, role.role_id, role.name, role.path, session=session)
    # The account whose role was taken gets the record, too.
    call.notes.shared_with = account_id
    call.notes.resources.append(("AWS::IAM::Role", arn.role(account_id, role.path, role.name)))
    try:
        return Issued(session.expires_at, issue.credentials(call, holder, session))
    except errors.PackedPolicyTooLarge as error:
        # STS's error, which the portal's models don't have.
        raise errors.ResourceNotFound("The attributes that become session tags are too long for a session.") from error


def session_name(user_name: str) -> str:
    """Return the name of somebody's sessions: the user name as far as a session's name may hold it."""
    # Two user names may become one session name; who it was is told by the user id beside it.
    return _NOT_IN_NAMES.sub("-", user_name)[:_LONGEST_NAME]


def session_tags(instance: InstanceRow, user: DirectoryUserRow) -> dict[str, str]:
    """Return the attributes of a person that the instance turns into tags of their sessions."""
    if instance.access_control_attributes is None:
        return {}
    held: dict[str, Any] = json.loads(user.attributes)
    tags = {}
    for each in json.loads(instance.access_control_attributes):
        # The first source that has a value wins, in the order in which they were set.
        value = next((found for source in each["Value"]["Source"] if (found := _value(held, source))), "")
        if value:
            # Cut rather than refused: a long attribute must not keep somebody from working.
            tags[str(each["Key"])] = value[:_LONGEST_TAG]
    return tags


def _role(call: Call, person: SignedIn, account_id: str, role_name: str) -> tuple[RoleRow, str] | None:
    instance, user = person.instance, person.user
    named = permission_sets.named(call.db, instance.instance_id, role_name)
    standing = call.wiring.standings.of_account(call.db, account_id)
    # The name is compared letter by letter, though it is found without regard to case.
    if named is None or named.name != role_name or standing is None or not standing.is_active(call.db):
        return None
    # Asked last and under the person's own id, with the groups as they are now.
    may_take = entitlements.may_take(
        call.db,
        instance.instance_id,
        target_id=account_id,
        permission_set_id=named.permission_set_id,
        store_id=instance.identity_store_id,
        user_id=user.user_id,
    )
    if not may_take:
        return None
    kept = provisioned_roles.find(call.db, instance.instance_id, named.permission_set_id, account_id)
    role = None if kept is None else roles.with_id(call.db, account_id, kept.role_id)
    return None if role is None else (role, named.permission_set_id)


def _value(held: Mapping[str, Any], source: str) -> str:
    """Return what a source such as `${path:name.givenName}` has of a person; empty where they have no such attribute."""
    found = _PATH.fullmatch(source)
    if found is None:
        return ""
    names = [name[:1].upper() + name[1:] for name in found[1].split(".")]
    # The enterprise extension of SCIM is kept beside the other attributes, under its own name.
    if names[0] == "Enterprise":
        extension = held.get("Extensions", {}).get(_ENTERPRISE, {})
        return _text(extension.get(found[1].partition(".")[2]))
    value: Any = held
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    if found[2] is None:
        return _text(value)
    listed = [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
    # Where none is marked as the primary one, the first counts.
    primary = next((each for each in listed if each.get("Primary")), listed[0] if listed else {})
    return _text(primary.get(found[2][:1].upper() + found[2][1:]))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
