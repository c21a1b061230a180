"""AssumeRoot: an organization's management account takes on a member's root user, for one task and for fifteen minutes at most.

The session is the member's root, and what the task policy doesn't leave to it, it can't do: that policy only denies, for root's
own power is what it limits. The member's organization policies bind it like any root (IAM user guide, "Perform a privileged task
on an AWS Organizations member account").

AWS answers this on its Regions' endpoints alone. One address stands for all of them here, and every request names a Region in its
signature, so that nothing is refused; but one that was sent to the global host's name hears what AWS would say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from crownkeep import arn, errors, ids
from crownkeep.domain.credentials import issue
from crownkeep.operations import central_root
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Mode, Target
from crownkeep.operations.standing import ACTIVE
from crownkeep.principals import APPROVED_BY, Principal, PrincipalKind, Session
from crownkeep.services.sts import endpoints
from crownkeep.services.sts.service import sts
from crownkeep.storage.accounts import accounts

LONGEST_SECONDS = 900


def member_root(call: Call, *, target_principal: str, task_policy_arn: Mapping[str, str], **_: object) -> Target:
    """The root user to be taken on, and for which task; refused to root users, whatever policies say."""
    endpoints.refuse_global(call, "AssumeRoot")
    account_id = _account_id(target_principal)
    if call.principal.kind is PrincipalKind.ROOT:
        raise _refusal(call, account_id)
    task = task_policy_arn.get("arn", "")
    return Target(arn.root(account_id), context={"sts:TaskPolicyArn": task}, account_id=account_id)


@sts.operation("AssumeRoot", resource=member_root, mode=Mode.WRITE, effect=Effect.STATE)
def assume_root(
    call: Call,
    *,
    target_principal: str,
    task_policy_arn: Mapping[str, str],
    duration_seconds: int | None = None,
    minimum_session_token_size: int | None = None,
) -> Result:
    """Issue credentials of a member's root user that are good for one task (API_AssumeRoot)."""
    account_id, task = _account_id(target_principal), task_policy_arn.get("arn", "")
    if task not in central_root.TASKS:
        raise errors.ValidationError(f"Invalid task policy ARN: {task}")
    _require_administered(call, account_id, task)
    given = call.principal.session
    source_identity = given.source_identity if given is not None else ""
    session = Session(
        issued_at=call.now,
        expires_at=call.now + timedelta(seconds=LONGEST_SECONDS if duration_seconds is None else duration_seconds),
        source_identity=source_identity,
        assumed_root=True,
        task_policy_arn=task,
        taken_on_by=call.principal,
        # A write, since an approval may be used up by it.
        context={APPROVED_BY: call.notes.approval_id} if call.notes.approval_id else {},
    )
    if given is not None:
        # Lent permissions end with what was lent, and are recorded as the provider's doing; a console's end with the console.
        session = given.derive(session)
    holder = Principal(PrincipalKind.ROOT, account_id, account_id, session=session)
    issued = issue.credentials(call, holder, session, minimum_token_size=minimum_session_token_size or 0)
    call.notes.assumed_root = True
    answered = {"Credentials": issued, **issue.token_members(issued)}
    if source_identity:
        answered["SourceIdentity"] = source_identity
    return answered


def _require_administered(call: Call, account_id: str, task: str) -> None:
    """Raise AccessDenied unless the caller's organization has this account as a member, and lets its root be taken on for this.

    All refusals are alike: whoever may not administer an organization doesn't learn from them what is in it.
    """
    account = accounts.with_id(call.db, account_id)
    is_open = account is not None and account.state == ACTIVE
    if not is_open or not central_root.may_take_on(call.db, call.account_id, account_id, task):
        raise _refusal(call, account_id)


def _account_id(target_principal: str) -> str:
    """Read the account's id, or the ARN of its root user; raises ValidationError for anything else."""
    parts = arn.parse(target_principal)
    account_id = target_principal if parts is None else parts.account_id
    if not ids.is_account_id(account_id) or target_principal not in (account_id, arn.root(account_id)):
        raise errors.ValidationError(f"{target_principal} is invalid")
    return account_id


def _refusal(call: Call, account_id: str) -> errors.AccessDenied:
    root = arn.root(account_id)
    return errors.AccessDenied(f"User: {call.principal.arn} is not authorized to perform: sts:AssumeRoot on resource: {root}")
