"""People who leave an identity store: what they signed in with, and what they have open, goes with them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from crownkeep.domain.approvals import custodianship
from crownkeep.storage.credentials import mfa_devices
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import browser_sessions, recovery_codes, trail_filters, trusted_places
from crownkeep.storage.single_sign_on import external_providers, person_credentials, person_sign_in_rules
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow
from crownkeep.storage.single_sign_on.instances import InstanceRow


def forget_person(db: Transaction, user: DirectoryUserRow, *, at: datetime) -> None:
    """Forget how somebody signed in, and end what they have open."""
    owner = (db, user.account_id, UUID(user.user_id).hex)
    person_credentials.remove(*owner)
    mfa_devices.remove_of_owner(*owner)
    recovery_codes.remove_all(*owner)
    trusted_places.remove_all(*owner)
    trail_filters.remove_all(*owner)
    external_providers.unlink(db, user.identity_store_id, user.user_id)
    custodianship.forget(db, custodianship.identity_of_person(user.identity_store_id, user.user_id))
    browser_sessions.end_others(*owner, but=b"", at=at)


def forget_everybody(db: Transaction, instance: InstanceRow) -> None:
    """Forget how the people of an instance that goes signed in: nobody is left whose sessions could go on."""
    person_credentials.remove_all(db, instance.account_id)
    mfa_devices.remove_of_people(db, instance.account_id)
    person_sign_in_rules.remove(db, instance.identity_store_id)
    external_providers.remove_all(db, instance.identity_store_id)
    custodianship.forget_store(db, instance.identity_store_id)
