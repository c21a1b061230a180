"""The address of a member's root user, changed by the organization: a code goes to the new one, and the old one hears of it.

The root user of an account changes its own by signing in; these operations are for members, and for those who act for the
organization (Account Management guide, "Update the root user email").
"""

from __future__ import annotations

from crownkeep import errors
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.account import refusals, subject
from crownkeep.services.account.service import account
from crownkeep.signin import email_change
from crownkeep.signin.email_change import Refusal
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.sign_in import email_changes


def new_address(call: Call, *, account_id: str, primary_email: str, **_: object) -> Target:
    """The member, and the domain that its root user's mail is to go to."""
    domain = primary_email.rpartition("@")[2]
    return subject.target(call, account_id, {"account:EmailTargetDomain": domain.lower()})


@account.operation("GetPrimaryEmail", resource=subject.own_account)
def get_primary_email(call: Call, *, account_id: str) -> Result:
    """Return the address of a member's root user."""
    owner = subject.account_of(call, account_id, operation="GetPrimaryEmail")
    return {"PrimaryEmail": _required(call, owner).email}


@account.operation("StartPrimaryEmailUpdate", resource=new_address, effect=Effect.STATE)
def start_primary_email_update(call: Call, *, account_id: str, primary_email: str) -> Result:
    """Send a code to a new address; whoever reads it there confirms the change within a day."""
    owner = subject.account_of(call, account_id, operation="StartPrimaryEmailUpdate")
    # The member is held, and not only the caller's own account: its root user may change the address at the same time.
    accounts.hold(call.db, owner)
    row = _required(call, owner)
    refusal = email_change.unusable(call.db, row, primary_email)
    if refusal is not None:
        raise _refused(refusal)
    if email_change.is_too_often(call.db, call.wiring, row, primary_email, call.now):
        raise errors.TooManyRequests(email_change.TOO_OFTEN)
    email_change.begin(call.db, call.wiring, row, primary_email, now=call.now)
    return {"Status": "PENDING"}


@account.operation("AcceptPrimaryEmailUpdate", resource=new_address, effect=Effect.STATE, holds="AccountId")
def accept_primary_email_update(call: Call, *, account_id: str, primary_email: str, otp: str) -> Result:
    """Change the address by the code that went to it; root's password and devices stay."""
    owner = subject.account_of(call, account_id, operation="AcceptPrimaryEmailUpdate")
    row = _required(call, owner)
    # The call names the address once more: a code must not confirm another one than its caller means.
    if email_change.waiting(call.db, owner, now=call.now) != primary_email:
        raise _refused(Refusal.NO_CODE)
    outcome = email_change.finish(call.db, call.wiring, row, otp, address=call.origin.source_ip, now=call.now)
    if isinstance(outcome, Refusal):
        if outcome is Refusal.WRONG_CODE:
            # A refused call changes nothing, but a wrong code counts.
            call.notes.lasting.append(lambda db: email_changes.count_attempt(db, owner))
        raise _refused(outcome)
    return {"Status": "ACCEPTED"}


def _required(call: Call, account_id: str) -> AccountRow:
    row = accounts.with_id(call.db, account_id)
    if row is None:
        raise errors.ResourceNotFound("No account with this id.")
    return row


def _refused(refusal: Refusal) -> errors.AwsError:
    match refusal:
        case Refusal.SAME | Refusal.TAKEN:
            return errors.Conflict(refusal.value)
        case Refusal.NO_CODE:
            return errors.ResourceNotFound(refusal.value)
        case Refusal.WRONG_CODE:
            return refusals.field("otp", refusal.value)
        case _:
            return refusals.field("primaryEmail", refusal.value)
