"""What an account can be got into with, as its tables have it: for `recoverability` to judge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from crownkeep.domain.approvals import custody
from crownkeep.operations import central_root
from crownkeep.operations.administrators import Administrator, Administrators
from crownkeep.storage.accounts import accounts, contacts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.approvals import seals, teams
from crownkeep.storage.credentials import access_keys, mfa_devices
from crownkeep.storage.database import Transaction
from crownkeep.storage.organizations import organizations
from crownkeep.storage.sign_in import recovery_codes, root_recoveries

MOST_ADMINISTRATORS = 50
"""Administrators that are named; there may be more."""

CONTACT_TYPES = ("SECURITY", "OPERATIONS", "BILLING")


@dataclass(frozen=True, slots=True)
class RootDevice:
    """One of root's MFA devices."""

    serial: str
    kind: str


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Root's mailbox, and what depends on the same hands."""

    address: str
    contacts: tuple[tuple[str, str], ...] = ()
    """The alternate contacts: pairs of a type and an address."""
    accounts_at_domain: int = 0
    """How many other accounts of this server have their root's address at the same domain."""

    @property
    def domain(self) -> str:
        """The mail domain, whose administrators read every mailbox in it."""
        return domain_of(self.address)


@dataclass(frozen=True, slots=True)
class SealCustody:
    """The custodians without whom a sealed root is nothing: how many must approve, and how many could."""

    team: str
    acts: frozenset[str]
    needed: int
    custodians: int
    able: int
    can_act: bool
    may_be_missing: int
    unseal_delay_hours: int
    """How long the operator waits who unseals without them."""


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """Everything by which somebody gets into an account."""

    account_id: str
    name: str
    state: str
    mailbox: Mailbox
    has_password: bool
    password_changed_at: datetime | None
    may_recover_password: bool
    """Whether a link to the mailbox lets a password be chosen."""
    devices: tuple[RootDevice, ...]
    recovery_codes: int
    root_keys: int
    custodian: str
    root_may_act: bool
    """Whether the organization's policies leave root the power to administer."""
    administrators: tuple[Administrator, ...]
    are_all_named: bool
    managed_by: str
    """The account that can have root's password recovered by central root access; empty where none can."""
    custody: SealCustody | None = None
    """Of a sealed account."""


def of_account(db: Transaction, account: AccountRow, *, now: datetime, counts_others: bool = True) -> AccessFacts:
    """Gather what an account can be got into with; other accounts at its mail domain are counted for the operator alone."""
    account_id = account.account_id
    found = Administrators(db, account_id, now=now)
    # One more than is named tells whether these are all; each is judged by all policies, so no more are looked for.
    named = tuple(islice(found.found(), MOST_ADMINISTRATORS + 1))
    custodian = root_recoveries.custodian(db, account_id)
    devices = mfa_devices.of_owner(db, account_id, account_id)
    keys = access_keys.of_owner(db, account_id, account_id)
    return AccessFacts(
        account_id=account_id,
        name=account.name,
        state=account.state,
        mailbox=_mailbox(db, account, counts_others=counts_others),
        has_password=account.root_password_hash is not None,
        password_changed_at=account.root_password_changed_at,
        may_recover_password=central_root.may_recover(db, account),
        devices=tuple(RootDevice(each.serial, each.kind.value) for each in devices),
        recovery_codes=recovery_codes.count(db, account_id, account_id),
        root_keys=sum(each.status == "Active" for each in keys),
        custodian=custodian.email if custodian is not None else "",
        root_may_act=found.root_may_act(),
        administrators=named[:MOST_ADMINISTRATORS],
        are_all_named=len(named) <= MOST_ADMINISTRATORS,
        managed_by=_managed_by(db, account_id),
        custody=_custody(db, account_id),
    )


def domain_of(address: str) -> str:
    """Return the domain of an e-mail address, in lower case."""
    return address.rpartition("@")[2].lower()


def _mailbox(db: Transaction, account: AccountRow, *, counts_others: bool) -> Mailbox:
    found = ((kind, contacts.alternate(db, account.account_id, kind)) for kind in CONTACT_TYPES)
    alternates = tuple((kind, row.email_address) for kind, row in found if row is not None)
    # Without this account itself.
    others = accounts.count_at_domain(db, domain_of(account.email)) - 1 if counts_others else 0
    return Mailbox(account.email, alternates, max(0, others))


def _managed_by(db: Transaction, account_id: str) -> str:
    organization = organizations.of_account(db, account_id)
    if organization is None or organization.management_account_id == account_id:
        return ""
    if central_root.CREDENTIALS_MANAGEMENT not in central_root.enabled_features(db, organization):
        return ""
    return organization.management_account_id


def _custody(db: Transaction, account_id: str) -> SealCustody | None:
    seal = seals.of_account(db, account_id)
    if seal is None:
        return None
    acts, delay = frozenset(seal.acts.split("\n")), seal.unseal_delay_hours
    found = next(iter(custody.of_teams(db, teams.with_ids(db, [seal.team_id]))), None)
    if found is None:
        return SealCustody(seal.team_id, acts, 0, 0, 0, can_act=False, may_be_missing=0, unseal_delay_hours=delay)
    return SealCustody(
        team=found.row.name,
        acts=acts,
        needed=found.version.min_approvals,
        custodians=len(found.seats),
        able=len(found.able),
        can_act=found.can_act,
        may_be_missing=found.may_be_missing,
        unseal_delay_hours=delay,
    )
