"""Login profiles: the passwords with which IAM users sign in to the console, set by administrators and by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from crownkeep import clock, errors
from crownkeep.credentials import passwords as hashing
from crownkeep.credentials.secret import Secret
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.principals import PrincipalKind
from crownkeep.services.iam.credentials import passwords, root_login_profile
from crownkeep.services.iam.credentials.passwords import Proposal
from crownkeep.services.iam.identities import owners, sign_in_durations, users
from crownkeep.services.iam.service import iam
from crownkeep.signin import presence, throttle
from crownkeep.signin.throttle import Counter
from crownkeep.storage.credentials import login_profiles
from crownkeep.storage.credentials.login_profiles import LoginProfileRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities.users import UserRow

_TOO_MANY = "Rate exceeded: too many wrong passwords. Try again later."


def caller_itself(call: Call, **_: object) -> Target:
    """The user that calls, or whoever else does."""
    caller = call.principal
    return users.named_user(call, user_name=caller.name) if caller.kind is PrincipalKind.USER else Target(caller.arn)


def prepare_creation(call: Call, *, user_name: str | None = None, password: str | None = None, **_: object) -> Proposal | None:
    """Hash the first password of a user; root is given none."""
    if root_login_profile.is_meant(call, user_name):
        return None
    user = _user(call, user_name)
    if password is None:
        raise errors.ValidationError(
            "1 validation error detected: Value null at 'password' failed to satisfy constraint: Member must not be null"
        )
    # Looked at here and again in the transaction. A call that will be refused must not cost a computation of Argon2.
    if login_profiles.of_user(call.db, call.account_id, user.user_id) is not None:
        raise _exists(user)
    return passwords.propose(call, user, None, password)


@iam.operation("CreateLoginProfile", resource=owners.target, effect=Effect.STATE, prepare=prepare_creation)
def create_login_profile(
    call: Call,
    *,
    user_name: str | None = None,
    password: str | None = None,
    password_reset_required: bool = False,
    max_signin_session_duration: int | None = None,
) -> Result:
    """Give a user a password or, in a session of AssumeRoot, let root choose one by mail."""
    if root_login_profile.is_meant(call, user_name):
        if password_reset_required:
            raise errors.ValidationError("PasswordResetRequired must not be specified for the login profile of the root user.")
        if max_signin_session_duration is not None:
            raise errors.InvalidInput("MaxSigninSessionDuration is not supported for the root user.")
        return root_login_profile.create(call, password=password)
    user = _user(call, user_name)
    if login_profiles.of_user(call.db, call.account_id, user.user_id) is not None:
        raise _exists(user)
    password_hash = passwords.confirm(call, user, None, _proposal(call, user))
    row = LoginProfileRow(
        user_id=user.user_id,
        account_id=call.account_id,
        password_hash=password_hash,
        history=(password_hash,),
        created_at=call.now,
        changed_at=call.now,
        reset_required=password_reset_required,
        max_sign_in_seconds=max_signin_session_duration,
        # Drawn anew for each profile: sessions and links of a password that was deleted must not fit the next one. One bit less
        # than four bytes, as PostgreSQL's INTEGER has a sign.
        credential_version=int.from_bytes(clock.token_bytes(4), "big") >> 1,
    )
    login_profiles.add(call.db, row)
    _note(call, user)
    return {"LoginProfile": _describe(user, row)}


@iam.operation("GetLoginProfile", resource=owners.target)
def get_login_profile(call: Call, *, user_name: str | None = None) -> Result:
    """Return when a user first got a password and whether it must be changed; the password itself is known to nobody."""
    if root_login_profile.is_meant(call, user_name):
        return root_login_profile.get(call)
    user = _user(call, user_name)
    return {"LoginProfile": _describe(user, _required(call, user))}


def prepare_update(call: Call, *, user_name: str, password: str | None = None, **_: object) -> Proposal | None:
    """Hash a user's new password, where the call has one."""
    user = _user(call, user_name)
    profile = _required(call, user)
    return None if password is None else passwords.propose(call, user, profile, password)


@iam.operation("UpdateLoginProfile", resource=owners.target, effect=Effect.STATE, prepare=prepare_update)
def update_login_profile(
    call: Call,
    *,
    user_name: str,
    password: str | None = None,
    password_reset_required: bool | None = None,
    max_signin_session_duration: int | None = None,
    reset_max_signin_session_duration: bool = False,
) -> Result:
    """Set a user's password anew, whether it must be changed at the next sign-in, or how long console sessions last."""
    sign_in_durations.refuse_both(max_signin_session_duration, is_reset=reset_max_signin_session_duration)
    user = _user(call, user_name)
    profile = _required(call, user)
    if password is not None:
        password_hash = passwords.confirm(call, user, profile, _proposal(call, user))
        login_profiles.set_password(call.db, profile, password_hash, at=call.now)
    if password_reset_required is not None:
        change = login_profiles.require_reset if password_reset_required else login_profiles.require_no_reset
        change(call.db, call.account_id, user.user_id)
    if max_signin_session_duration is not None or reset_max_signin_session_duration:
        login_profiles.set_longest_sign_in(call.db, call.account_id, user.user_id, seconds=max_signin_session_duration)
    _note(call, user)
    return NOTHING


@iam.operation("DeleteLoginProfile", resource=owners.target, effect=Effect.STATE)
def delete_login_profile(call: Call, *, user_name: str | None = None) -> Result:
    """Take a user's password away or, in a session of AssumeRoot, root's; access keys stay."""
    if root_login_profile.is_meant(call, user_name):
        return root_login_profile.delete(call)
    user = _user(call, user_name)
    if not login_profiles.remove(call.db, call.account_id, user.user_id):
        raise _missing(user)
    _note(call, user)
    return NOTHING


@dataclass(frozen=True, slots=True)
class _Change:
    """What was computed for a change: whether the old password is right, which one that was, and the new one or why not."""

    is_right: bool
    version: int
    proposal: Proposal | errors.PasswordPolicyViolation


def prepare_change(call: Call, *, old_password: str, new_password: str) -> _Change:
    """Verify the user's present password and hash the new one: both in any case, so that the time doesn't tell which is wrong."""
    user = _calling_user(call)
    profile = _required(call, user)
    if throttle.waiting(call.db, presence.counters_of(call.wiring, call.principal, call.origin), now=call.now):
        raise errors.Throttling(_TOO_MANY)
    is_right = hashing.verify(Secret(old_password), profile.password_hash)
    try:
        return _Change(is_right, profile.credential_version, passwords.propose(call, user, profile, new_password))
    except errors.PasswordPolicyViolation as refusal:
        return _Change(is_right, profile.credential_version, refusal)


@iam.operation("ChangePassword", resource=caller_itself, effect=Effect.STATE, prepare=prepare_change)
def change_password(call: Call, *, old_password: str, new_password: str) -> Result:
    """Let a user choose a new password for itself; wrong old ones are counted as those of sign-in are, and make it wait."""
    user = _calling_user(call)
    profile = _required(call, user)
    used = presence.counters_of(call.wiring, call.principal, call.origin)
    change = call.prepared
    # 1. Refuse unseen while the user must wait. The account is held since before this, so that many at once gain nothing.
    if throttle.reserve(call.db, used, now=call.now) is not None:
        raise errors.Throttling(_TOO_MANY)
    # 2. A wrong password counts although the call is refused.
    if not isinstance(change, _Change) or not change.is_right:
        call.notes.lasting.append(partial(_count, used, call.now))
        raise errors.AccessDenied("The old password was incorrect.")
    # 3. With the right one, whatever is wrong with the new one takes the attempt back. The version tells whether the password
    #    that was verified is still the present one: it was read before the account was held.
    if change.version != profile.credential_version:
        raise errors.EntityTemporarilyUnmodifiable(f"Login Profile for User {user.name} cannot be modified while it changes.")
    if isinstance(change.proposal, errors.PasswordPolicyViolation):
        raise change.proposal
    if change.proposal.user_id != user.user_id:
        raise _changing(user)
    throttle.release(call.db, used)
    login_profiles.set_password(call.db, profile, passwords.confirm(call, user, profile, change.proposal), at=call.now)
    login_profiles.require_no_reset(call.db, call.account_id, user.user_id)
    _note(call, user)
    return NOTHING


def _count(used: Sequence[Counter], now: datetime, db: Transaction) -> None:
    throttle.reserve(db, used, now=now)


def _user(call: Call, user_name: str | None) -> UserRow:
    owner = owners.targeted(call, user_name)
    if owner.user is None:
        # Root's password is no login profile, except in sessions of AssumeRoot.
        raise users.must_be_named()
    return owner.user


def _calling_user(call: Call) -> UserRow:
    caller = call.principal
    if caller.kind is not PrincipalKind.USER:
        raise errors.InvalidUserType("Only IAM Users can change their own password")
    return users.targeted(call, caller.name)


def _proposal(call: Call, user: UserRow) -> Proposal:
    proposal = call.prepared
    if not isinstance(proposal, Proposal) or proposal.user_id != user.user_id:
        # Another user has taken the name since the password was hashed.
        raise _changing(user)
    return proposal


def _required(call: Call, user: UserRow) -> LoginProfileRow:
    profile = login_profiles.of_user(call.db, call.account_id, user.user_id)
    if profile is None:
        raise _missing(user)
    return profile


def _describe(user: UserRow, row: LoginProfileRow) -> dict[str, object]:
    return {
        "UserName": user.name,
        "CreateDate": row.created_at,
        "PasswordResetRequired": row.reset_required,
        **sign_in_durations.members(row.max_sign_in_seconds),
    }


def _changing(user: UserRow) -> errors.EntityTemporarilyUnmodifiable:
    return errors.EntityTemporarilyUnmodifiable(f"The user with name {user.name} cannot be modified while it changes.")


def _missing(user: UserRow) -> errors.NoSuchEntity:
    return errors.NoSuchEntity(f"Login Profile for User {user.name} cannot be found.")


def _exists(user: UserRow) -> errors.EntityAlreadyExists:
    return errors.EntityAlreadyExists(f"Login Profile for user {user.name} already exists.")


def _note(call: Call, user: UserRow) -> None:
    call.notes.resources.append((users.RESOURCE_TYPE, user.name))
