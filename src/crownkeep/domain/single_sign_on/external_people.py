"""Whom a provider vouches for: the person of ours that its subject is, found once and kept, or made where that is allowed.

A provider names people by what may change hands: user names and addresses are given away again. Therefore its subject is bound to
a person with the first sign-in, and from then on nobody else of that provider becomes this person, whatever they are called.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from crownkeep.domain.single_sign_on import directory, instances, provider_settings
from crownkeep.errors import AwsError
from crownkeep.storage.database import Transaction
from crownkeep.storage.single_sign_on import directory_users, external_providers
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow
from crownkeep.storage.single_sign_on.external_providers import ExternalProviderRow, MatchBy, ProviderKind, UnknownPeople
from crownkeep.storage.single_sign_on.instances import InstanceRow

EMAIL = "email"
_LONGEST = 128
_LONGEST_SUBJECT = 1024
_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_NAMES: Mapping[str, tuple[str, ...]] = {
    "user": ("preferred_username", "upn", "username", f"{_CLAIMS}upn"),
    "email": (EMAIL, "mail", f"{_CLAIMS}emailaddress"),
    "given": ("given_name", "givenName", "firstName", f"{_CLAIMS}givenname"),
    "family": ("family_name", "familyName", "surname", "sn", "lastName", f"{_CLAIMS}surname"),
    "display": ("name", "displayName", f"{_CLAIMS}name"),
}
"""What providers call what a new person needs: OpenID Connect's claims, and what SAML's providers send most."""


@dataclass(frozen=True, slots=True)
class VouchedSubject:
    """Somebody as a provider describes them, in words that were verified to be the provider's."""

    subject: str
    said: Mapping[str, str] = field(default_factory=dict)
    """Claims or attributes of one value, by name."""
    email_is_verified: bool = False

    def value(self, attribute: str) -> str:
        """Return what an attribute says; empty where it is not there, or nothing that a person can be found by."""
        # Both protocols have their own word for the subject; it never comes from the attributes.
        found = self.subject if attribute in ("sub", provider_settings.NAME_ID) else self.said.get(attribute, "")
        return found if found.isprintable() and len(found) <= _LONGEST_SUBJECT else ""


class NobodyHere(Exception):
    """A subject is nobody who may sign in here; the message says why, for the record and the administrator."""


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """Whom a subject is, and whether they were made just now."""

    user: DirectoryUserRow
    is_new: bool


def kept(row: ExternalProviderRow, said: Mapping[str, str]) -> dict[str, str]:
    """Return what of a provider's words is used: what a person is found by and, where people are made, what a new one needs."""
    found = {row.match_attribute: said[row.match_attribute]} if row.match_attribute in said else {}
    # What is not needed is not kept, least of all what a provider says of people beyond their names.
    if row.unknown_people is UnknownPeople.CREATE:
        for names in _NAMES.values():
            name = next((each for each in names if said.get(each)), None)
            if name is not None:
                found.setdefault(name, said[name])
    return found


def find(
    db: Transaction, instance: InstanceRow, row: ExternalProviderRow, vouched: VouchedSubject, *, now: datetime
) -> FoundPerson:
    """Return whom a subject is; raises NobodyHere. The account's row must be held."""
    store_id, issuer = row.identity_store_id, _digest(row.issuer)
    # Everything rests on the subject, so nobody is found without one.
    if not vouched.value("sub"):
        raise NobodyHere("the provider's name of the person can't be used")
    # The issuer is part of it: another provider's subject of the same name is somebody else.
    subject = _digest(row.issuer, vouched.subject)
    linked_id = external_providers.person_linked(db, store_id, subject)
    linked = None if linked_id is None else directory_users.with_id(db, store_id, linked_id)
    matched = _matched(db, row, vouched)
    # Who has signed in before is found by the link, and the attribute must not contradict it.
    if linked is not None:
        if matched is not None and matched.user_id != linked.user_id:
            raise NobodyHere(
                f"the provider's `{row.match_attribute}` is another person's than the one who signed in by it before"
            )
        return FoundPerson(_allowed(linked), is_new=False)
    found = (
        FoundPerson(_made(db, instance, row, vouched, now=now), is_new=True) if matched is None else FoundPerson(matched, False)
    )
    # A person of ours has one subject per provider. A second one means that the name was given to somebody new.
    if external_providers.is_linked(db, store_id, found.user.user_id, issuer):
        raise NobodyHere("the person signs in as somebody else of the provider: its name of them was given to another")
    place = (db, row.account_id, store_id, _allowed(found.user).user_id)
    external_providers.link(*place, issuer_digest=issuer, subject_digest=subject, at=now)
    return found


def _matched(db: Transaction, row: ExternalProviderRow, vouched: VouchedSubject) -> DirectoryUserRow | None:
    value, store_id = vouched.value(row.match_attribute), row.identity_store_id
    # Without the attribute nobody may be found, not even whoever has an empty one.
    if not value:
        raise NobodyHere(f"the provider says no `{row.match_attribute}`")
    is_address = row.match_attribute == EMAIL or row.match_by is MatchBy.EMAIL
    # Whoever may write any address into their own profile there would be whomever they like here.
    if row.kind is ProviderKind.OIDC and is_address and not vouched.email_is_verified:
        raise NobodyHere("the provider does not say that it has verified the email address")
    match row.match_by:
        case MatchBy.EXTERNAL_ID:
            return directory_users.with_external_id(db, store_id, value)
        case MatchBy.USER_NAME:
            return directory_users.named(db, store_id, value)
        case MatchBy.EMAIL:
            return directory_users.with_email(db, store_id, value)


def _allowed(user: DirectoryUserRow) -> DirectoryUserRow:
    if not user.is_active:
        raise NobodyHere("the person is disabled")
    return user


def _made(
    db: Transaction, instance: InstanceRow, row: ExternalProviderRow, vouched: VouchedSubject, *, now: datetime
) -> DirectoryUserRow:
    if row.unknown_people is not UnknownPeople.CREATE:
        raise NobodyHere("nobody here is who the provider names")
    value = vouched.value(row.match_attribute)
    said = {each: _first(vouched, names) for each, names in _NAMES.items()}
    # A SAML provider signs what its administrators say; an address in an ID token may be whatever the person has typed.
    is_believed = row.kind is ProviderKind.SAML or vouched.email_is_verified
    email = said["email"] if is_believed else ""
    # The name must be the one that they are found by next time.
    name = value if row.match_by is MatchBy.USER_NAME else said["user"] or email or value
    if " " in name or len(name) > _LONGEST:
        raise NobodyHere("the provider says no user name that somebody can have here")
    held: dict[str, object] = {
        # The directory demands a full name, so the user name stands in for what the provider leaves out.
        "UserName": name,
        "DisplayName": said["display"] or name,
        "Name": {"GivenName": said["given"] or name, "FamilyName": said["family"] or name},
    }
    # It was verified above, or they would not have come this far.
    if row.match_by is MatchBy.EMAIL:
        email = value
    if email:
        held["Emails"] = [{"Value": email, "Type": "work", "Primary": True}]
    external_id = value if row.match_by is MatchBy.EXTERNAL_ID else None
    try:
        return directory.add_user(db, instance, held, by=instances.store_arn(instance), now=now, external_id=external_id)
    except AwsError as refusal:
        # Somebody has that name or address: they are not this one, or they would have been found.
        raise NobodyHere(f"the person can't be made: {refusal.message}") from refusal


def _first(vouched: VouchedSubject, names: tuple[str, ...]) -> str:
    found = (vouched.value(name) for name in names)
    return next((each for each in found if each and len(each) <= _LONGEST), "")


def _digest(*parts: str) -> bytes:
    # Joined by what no part can hold, so that two different pairs never become one text.
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
