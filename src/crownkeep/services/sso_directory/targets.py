"""Whom calls are about: somebody in an identity store, named by an administrator of it or by that person themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crownkeep import errors
from crownkeep.domain.single_sign_on import assignments, instances, provider_settings
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import people
from crownkeep.storage.accounts import accounts
from crownkeep.storage.single_sign_on import directory_memberships, directory_users
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

_USER_TYPE = "AWS::IdentityStore::User"


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """What a call names: a store that the caller's account administers, and somebody in it; None for what isn't there."""

    instance: InstanceRow | None
    user: DirectoryUserRow | None = None


@dataclass(frozen=True, slots=True)
class DirectoryPerson:
    """Somebody whom a call is about, and where they are."""

    instance: InstanceRow
    user: DirectoryUserRow
    person: Principal
    """The person as who signs in."""


def store(call: Call, *, identity_store_id: str, **_: object) -> Target:
    """The identity store with this id."""
    instance = instances.visible_store(call, identity_store_id)
    arn = f"arn:aws:identitystore::{call.account_id}:identitystore/{identity_store_id}"
    return Target(arn if instance is None else instances.store_arn(instance), row=NamedPerson(instance))


def user(call: Call, *, identity_store_id: str, user_id: str, **_: object) -> Target:
    """A user, and the store that they are in."""
    within = store(call, identity_store_id=identity_store_id)
    asked = within.row
    instance = asked.instance if isinstance(asked, NamedPerson) else None
    row = None if instance is None else directory_users.with_id(call.db, instance.identity_store_id, user_id)
    about = replace(within, row=NamedPerson(instance, row))
    # Decided on the person and on the store, as Identity Store's actions are (service authorization reference).
    return replace(about, arn=f"arn:aws:identitystore:::user/{user_id}", further=(about,))


def myself(call: Call, **_: object) -> Target:
    """Whoever calls."""
    return Target(call.principal.arn)


def required_store(call: Call) -> InstanceRow:
    """Return the instance of the store that the call names; raises ResourceNotFoundException where there is none."""
    asked = call.target_row(NamedPerson)
    if asked is None or asked.instance is None:
        raise errors.ResourceNotFound("IDENTITY_STORE not found.")
    return asked.instance


def required(call: Call) -> DirectoryPerson:
    """Return the person that the call was decided on; raises ResourceNotFoundException where there is none.

    A person reaches nobody but themselves.
    """
    asked = call.target_row(NamedPerson)
    caller = call.principal
    is_person = caller.kind is PrincipalKind.PERSON
    # The same refusal for somebody else and for nobody, or people could find out who is in the directory.
    if is_person and (asked is None or asked.user is None or asked.user.user_id != caller.person_id):
        raise errors.AccessDenied("People of single sign-on do this for themselves alone.")
    if asked is None or asked.instance is None or asked.user is None:
        raise errors.ResourceNotFound("USER not found.")
    return DirectoryPerson(asked.instance, asked.user, people.person_of(asked.instance, asked.user))


def changeable(call: Call) -> DirectoryPerson:
    """Return the person for a change, named in its record; the owner's account is held from here on.

    Raises AccessDenied where a delegated administrator would reach the management account through them.
    """
    found = required(call)
    if call.principal.kind is not PrincipalKind.PERSON:
        principals = [
            found.user.user_id,
            *directory_memberships.groups_of(call.db, found.user.identity_store_id, found.user.user_id),
        ]
        assignments.require_people_within_reach(call, found.instance, principals)
    # The account of the instance, which owns the person, and not the caller's: a delegated administrator calls from another
    # one.
    accounts.hold(call.db, found.instance.account_id)
    note(call, found)
    return found


def note(call: Call, found: DirectoryPerson) -> None:
    """Name the person in the call's record."""
    call.notes.resources.append((_USER_TYPE, found.person.arn))
    call.notes.additional["UserName"] = found.user.user_name


def required_self(call: Call) -> DirectoryPerson:
    """Return the person who calls from a browser for a change of what is theirs alone; raises AccessDenied for all others."""
    if call.principal.kind is not PrincipalKind.PERSON or call.binding is None:
        raise errors.AccessDenied("This is for people of single sign-on, in the browser that they signed in with.")
    found = changeable(call)
    provider_settings.require_none(call, found.instance.identity_store_id)
    return found
