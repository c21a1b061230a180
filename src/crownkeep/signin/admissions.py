"""Whether a sealed root may come in: by which approved request, and what is due before any other is good for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from crownkeep import arn
from crownkeep.credentials import approval_requests
from crownkeep.domain.approvals import sealing_accounts
from crownkeep.operations import approvals, sealed_acts
from crownkeep.operations.sealed_acts import SealedAct
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.storage.approvals import seals, sessions
from crownkeep.storage.approvals.seals import SealRow
from crownkeep.storage.database import Transaction
from crownkeep.translation import gettext_noop

REVIEW_DUE = gettext_noop("The last use of the root user has not been reviewed. A custodian signs it off at /approvals.")
PASSWORD_DUE = gettext_noop("The root user's password was not changed after its last use. Change it by a mailed link first.")
MFA_DUE = gettext_noop(
    "The root user still has an MFA device that its last use began with. Remove it in a recovery that custodians approve, "
    "and register a new one when you sign in."
)
COOLING_DOWN = gettext_noop("The root user was used a short while ago. It can be used again from %(until)s UTC.")
UNAPPROVED = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """An approved request that root may sign in by."""

    session_id: str
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Barred:
    """Why root may not sign in now; the text is empty where only an approval is missing."""

    why: str
    """As the catalogue of texts has it: a transaction knows nobody's language."""
    until: datetime | None = None


def of(db: Transaction, person: Principal, *, now: datetime) -> Admission | Barred | None:
    """Return whether somebody may come in; None for everybody who needs no approval."""
    if person.kind is not PrincipalKind.ROOT:
        return None
    seal = seals.of_account(db, person.account_id)
    # A newline separates the names: no act is the beginning of another's entry.
    if seal is None or SealedAct.ROOT_SIGN_IN.value not in seal.acts.split("\n"):
        return None
    # What is due comes before any approval: an approved request waits until it is done.
    due = _due(db, seal, now)
    if due is not None:
        return due
    root = arn.root(person.account_id)
    for row in sessions.usable_of_acted(db, person.account_id, now=now):
        if row.action != sealed_acts.SIGN_IN:
            continue
        # The very document that was signed is read, and not the columns beside it.
        request = approval_requests.read(row.document.encode())
        if request.principal == root and approvals.stands(db, row, request, now=now):
            # The team approved so many minutes; a seal that was tightened since holds, too.
            return Admission(row.session_id, timedelta(minutes=min(request.minutes, seal.session_minutes)))
    return Barred(UNAPPROVED)


def use(db: Transaction, person: Principal, admission: Admission, *, now: datetime) -> bool:
    """Use a request up for one session of root's; returns False where another sign-in was quicker."""
    # The database decides: the row changes for one transaction alone.
    if not approvals.use_up(db, admission.session_id, now=now):
        return False
    # Written with the session: whatever happens to the browser, the review is due.
    values = {"last_session_id": admission.session_id, "last_used_at": now, "session_ends_at": now + admission.lasts}
    seals.change(db, person.account_id, **values, review_is_due=True)
    return True


def may_recover_password(db: Transaction, person: Principal, *, now: datetime) -> bool:
    """Tell whether whoever has the mailed link may choose root's password: where that is sealed, by an approved request alone.

    The request is used up by it.
    """
    if not approvals.is_sealed(db, person.account_id, SealedAct.ROOT_RECOVERY):
        return True
    root = arn.root(person.account_id)
    for row in sessions.usable_of_acted(db, person.account_id, now=now):
        if row.action != sealed_acts.PASSWORD_RECOVERY:
            continue
        request = approval_requests.read(row.document.encode())
        if request.principal == root and approvals.stands(db, row, request, now=now):
            # Not wanted twice: a second use of the same link finds nothing approved.
            return approvals.use_up(db, row.session_id, now=now)
    return False


def _due(db: Transaction, seal: SealRow, now: datetime) -> Barred | None:
    if seal.session_ends_at is not None:
        until = seal.session_ends_at + timedelta(minutes=seal.cooldown_minutes)
        if seal.cooldown_minutes and now < until:
            return Barred(COOLING_DOWN, until)
    if seal.review_is_due:
        return Barred(REVIEW_DUE)
    if sealing_accounts.mfa_is_due(db, seal):
        return Barred(MFA_DUE)
    return Barred(PASSWORD_DUE) if sealing_accounts.password_is_due(db, seal) else None
