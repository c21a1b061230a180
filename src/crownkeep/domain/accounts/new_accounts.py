"""Making the row of an account: for the operator, who hands it to somebody, and for an organization that creates a member."""

from __future__ import annotations

from crownkeep import clock, ids
from crownkeep.operations.call import Call
from crownkeep.operations.standing import ACTIVE
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow


def unused_id(call: Call) -> str:
    """Return an account id that no account has."""
    # Of a million million ids few are taken: the first try is nearly always the last.
    while True:
        account_id = ids.account_id(clock.token_bytes(8))
        if accounts.with_id(call.db, account_id) is None:
            return account_id


def add(call: Call, account_id: str, *, email: str, name: str, password_hash: str | None = None) -> None:
    """Keep a new account whose root user has this address and, where its hash is given, a password; nothing else is in it."""
    accounts.add(
        call.db,
        AccountRow(
            account_id=account_id,
            name=name,
            email=email,
            email_key=email.lower(),
            state=ACTIVE,
            created_at=call.now,
            closed_at=None,
            revision=clock.revision(),
            root_password_hash=password_hash,
            root_password_changed_at=call.now if password_hash else None,
            root_password_used_at=None,
            # Not from zero: an id may be used again after a purge, and no session of its last root may come alive with it.
            root_credential_version=int.from_bytes(clock.token_bytes(4), "big") >> 1,
        ),
    )
