"""Switching roles: a browser session acts as a role for a while, through sts:AssumeRole, and comes back to its person.

Each switch begins at the person who signed in, not at the role that was switched to before, as in AWS's console.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from crownkeep import arn, errors, ids
from crownkeep.credentials import session_tokens
from crownkeep.credentials.session_tokens import InvalidToken
from crownkeep.errors import AwsError
from crownkeep.operations.call import Origin
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import acting, events, people, sessions, sign_in_steps
from crownkeep.signin.acting import Actor
from crownkeep.signin.sessions import BrowserSession, SessionBinding, SwitchedRole
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import roles
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit
from crownkeep.translation import gettext_noop

COLORS = ("", "F2B0A9", "FBBF93", "FAD791", "B7CA9D", "99BCE3")
"""What a role may be shown in: nothing, red, orange, yellow, green and blue, as AWS's links spell them."""

MOST_REMEMBERED = 5

_SHORTEST_SECONDS = 900
_ALWAYS_ALLOWED_SECONDS = 3600
_ROLE_NAME = re.compile(r"(?:[!-.0-~]+/)*[\w+=,.@-]{1,64}", re.ASCII)
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9-]{2,62}")
_LONGEST_DISPLAY_NAME = 64
_LONGEST_ROLE_NAME = 512


class NoSuchChoice(ValueError):
    """What was entered can't name a role; the message says what to enter."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A role that somebody wants to switch to, as links and the form name it."""

    account: str
    """Account id or alias."""
    role_name: str
    """With its path where it has one, such as `team/auditor`."""
    display_name: str = ""
    color: str = ""

    @property
    def shown(self) -> str:
        """What the role is called on the pages."""
        return self.display_name or f"{self.role_name.rpartition('/')[2]} @ {self.account}"


def choice(*, account: str, role_name: str, display_name: str = "", color: str = "") -> Choice:
    """Check what was entered; raises NoSuchChoice. A colour that is none of ours is no colour."""
    account, role_name = account.strip().lower(), role_name.strip().strip("/")
    if not _ACCOUNT.fullmatch(account):
        raise NoSuchChoice(gettext_noop("Enter an account ID (12 digits) or an account alias."))
    if len(role_name) > _LONGEST_ROLE_NAME or not _ROLE_NAME.fullmatch(role_name):
        raise NoSuchChoice(gettext_noop("Enter the role's name, with its path where it has one."))
    display_name = "".join(each for each in display_name if each.isprintable())[:_LONGEST_DISPLAY_NAME].strip()
    color = color.strip().lstrip("#").upper()
    return Choice(account, role_name, display_name, color if color in COLORS else "")


def remembered(history: tuple[Choice, ...], latest: Choice) -> tuple[Choice, ...]:
    """Return the roles to offer again: the latest first, each once, five at most."""
    others = [each for each in history if (each.account, each.role_name) != (latest.account, latest.role_name)]
    return (latest, *others)[:MOST_REMEMBERED]


async def switch(door: Door, session: BrowserSession, chosen: Choice, *, to: str, origin: Origin, now: datetime) -> SwitchedRole:
    """Take on a role with the permissions of the session's person, and act as it from now on.

    Raises what sts:AssumeRole raises, which tells nobody whether there is such a role.
    """
    return await _take_on(door, session, chosen, "SwitchRole", to=to, origin=origin, now=now)


async def renew(door: Door, session: BrowserSession, *, to: str, origin: Origin, now: datetime) -> SwitchedRole:
    """Take on the role that the session acts as once more, for another while; raises AccessDenied where it acts as none."""
    if not session.switched:
        raise errors.AccessDenied("the session acts as no role that could be renewed")
    role = session.switched[-1]
    path_and_name = f"{role.principal.path}{role.principal.name}".lstrip("/")
    chosen = Choice(role.principal.account_id, path_and_name, role.display_name, role.color)
    return await _take_on(door, session, chosen, "RenewRole", to=to, origin=origin, now=now)


async def come_back(door: Door, session: BrowserSession, *, to: str, origin: Origin, now: datetime) -> None:
    """Act as the person who signed in again."""
    if not session.switched:
        return
    role = session.switched[-1].principal

    def work(db: Transaction) -> Commit[None]:
        sessions.switch(db, session, ())
        return Commit(None, [_event("ExitRole", role, role.arn, to, origin, now)])

    await sign_in_steps.commit(door, work)


async def _take_on(
    door: Door, session: BrowserSession, chosen: Choice, name: str, *, to: str, origin: Origin, now: datetime
) -> SwitchedRole:
    person = session.person
    with door.snapshot() as db:
        role_arn, seconds = _role(db, session, chosen, now)
    parameters = {"RoleArn": role_arn, "RoleSessionName": _session_name(person), "DurationSeconds": seconds}
    actor = Actor(person, origin, now, SessionBinding(session))
    try:
        answered = await acting.call(door, actor, "sts", "AssumeRole", parameters)
    except AwsError as refusal:
        await _record_failure(door, person, name, refusal, to=to, origin=origin, now=now)
        raise
    role = SwitchedRole(_holder(door, answered["Credentials"], session, region=origin.region), chosen.display_name, chosen.color)

    def work(db: Transaction) -> Commit[AwsError | None]:
        try:
            SessionBinding(session).confirm(db)
        except AwsError as ended:
            return Commit(ended, [])
        sessions.switch(db, session, (role,))
        return Commit(None, [_event(name, role.principal, session.principal.arn, to, origin, now)])

    ended = await sign_in_steps.commit(door, work)
    if ended is not None:
        raise ended
    return role


def _role(db: Transaction, session: BrowserSession, chosen: Choice, now: datetime) -> tuple[str, int]:
    """Return the role's ARN, and for how many seconds it is asked for: as long as it and the person's session may last.

    Of other accounts' roles nothing is looked up, or the record of a refusal would tell whether there is one.
    """
    # An alias that nobody has must look like an account that does not trust the person.
    account_id = people.account_named(db, chosen.account) or (chosen.account if ids.is_account_id(chosen.account) else "0" * 12)
    role_arn = arn.iam(account_id, f"role/{chosen.role_name}")
    left = int((session.expires_at - now).total_seconds())
    longest, person = _ALWAYS_ALLOWED_SECONDS, session.person
    if account_id == person.account_id and person.kind is PrincipalKind.USER:
        row = roles.named(db, account_id, chosen.role_name.rpartition("/")[2])
        longest = row.max_session_seconds if row is not None else longest
    return role_arn, max(_SHORTEST_SECONDS, min(left, longest))


def _session_name(person: Principal) -> str:
    """Return the role session's name: the user's, as in AWS's console."""
    return (person.session_name or person.name or person.account_id)[:64]


def _holder(door: Door, credentials: object, session: BrowserSession, *, region: str) -> Principal:
    """Return who acts by the credentials that STS has issued, for the pages of this session alone."""
    if not isinstance(credentials, dict):
        raise errors.ServiceUnavailable("The role's credentials can't be read.")
    try:
        claims = session_tokens.read(
            door.wiring.keyring, str(credentials["SessionToken"]), access_key_id=str(credentials["AccessKeyId"])
        )
    except InvalidToken as error:
        raise errors.ServiceUnavailable("The role's credentials can't be read.") from error
    marked = sessions.sign_in_context(claims.principal.account_id, session.session_id, region=region)
    context = {**claims.session.context, **marked}
    return replace(claims.principal, session=replace(claims.session, from_console=True, context=context))


async def _record_failure(
    door: Door, person: Principal, name: str, refusal: AwsError, *, to: str, origin: Origin, now: datetime
) -> None:
    failure = events.of(
        person,
        origin,
        now,
        name,
        response={name: "Failure"},
        additional={"SwitchFrom": person.arn, "RedirectTo": to},
        message=refusal.message,
    )
    await sign_in_steps.commit(door, lambda _: Commit(None, [failure]))


def _event(name: str, role: Principal, before: str, to: str, origin: Origin, now: datetime) -> EventRow:
    """Make the event, in the trail of the role's account."""
    return events.of(role, origin, now, name, additional={"SwitchFrom": before, "RedirectTo": to})
