"""Root's e-mail address, changed by root itself: a code goes to the new one, and the old one hears of the change.

AWS has these operations for members of an organization only; root's own change, which its console makes, is recorded as
EmailUpdated. Both ask for the permissions that AWS's operations ask for.
"""

from __future__ import annotations

from dataclasses import replace

from crownkeep import errors
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Target, sign_in_event
from crownkeep.services.account_security import root_user
from crownkeep.services.account_security.service import account_security
from crownkeep.signin import email_change
from crownkeep.signin.email_change import Refusal
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.sign_in import email_changes


def new_address(call: Call, *, email: str, **_: object) -> Target:
    """The account, and the domain that its root user's mail is to go to."""
    return replace(root_user.own_account(call), context={"account:EmailTargetDomain": email.strip().rpartition("@")[2].lower()})


def awaited_address(call: Call, **_: object) -> Target:
    """The account, and the domain of the address that its code went to."""
    return new_address(call, email=email_change.waiting(call.db, call.account_id, now=call.now) or "")


@account_security.operation(
    "StartRootEmailUpdate",
    resource=new_address,
    action="account:StartPrimaryEmailUpdate",
    recorded_as=sign_in_event("EmailUpdateRequested"),
    effect=Effect.STATE,
)
def start_root_email_update(call: Call, *, email: str) -> Result:
    """Send a code to a new address; the codes that were sent before are void."""
    row, email = _account(call), email.strip()
    refusal = email_change.unusable(call.db, row, email)
    if refusal is not None:
        raise _refused(refusal)
    if email_change.is_too_often(call.db, call.wiring, row, email, call.now):
        raise errors.TooManyRequests(email_change.TOO_OFTEN)
    email_change.begin(call.db, call.wiring, row, email, now=call.now)
    return {"Status": "PENDING"}


@account_security.operation(
    "AcceptRootEmailUpdate",
    resource=awaited_address,
    action="account:AcceptPrimaryEmailUpdate",
    recorded_as=sign_in_event("EmailUpdated"),
)
def accept_root_email_update(call: Call, *, otp: str) -> Result:
    """Change the address by the code that went to it; root's password and devices stay."""
    row = _account(call)
    outcome = email_change.finish(call.db, call.wiring, row, otp.strip(), address=call.origin.source_ip, now=call.now)
    if isinstance(outcome, Refusal):
        if outcome is Refusal.WRONG_CODE:
            # A refused call changes nothing, but a wrong code counts.
            call.notes.lasting.append(lambda db: email_changes.count_attempt(db, row.account_id))
        raise _refused(outcome)
    return {"Status": "ACCEPTED", "Email": outcome.email}


def _account(call: Call) -> AccountRow:
    if root_user.is_itself(call) and not call.principal.has_mfa:
        raise errors.AccessDenied(email_change.NO_MFA)
    return root_user.required(call, otherwise=email_change.NOT_ROOT)


def _refused(refusal: Refusal) -> errors.AwsError:
    match refusal:
        case Refusal.SAME | Refusal.TAKEN:
            return errors.Conflict(refusal.value)
        case Refusal.NO_CODE:
            return errors.ResourceNotFound(refusal.value)
        case _:
            return errors.ValidationError(refusal.value)
