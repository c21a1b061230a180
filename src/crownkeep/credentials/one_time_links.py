"""One-time links: 256 random bits in a mailed address, of which only a hash is stored."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from crownkeep import base64url
from crownkeep.credentials.secret import Secret

TOKEN_ENTROPY = 32
"""Random bytes of a token."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class LinkPurpose(Enum):
    """What a link lets its holder do. The stored hash covers it, so a link is worth nothing for anything else."""

    SET_ROOT_PASSWORD = "set-root-password"
    RESET_ROOT_PASSWORD = "reset-root-password"
    RECOVER_MFA = "recover-mfa"
    CONFIRM_RECOVERY = "confirm-recovery"
    CHANGE_EMAIL = "change-email"
    JOIN_ORGANIZATION = "join-organization"
    SIGN_IN_ONCE = "sign-in-once"
    SET_PERSON_PASSWORD = "set-person-password"
    JOIN_APPROVAL_TEAM = "join-approval-team"


LIFETIMES = {
    LinkPurpose.SET_ROOT_PASSWORD: timedelta(days=7),
    LinkPurpose.RESET_ROOT_PASSWORD: timedelta(hours=1),
    LinkPurpose.RECOVER_MFA: timedelta(minutes=15),
    LinkPurpose.CONFIRM_RECOVERY: timedelta(hours=24),
    LinkPurpose.CHANGE_EMAIL: timedelta(minutes=30),
    LinkPurpose.JOIN_ORGANIZATION: timedelta(days=14),
    LinkPurpose.SIGN_IN_ONCE: timedelta(minutes=15),
    LinkPurpose.SET_PERSON_PASSWORD: timedelta(hours=1),
    LinkPurpose.JOIN_APPROVAL_TEAM: timedelta(days=7),
}
"""How long a link of each purpose is good for: what is sent on request expires soon, what waits for a person later."""


class InvalidLink(ValueError):
    """The link is malformed, unknown, spent or too old; nothing more is said, since it may be somebody else's."""

    def __init__(self) -> None:
        super().__init__("the link is not valid: ask for a new one")


@dataclass(frozen=True, slots=True)
class Link:
    """A freshly minted link: the token to mail, and what to store of it."""

    token: Secret
    digest: bytes
    expires_at: datetime


def mint(purpose: LinkPurpose, random: bytes, *, now: datetime) -> Link:
    """Make a link from TOKEN_ENTROPY random bytes; the token has 43 characters that need no escaping in an address."""
    if len(random) != TOKEN_ENTROPY:
        raise ValueError(f"`mint` needs {TOKEN_ENTROPY} random bytes, got {len(random)}")
    token = base64url.encode(random)
    return Link(Secret(token), _hash(token, purpose), now + LIFETIMES[purpose])


def digest_of(token: str, purpose: LinkPurpose) -> bytes:
    """Return under which hash a presented token is stored, if it is; raises InvalidLink for what was never a token.

    Looking a hash up needs no constant time: who does not know the token cannot choose how its hash begins.
    """
    if not _TOKEN.fullmatch(token):
        raise InvalidLink
    return _hash(token, purpose)


def bound(digest: bytes, browser: str) -> bytes:
    """Return under which hash a link is stored that is good in one browser alone, by the random value that it keeps."""
    return hashlib.sha256(digest + browser.encode("utf-8", "surrogatepass")).digest()


def check(*, expires_at: datetime, spent_at: datetime | None, now: datetime) -> None:
    """Refuse a stored link that was used before or is past its time; raises InvalidLink."""
    if spent_at is not None or now >= expires_at:
        raise InvalidLink


def _hash(token: str, purpose: LinkPurpose) -> bytes:
    # The purpose is hashed along, so a token for one thing is unknown for every other.
    return hashlib.sha256(f"crownkeep {purpose.value} {token}".encode()).digest()
