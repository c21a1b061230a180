"""What the callers of an account may sign with and do right now, cached for as long as its revision stands.

Every request reads one small row, the account's revision. All that a request needs beyond it (keys, users, compiled policies) is
kept here under that revision, which is random and never comes back: what is changed anywhere is in force on the next request.
A cache may hold something newer than its revision, never something older, and a newer thing is dropped with the next look.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, replace
from enum import Enum
from threading import Lock

from crownkeep import arn, errors, logs
from crownkeep.credentials.sealing import Keyring, Unsealable
from crownkeep.credentials.secret import Secret
from crownkeep.operations import central_root, on_behalf, organization_controls, permissions, sealed, trust
from crownkeep.operations.organization_controls import Membership
from crownkeep.operations.permissions import Permissions
from crownkeep.principals import Caller, Operator, Principal, PrincipalKind, Session
from crownkeep.storage.accounts import account_aliases, accounts, last_way_in_guards
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.approvals import seals
from crownkeep.storage.credentials import access_keys, operators
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import roles, users
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.single_sign_on import directory_users

# A key is looked up before its signature is: whoever knows its id brings the line about.
_log = logging.getLogger(logs.STRANGERS)
_UNREADABLE = "The request processing has failed because the secret of the access key can't be read."
_MOST_ACCOUNTS = 4096
_MOST_ENTRIES = 10_000
MOST_BYTES = 256 * 2**20
"""Of all accounts' standings together; the least recently used are forgotten first."""
_MOST_BYTES_OF_ACCOUNT = 64 * 2**20
_BYTES_OF_ENTRY = 1_000
ACTIVE = "ACTIVE"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A long-term access key: its secret, its status, and whom it makes of the caller."""

    secret: Secret
    is_active: bool
    """Whether it may be signed with: neither the key nor its account is closed."""
    principal: Principal


class _Unknown(Enum):
    """What has not been read, as opposed to what is not there."""

    YET = "yet"


class Standing:
    """One account under one revision; of nobody's account where the caller has none."""

    # Slots, as thousands of these may be held. What is None or YET was not read so far; each is read when first asked for.
    __slots__ = (
        "_account",
        "_alias",
        "_is_guarded",
        "_keyring",
        "_keys",
        "_membership",
        "_others",
        "_permission_bytes",
        "_permissions",
        "_roles",
        "_sealed",
        "_trusted",
        "_users",
        "account_id",
        "revision",
    )

    def __init__(self, account_id: str, revision: int, keyring: Keyring, others: Standings) -> None:
        self.account_id = account_id
        self.revision = revision
        self._keyring = keyring
        self._others = others
        self._account: AccountRow | None = None
        self._alias: str | None = None
        self._is_guarded: bool | None = None
        self._keys: dict[str, SigningKey] = {}
        self._users: dict[str, UserRow] = {}
        self._roles: dict[str, RoleRow] = {}
        self._trusted: dict[tuple[str, str, str], bool] = {}
        self._permissions: dict[tuple[PrincipalKind, str], Permissions] = {}
        self._permission_bytes = 0
        self._membership: Membership | _Unknown | None = _Unknown.YET
        self._sealed: frozenset[str] | None = None

    def account(self, db: Transaction) -> AccountRow | None:
        """Return the row of the account that the call is made in, read once; None where there is no such account."""
        # Not remembered where there is none: the account may be made by the next commit, under no revision that we know.
        if self._account is None and self.account_id:
            self._account = accounts.with_id(db, self.account_id)
        return self._account

    def alias(self, db: Transaction) -> str:
        """Return the account's alias, empty where it has none."""
        if self._alias is None:
            self._alias = (account_aliases.of_account(db, self.account_id) or "") if self.account_id else ""
        return self._alias

    def is_guarded(self, db: Transaction) -> bool:
        """Tell whether the guard of the last way in is on in the account (`last_way_in`)."""
        if self._is_guarded is None:
            self._is_guarded = last_way_in_guards.of_account(db, self.account_id).is_on
        return self._is_guarded

    def is_active(self, db: Transaction) -> bool:
        """Tell whether the account may be used: it exists and is not closed."""
        account = self.account(db)
        return account is not None and account.state == ACTIVE

    def signing_key(self, db: Transaction, access_key_id: str) -> SigningKey | None:
        """Return a long-term key of this account, whatever its status, or None where there is none."""
        key = self._keys.get(access_key_id)
        if key is None:
            key = self._load_key(db, access_key_id)
            # What isn't there is not remembered: strangers choose the ids that are asked for, and each would take an entry.
            if key is not None and len(self._keys) < _MOST_ENTRIES:
                self._keys[access_key_id] = key
        return key

    def user(self, db: Transaction, user_id: str) -> UserRow | None:
        """Return a user of this account by unique id."""
        user = self._users.get(user_id)
        if user is None:
            user = users.with_id(db, self.account_id, user_id)
            if user is not None and len(self._users) < _MOST_ENTRIES:
                self._users[user_id] = user
        return user

    def role(self, db: Transaction, role_id: str) -> RoleRow | None:
        """Return a role of this account by unique id, with the trust policy it has now."""
        role = self._roles.get(role_id)
        if role is None:
            role = roles.with_id(db, self.account_id, role_id)
            if role is not None and len(self._roles) < _MOST_ENTRIES:
                self._roles[role_id] = role
        return role

    def permissions(self, db: Transaction, principal: Principal) -> Permissions:
        """Return the compiled policies that are attached to a principal, by itself and by its groups."""
        # Root and a federated user of root have the same id, and not the same permissions.
        holder = (principal.kind, principal.unique_id)
        found = self._permissions.get(holder)
        if found is None:
            # Not under a lock: two threads may both load it, and either's is right, since both read under this revision or a
            # later one.
            found = permissions.load(db, principal)
            if self._permission_bytes + found.bytes <= _MOST_BYTES_OF_ACCOUNT:
                self._permissions[holder] = found
                self._permission_bytes += found.bytes
        return found

    @property
    def bytes(self) -> int:
        """About how much memory it takes."""
        entries = len(self._keys) + len(self._users) + len(self._roles) + len(self._trusted) + 1
        return _BYTES_OF_ENTRY * entries + self._permission_bytes

    def membership(self, db: Transaction) -> Membership | None:
        """Return the account's place in its organization with all that binds it there, or None where it is in none."""
        found = self._membership
        if isinstance(found, _Unknown):
            found = self._membership = organization_controls.load(db, self.account_id) if self.account_id else None
        return found

    def sealed(self, db: Transaction) -> frozenset[str]:
        """Return the names of the acts on the account that take a team's approval."""
        if self._sealed is None:
            self._sealed = seals.acts(db, self.account_id) if self.account_id else frozenset()
        return self._sealed

    def vouch(self, db: Transaction, principal: Principal) -> Principal:
        """Return the principal as it is now; raises InvalidClientTokenId where its credential is void.

        A session dies with its user and with the access key that asked for it; a role's session with the role, and as soon as the
        role's trust policy no longer names whoever took it on; a member's root user with whatever let it be taken on.
        """
        # Cheapest first: most of what is void is void with its account.
        if not self.is_active(db):
            raise _unknown_token()
        session = principal.session
        # A session that was given on an assignment of single sign-on ends with the assignment, which no revision of this account
        # tells.
        if session is not None and session.on_behalf_of is not None and not on_behalf.holds(db, session.on_behalf_of):
            raise _unknown_token()
        key_id = principal.access_key_id if session is None else session.issuing_key_id
        if key_id:
            key = self.signing_key(db, key_id)
            # The owner is compared as well: the token says whose session it is, and the key must still be theirs.
            if key is None or not key.is_active or key.principal.unique_id != principal.unique_id:
                raise _unknown_token()
        match principal.kind:
            case PrincipalKind.ROOT:
                self._refuse_former_root(db, session)
                if session is not None and session.assumed_root:
                    self._vouch_for_central(db, session)
                return principal
            case PrincipalKind.ROLE:
                return self._as_role_is_now(db, principal)
            case PrincipalKind.FEDERATED_USER if principal.unique_id == principal.account_id:
                return principal
            case PrincipalKind.PERSON:
                return self._as_person_is_now(db, principal)
            case _:
                return self._as_named_now(db, principal)

    def confirm(self, db: Transaction, caller: Caller) -> None:
        """Raise InvalidClientTokenId where the caller's credential has been voided since it was verified.

        Of a named operator: AccessDenied, and its row is held, so that its removal waits for what is under way.
        """
        if isinstance(caller, Principal):
            self.vouch(db, caller)
        elif isinstance(caller, Operator) and caller.name and operators.hold(db, caller.name) != caller.token_id:
            raise errors.AccessDenied(f"operator `{caller.name}` has been removed, or has another token now")

    def _refuse_former_root(self, db: Transaction, session: Session | None) -> None:
        """Raise InvalidClientTokenId for a session of a purged account whose id is another account's now.

        Users, roles and keys have ids that never come back; root has the account's.
        """
        account = self.account(db)
        # A session that a key has asked for ends with that key, whose id never comes back.
        if session is None or account is None or session.issuing_key_id:
            return
        # Sessions keep their times to the second.
        if session.issued_at < account.created_at.replace(microsecond=0):
            raise _unknown_token()

    def _vouch_for_central(self, db: Transaction, session: Session) -> None:
        """Raise InvalidClientTokenId for a session of AssumeRoot that would not be given any more.

        It rests on a credential of another account and on that account's power over this one. Neither is in this account's
        revision alone, so both are looked up anew: by a few keys, for sessions that are few and short.
        """
        taker = session.taken_on_by
        # The taker's own account has a revision of its own, so its standing is asked for anew, and never kept in this one.
        standing = None if taker is None else self._others.of_account(db, taker.account_id)
        if taker is None or standing is None:
            raise _unknown_token()
        standing.vouch(db, taker)
        if not central_root.may_take_on(db, taker.account_id, self.account_id, session.task_policy_arn):
            raise _unknown_token()

    def _as_named_now(self, db: Transaction, principal: Principal) -> Principal:
        user = self.user(db, principal.unique_id)
        if user is None:
            raise _unknown_token()
        if (user.name, user.path) == (principal.name, principal.path):
            return principal
        return replace(principal, name=user.name, path=user.path)

    def _as_person_is_now(self, db: Transaction, principal: Principal) -> Principal:
        """Return a person as the directory has them now: looked up anew, for people change no account's revision."""
        row = directory_users.with_id(db, principal.path.strip("/"), principal.person_id)
        if row is None or row.account_id != self.account_id or not row.is_active:
            raise _unknown_token()
        return principal if row.user_name == principal.name else replace(principal, name=row.user_name)

    def _as_role_is_now(self, db: Transaction, principal: Principal) -> Principal:
        role = self.role(db, principal.unique_id)
        session = principal.session
        if role is None or session is None or not self._is_trusted(db, role, session):
            raise _unknown_token()
        if role.owner_service == on_behalf.SERVICE and session.on_behalf_of is None:
            # An account's administrator could make the provider that these roles trust: nobody comes to one but by an assignment.
            raise _unknown_token()
        if (role.name, role.path) == (principal.name, principal.path):
            return principal
        return replace(principal, name=role.name, path=role.path)

    def _is_trusted(self, db: Transaction, role: RoleRow, session: Session) -> bool:
        # Right for as long as the standing is: whoever changes the trust policy, or deletes that user, changes the revision.
        held = (role.role_id, session.assumed_by, session.assumed_by_id)
        trusted = self._trusted.get(held)
        if trusted is None:
            trusted = trust.still_names(role, session) and not self._is_deleted_user(db, session)
            if len(self._trusted) < _MOST_ENTRIES:
                self._trusted[held] = trusted
        return trusted

    def _is_deleted_user(self, db: Transaction, session: Session) -> bool:
        """Tell whether the session was begun by a user of this very account who is there no more."""
        is_own_user = session.assumed_by.startswith(arn.iam(self.account_id, "user/"))
        return is_own_user and self.user(db, session.assumed_by_id) is None

    def _load_key(self, db: Transaction, access_key_id: str) -> SigningKey | None:
        row = access_keys.with_id(db, access_key_id)
        # A key's id says which account it is of. A row that says otherwise was tampered with, and is no key of this account.
        if row is None or row.account_id != self.account_id:
            return None
        try:
            secret = sealed.open_access_key_secret(
                self._keyring, row.sealed_secret, account_id=row.account_id, access_key_id=row.access_key_id
            )
        except Unsealable as error:
            # No fault of the caller's: the row was moved or damaged, or its key is gone from the key file.
            _log.error("the secret of the access key `%s` opens with no key of the key file", row.access_key_id)
            raise errors.InternalFailure(_UNREADABLE) from error
        principal = self._owner(db, row.owner_id, access_key_id)
        return None if principal is None else SigningKey(secret, row.status == "Active" and self.is_active(db), principal)

    def _owner(self, db: Transaction, owner_id: str, access_key_id: str) -> Principal | None:
        if owner_id == self.account_id:
            return Principal(PrincipalKind.ROOT, self.account_id, owner_id, access_key_id=access_key_id)
        user = self.user(db, owner_id)
        if user is None:
            return None
        return Principal(PrincipalKind.USER, self.account_id, owner_id, user.name, user.path, access_key_id)


class Standings:
    """The standings of this process, the least recently used account's forgotten first."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._known: OrderedDict[str, Standing] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._lock = Lock()
        self.bytes = 0

    def of_account(self, db: Transaction, account_id: str) -> Standing | None:
        """Return an account's standing as of now, or None where there is no such account."""
        # The revision is read in the caller's transaction, and picks the standing that it gets.
        return self._at(account_id, accounts.revision(db, account_id))

    def of(self, db: Transaction, caller: Caller) -> Standing:
        """Return the standing of the caller's account."""
        if not isinstance(caller, Principal):
            return self._of_nobody()
        return self.of_account(db, caller.account_id) or self._of_nobody()

    def held(self, db: Transaction, caller: Caller) -> Standing:
        """Return the same, and hold the account's row: until the transaction ends nobody else changes the account."""
        if not isinstance(caller, Principal):
            return self._of_nobody()
        return self._at(caller.account_id, accounts.hold(db, caller.account_id)) or self._of_nobody()

    def _at(self, account_id: str, revision: int | None) -> Standing | None:
        # The event loop, the writer and the pool all look here.
        with self._lock:
            if revision is None:
                # No revision, no account: it was purged, and nothing of it may stay in memory.
                self._forget(account_id)
                return None
            standing = self._known.get(account_id)
            # Revisions are random and have no order: a snapshot that is older than what is kept gets a standing of its own time.
            if standing is None or standing.revision != revision:
                standing = self._known[account_id] = Standing(account_id, revision, self._keyring, self)
            self._known.move_to_end(account_id)
            # What it has grown to since it was asked for last counts from now on.
            size = standing.bytes
            self.bytes += size - self._sizes.get(account_id, 0)
            self._sizes[account_id] = size
            # The account that is asked for stays, however large it is: its caller holds it in any case.
            while len(self._known) > 1 and (len(self._known) > _MOST_ACCOUNTS or self.bytes > MOST_BYTES):
                self._forget(next(iter(self._known)))
            return standing

    def _forget(self, account_id: str) -> None:
        self._known.pop(account_id, None)
        self.bytes -= self._sizes.pop(account_id, 0)

    def _of_nobody(self) -> Standing:
        # Made anew each time and never kept: what strangers ask for leaves nothing behind.
        return Standing("", 0, self._keyring, self)


class SeenStandings:
    """The standings of accounts as one snapshot has them: it looks each account's revision up once."""

    def __init__(self, db: Transaction, standings: Standings) -> None:
        self._db = db
        self._standings = standings
        self._seen: dict[str, Standing | None] = {}

    def of_account(self, account_id: str) -> Standing | None:
        """Return an account's standing as of the snapshot, or None where there is no such account."""
        # Also where there is none: strangers who name accounts that don't exist cost one look in a turn, not one each.
        if account_id not in self._seen:
            self._seen[account_id] = self._standings.of_account(self._db, account_id)
        return self._seen[account_id]


def _unknown_token() -> errors.InvalidClientTokenId:
    return errors.InvalidClientTokenId("The security token included in the request is invalid.")
