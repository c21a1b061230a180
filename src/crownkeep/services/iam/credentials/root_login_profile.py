"""The login profile of a member's root user, in a session of AssumeRoot: whether root has a password, or may choose one.

Nobody gives root a password here: to create the profile is to let whoever reads root's mail choose one (IAM user guide, "Perform
a privileged task on an AWS Organizations member account").
"""

from __future__ import annotations

from datetime import datetime

from crownkeep import errors
from crownkeep.operations import central_root
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.principals import PrincipalKind
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow


def is_meant(call: Call, user_name: str | None) -> bool:
    """Tell whether a call without a user's name is about the root user that an AssumeRoot session has taken on."""
    caller = call.principal
    is_central = caller.kind is PrincipalKind.ROOT and caller.session is not None and caller.session.assumed_root
    return is_central and user_name is None


def create(call: Call, *, password: str | None) -> Result:
    """Let root's password be recovered; raises EntityAlreadyExists where it may be, or there is one."""
    if password is not None:
        raise errors.ValidationError("Password must not be specified for the login profile of the root user.")
    account = _account(call)
    if central_root.password_since(call.db, account) is not None:
        raise errors.EntityAlreadyExists("Login Profile for the root user already exists.")
    central_root.allow_recovery(call.db, call.account_id, at=call.now)
    return _describe(call.now)


def get(call: Call) -> Result:
    """Return since when root has a password, or may choose one; raises NoSuchEntity."""
    return _describe(_required(call, _account(call)))


def delete(call: Call) -> Result:
    """Take root's password away, or the permission to choose one; raises NoSuchEntity where there is neither."""
    account = _account(call)
    _required(call, account)
    central_root.remove_password(call.db, account)
    return NOTHING


def _account(call: Call) -> AccountRow:
    account = accounts.with_id(call.db, call.account_id)
    if account is None:
        raise _missing()
    return account


def _required(call: Call, account: AccountRow) -> datetime:
    since = central_root.password_since(call.db, account)
    if since is None:
        raise _missing()
    return since


def _describe(since: datetime) -> Result:
    # AWS leaves the name out, although its model requires it (seen in its answers).
    return {"LoginProfile": {"CreateDate": since, "PasswordResetRequired": False}}


def _missing() -> errors.NoSuchEntity:
    return errors.NoSuchEntity("Login Profile for the root user cannot be found.")
