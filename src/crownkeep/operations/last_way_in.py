"""The guard of the last way in: no act may leave an account that nobody can administer any more.

AWS lets such an act pass. Here it is refused where the account or the operator has switched the guard on, and on the pages
always, unless its person confirms it by typing the account's name. The account is looked at after the change, in the same
transaction, which is then undone: so no kind of act is forgotten. Where the guard is off, a signed call pays nothing.

Root counts where it can sign in with a password and an MFA device and the organization's policies let it act. Its access keys
don't count: they can't sign in, and should not be there. An account that nobody could administer before is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep import errors
from crownkeep.operations.administrators import GUARD, Administrators
from crownkeep.operations.call import Call, Request
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.credentials import mfa_devices
from crownkeep.storage.database import Transaction
from crownkeep.storage.organizations import guarded_members, organization_accounts

MOST_MEMBERS = 50
"""Guarded members of an organization that are looked at when its policies or single sign-on change; of more, the rest is not."""

_OWN = frozenset({"iam", "account-security"})
"""The services that can take a way into the caller's own account away."""
_OF_ORGANIZATION = frozenset({"organizations", "sso", "sso-admin", "identitystore"})
"""Those that can do it to other accounts of its organization as well."""


def at_stake(call: Call, request: Request) -> Sequence[str]:
    """Return the accounts that somebody can administer before a write, and must be able to after it; for `require`."""
    # Looked at before, or an account that nobody could administer could never be changed again.
    return [each for each in _guarded_accounts(call, request) if _anybody(call, each)]


def require(call: Call, request: Request, accounts_at_stake: Sequence[str]) -> None:
    """Raise where a write left one of these accounts to nobody; the caller's savepoint undoes it then.

    Raises LastWayIn where the guard is on, and LastWayInUnconfirmed on the pages.
    """
    for account_id in accounts_at_stake:
        if not _anybody(call, account_id):
            _refuse(call, request, account_id)


def why_not_root(db: Transaction, account: AccountRow, found: Administrators) -> str:
    """Say why an account's root user is no way in; nothing where it is one."""
    if account.root_password_hash is None:
        return "root has no password"
    if not mfa_devices.count_of_owner(db, account.account_id, account.account_id):
        return "root has no MFA device"
    return "" if found.root_may_act() else "the organization's policies leave root no power"


def _guarded_accounts(call: Call, request: Request) -> Sequence[str]:
    """Return the accounts in which somebody must be left, whether or not anybody is there now."""
    service = request.operation.service.name
    if not isinstance(call.caller, Principal) or service not in _OWN | _OF_ORGANIZATION:
        return ()
    is_guarded = call.standing.is_guarded(call.db)
    own = [call.account_id] if is_guarded or request.binding is not None else []
    if service in _OWN:
        return own
    member = organization_accounts.of_account(call.db, call.account_id)
    if member is None:
        return own
    others = guarded_members.page(call.db, member.organization_id, limit=MOST_MEMBERS)
    return list(dict.fromkeys((*own, *others)))


def _anybody(call: Call, account_id: str) -> bool:
    account = accounts.with_id(call.db, account_id)
    if account is None:
        return False
    caller = call.principal
    # The caller first: usually it is they who are left, and one look is enough.
    first = (caller.unique_id,) if caller.kind is PrincipalKind.USER and caller.account_id == account_id else ()
    found = Administrators(call.db, account_id, now=call.now, first=first, bounds=GUARD)
    return not why_not_root(call.db, account, found) or next(found.found(), None) is not None


def _refuse(call: Call, request: Request, account_id: str) -> None:
    account = accounts.with_id(call.db, account_id)
    if account is None:
        # Closed for good by its own organization: there is nothing left to administer.
        return
    # Other accounts are only at stake because their guard is on.
    is_guarded = account_id != call.account_id or call.standing.is_guarded(call.db)
    if not is_guarded and request.confirmed_name == account.name:
        return
    found = Administrators(call.db, account_id, now=call.now, bounds=GUARD)
    left = found.with_credentials()
    users = f"left with credentials: {', '.join(left)}, none of whom could" if left else "no user would have credentials"
    root = why_not_root(call.db, account, found) or "root could"
    message = f"after this, nobody could administer account {account_id} ({account.name}) any more: {users}; {root}"
    if is_guarded:
        raise errors.LastWayIn(f"{message}; the guard of the last way in is on, and refuses it")
    raise errors.LastWayInUnconfirmed(message)
