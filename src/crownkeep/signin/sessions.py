"""Browser sessions: opened when somebody has signed in, looked at on every request, bound to credentials, ended at will.

The cookie holds 32 random bytes, the database their digest. A session ends after twelve hours (or what MaxSigninSessionDuration
says of its user or role, or the store of its person), when it is not used for a while, when it is ended, when its person or
account is gone, and when the person's password or MFA devices change; unless it was this session that changed them.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from crownkeep import base64url, clock, errors
from crownkeep.credentials import access_keys
from crownkeep.credentials.access_keys import KeyPrefix
from crownkeep.credentials.secret import Secret
from crownkeep.operations import record
from crownkeep.operations.call import Origin, Wiring
from crownkeep.operations.invoke import Door
from crownkeep.principals import APPROVED_BY, Principal, PrincipalKind, Session
from crownkeep.signin import events, people, sign_in_steps, sweeping
from crownkeep.signin.people import Credentials
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import roles
from crownkeep.storage.sign_in import browser_sessions
from crownkeep.storage.sign_in.browser_sessions import BrowserSessionRow
from crownkeep.storage.single_sign_on import person_sign_in_rules
from crownkeep.storage.writer import Commit

LIFETIME = timedelta(hours=12)
"""How long a session lasts at most where nothing else is set, as AWS's console sessions do."""

FRESH_FOR = timedelta(minutes=10)
"""How long after a proof of presence dangerous acts may be done without another."""

SEEN_EVERY = timedelta(minutes=1)
"""How often at most the last use of a session is written down."""

_CONTEXT_KEY = "aws:signinsessionarn"
_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_EXPIRED = "The security token included in the request is expired"


@dataclass(frozen=True, slots=True)
class SwitchedRole:
    """A role that a session has switched to, and how the person wants it shown."""

    principal: Principal
    display_name: str = ""
    color: str = ""


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A session that holds right now."""

    session_id: str
    digest: bytes
    person: Principal
    """Who signed in."""
    switched: tuple[SwitchedRole, ...]
    """The roles switched to whose sessions last, the latest at the end."""
    proven_at: datetime
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str
    user_agent: str

    @property
    def principal(self) -> Principal:
        """Who acts: the person, or the role switched to last."""
        return self.switched[-1].principal if self.switched else self.person

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the person has proved to be there lately enough for a dangerous act."""
        return now - self.proven_at < FRESH_FOR


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened: the token for the cookie, which is nowhere else, and when it ends."""

    token: Secret
    principal: Principal
    expires_at: datetime


def sign_in_context(account_id: str, session_id: str, *, region: str) -> dict[str, str]:
    """Return the condition key that requests of a session carry, aws:SignInSessionArn (IAM user guide)."""
    return {_CONTEXT_KEY: f"arn:aws:signin:{region}:{account_id}:session/{UUID(session_id)}"}


def lifetime_of(db: Transaction, person: Principal, *, found: Credentials | None = None) -> timedelta:
    """Return how long a new session of somebody lasts at most: as MaxSigninSessionDuration says, of a user or of a role.

    Of a person of single sign-on, as the rules of the identity store say. A caller who has just read the person's credentials
    in this transaction hands them in as `found`.
    """
    seconds = None
    if person.kind is PrincipalKind.USER:
        seconds = (found or people.credentials(db, person)).max_sign_in_seconds
    elif person.kind is PrincipalKind.ROLE:
        role = roles.with_id(db, person.account_id, person.unique_id)
        seconds = role.max_sign_in_seconds if role is not None else None
    elif person.kind is PrincipalKind.PERSON:
        seconds = person_sign_in_rules.of_store(db, person.account_id, person.path.strip("/")).session_seconds
    return LIFETIME if seconds is None else timedelta(seconds=seconds)


def open_session(
    db: Transaction,
    person: Principal,
    *,
    origin: Origin,
    now: datetime,
    mfa_serial: str | None = None,
    lifetime: timedelta = LIFETIME,
    version: bytes | None = None,
    approved_by: str = "",
) -> Opened:
    """Open a session for somebody who has proved everything that is asked for, with an access key id of its own.

    Somebody who comes with temporary credentials keeps what these say of when and how they were issued. `version` is that of the
    person's credentials, where the caller has just read them in this transaction; `approved_by` the request that a
    sealed root comes in by.
    """
    random, session_id = clock.token_bytes(_TOKEN_BYTES), clock.token_bytes(16).hex()
    expires_at = now + lifetime
    given = person.session or Session(now, expires_at, mfa_serial, now if mfa_serial else None)
    context = {**given.context, **sign_in_context(person.account_id, session_id, region=origin.region), **_approved(approved_by)}
    ceiling = min(expires_at, given.ceiling or expires_at)
    session = replace(given, expires_at=expires_at, from_console=True, context=context, derived_until=ceiling)
    key_id = access_keys.mint(KeyPrefix.TEMPORARY, person.account_id, clock.token_bytes(access_keys.ID_ENTROPY))
    principal = replace(person, access_key_id=key_id, session=session)
    if sweeping.is_due():
        browser_sessions.forget(db, before=now - LIFETIME)
    browser_sessions.add(
        db,
        BrowserSessionRow(
            digest=hashlib.sha256(random).digest(),
            session_id=session_id,
            account_id=person.account_id,
            owner_id=person.unique_id,
            principal=msgspec.json.encode(principal),
            switched="[]",
            credential_version=version or people.credentials(db, person).version,
            proven_at=now,
            created_at=now,
            last_seen_at=now,
            expires_at=expires_at,
            address=origin.source_ip[:64],
            user_agent=origin.user_agent[:512],
        ),
    )
    return Opened(Secret(base64url.encode(random)), principal, expires_at)


def _approved(request_id: str) -> dict[str, str]:
    # Every record of a sealed root's session leads to the request, and the door lets it do nothing without.
    return {APPROVED_BY: request_id} if request_id else {}


def current(door: Door, token: str, *, now: datetime) -> BrowserSession | None:
    """Return the session that a cookie's token stands for, with its person as named now; None where none holds."""
    with door.snapshot() as db:
        return _current(db, door.wiring, token, now=now)


def _current(db: Transaction, wiring: Wiring, token: str, *, now: datetime) -> BrowserSession | None:
    digest = digest_of(token)
    row = browser_sessions.with_digest(db, digest) if digest else None
    # The earlier of both ends counts: its own, and that of going unused.
    if row is None or row.ended_at is not None or now >= min(row.expires_at, row.last_seen_at + idle_limit(wiring)):
        return None
    # Named as they are now: a user that was renamed, or a role that lost its trust, shows in the same request.
    person = _vouched(db, wiring, msgspec.json.decode(row.principal, type=Principal), now)
    # Any change of password or devices gives another version, which ends all sessions but the one that made the change
    # (`follow`).
    if person is None or people.credentials(db, person).version != row.credential_version:
        return None
    return _session(row, person, _switched(db, wiring, row, now))


def digest_of(token: str) -> bytes | None:
    """Return under which digest a cookie's token is kept; None for what was never a token."""
    if not _TOKEN.fullmatch(token):
        return None
    return hashlib.sha256(base64url.decode(token)).digest()


def id_of(principal: Principal) -> str | None:
    """Return the name of the browser session that somebody calls from; None where they call from none."""
    named = principal.session.context.get(_CONTEXT_KEY, "") if principal.session is not None else ""
    return UUID(named.rpartition("/")[2]).hex if named else None


def of_person(db: Transaction, wiring: Wiring, person: Principal, *, now: datetime) -> list[BrowserSession]:
    """Return a person's sessions that hold, the latest used first.

    Sessions of one role belong to as many people as sign in with it: they are told apart by their names.
    """
    rows = browser_sessions.of_owner(db, person.account_id, person.unique_id, now=now)
    version = people.credentials(db, person).version
    found = [
        _session(row, msgspec.json.decode(row.principal, type=Principal), ())
        for row in rows
        if row.credential_version == version and now < row.last_seen_at + idle_limit(wiring)
    ]
    # The owner's id is the role's. Without this, people who share a role would see and end one another's sessions.
    return [each for each in found if each.person.user_id == person.user_id]


async def sign_out(door: Door, session: BrowserSession, *, origin: Origin, now: datetime) -> None:
    """End a session from within.

    It is no operation: nobody needs a permission to leave, and no policy can keep a session open.
    """
    person = session.person

    def work(db: Transaction) -> Commit[None]:
        if not browser_sessions.end_named(db, person.account_id, person.unique_id, session.session_id, at=now):
            return Commit(None, [])
        return Commit(None, [events.of(recorded(person), origin, now, "SignOut")])

    await sign_in_steps.commit(door, work)


async def see(door: Door, session: BrowserSession, *, now: datetime) -> None:
    """Write down that a session was used."""

    def work(db: Transaction) -> Commit[None]:
        browser_sessions.see(db, session.digest, at=now)
        return Commit(None, [])

    await sign_in_steps.commit(door, work)


def prove(db: Transaction, session: BrowserSession, *, now: datetime, mfa_serial: str | None) -> None:
    """Remember that a session's person proved to be there again, and with which device."""
    person = session.person
    # The session then counts as one with MFA, for policies too: the device was proved just now.
    if mfa_serial is not None and person.session is not None:
        person = replace(person, session=replace(person.session, mfa_serial=mfa_serial, mfa_at=now))
    browser_sessions.prove(db, session.digest, msgspec.json.encode(person), at=now)


def switch(db: Transaction, session: BrowserSession, roles: tuple[SwitchedRole, ...]) -> None:
    """Let a session act as the last of these roles; as its person where there is none."""
    browser_sessions.switch(db, session.digest, msgspec.json.encode(roles).decode())


def idle_limit(wiring: Wiring) -> timedelta:
    """Return how long a session may go unused."""
    return timedelta(minutes=wiring.settings.session_idle_minutes)


class SessionBinding:
    """Holds a request to its session: refused where the session has ended, kept when it changes its own person's credentials."""

    __slots__ = ("_session",)

    def __init__(self, session: BrowserSession) -> None:
        self._session = session

    @property
    def session_digest(self) -> bytes:
        """Under which digest the session is kept."""
        return self._session.digest

    def confirm(self, db: Transaction) -> None:
        """Raise ExpiredToken where the session was ended, or its person's credentials changed, since the request began."""
        # Read in the transaction of the change, under the account's row: "Sign out" on another node is seen.
        if not self.holds(db):
            raise errors.ExpiredToken(_EXPIRED)

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the person has proved to be there lately enough for a dangerous act."""
        return self._session.is_fresh(now)

    def holds(self, db: Transaction) -> bool:
        """Tell whether the session still holds, for what does not go through an operation."""
        row = browser_sessions.with_digest(db, self._session.digest)
        return row is not None and row.ended_at is None and row.credential_version == self._version(db)

    def follow(self, db: Transaction) -> None:
        """Bind the session to its person's credentials as this request leaves them: `confirm` saw that nobody else did."""
        row = browser_sessions.with_digest(db, self._session.digest)
        version = self._version(db)
        # Only where this request itself changed them; `confirm` has excluded everybody else's change.
        if row is not None and row.credential_version != version:
            browser_sessions.rebind(db, self._session.digest, version)

    def _version(self, db: Transaction) -> bytes:
        return people.credentials(db, self._session.person).version


def recorded(person: Principal) -> Principal:
    """Return a person as records of sign-in name them: without the session, unless the person is nothing but one."""
    return record.as_person(person)


def _vouched(db: Transaction, wiring: Wiring, principal: Principal, now: datetime) -> Principal | None:
    standing = wiring.standings.of_account(db, principal.account_id)
    if standing is None or (principal.session is not None and now >= principal.session.expires_at):
        return None
    try:
        return standing.vouch(db, principal)
    except errors.InvalidClientTokenId:
        return None


def _switched(db: Transaction, wiring: Wiring, row: BrowserSessionRow, now: datetime) -> tuple[SwitchedRole, ...]:
    if row.switched == "[]":
        return ()
    roles = msgspec.json.decode(row.switched, type=tuple[SwitchedRole, ...])
    lasting = []
    for role in roles:
        principal = _vouched(db, wiring, role.principal, now)
        # A role that was taken on by a role that is void now is void, too: the rest of the chain falls with it.
        if principal is None:
            break
        lasting.append(replace(role, principal=principal))
    return tuple(lasting)


def _session(row: BrowserSessionRow, person: Principal, switched: tuple[SwitchedRole, ...]) -> BrowserSession:
    return BrowserSession(
        row.session_id,
        row.digest,
        person,
        switched,
        row.proven_at,
        row.created_at,
        row.last_seen_at,
        row.expires_at,
        row.address,
        row.user_agent,
    )
