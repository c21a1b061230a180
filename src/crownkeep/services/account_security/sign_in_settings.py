"""Sign-in settings: whether a second factor is demanded of every user of an account, or of one user."""

from __future__ import annotations

from dataclasses import replace

from crownkeep import arn, errors
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Target
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.credentials import login_profiles
from crownkeep.storage.credentials.login_profiles import LoginProfileRow
from crownkeep.storage.identities import tags, users
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.sign_in import sign_in_settings


def user(call: Call, *, user_name: str, **_: object) -> Target:
    """The user whose settings are meant; one that isn't there is named as it was asked for."""
    row = users.named(call.db, call.account_id, user_name)
    if row is None:
        return Target(arn.user(call.account_id, "/", user_name), row=None)
    return Target(
        arn.user(call.account_id, row.path, row.name),
        tags=lambda: tags.of_resource(call.db, call.account_id, row.user_id),
        row=row,
    )


@account_security.operation("GetSignInSettings", resource=registry.everything)
def get_sign_in_settings(call: Call) -> Result:
    """Return whether every user needs a second factor."""
    return {"UsersNeedMfa": sign_in_settings.of_account(call.db, call.account_id).users_need_mfa}


@account_security.operation("UpdateSignInSettings", resource=registry.everything)
def update_sign_in_settings(call: Call, *, users_need_mfa: bool) -> Result:
    """Demand a second factor of every user, enrolled at the next sign-in where there is none, or stop demanding it."""
    settings = sign_in_settings.of_account(call.db, call.account_id)
    sign_in_settings.put(call.db, replace(settings, users_need_mfa=users_need_mfa))
    return {"UsersNeedMfa": users_need_mfa}


@account_security.operation("GetUserSignInSettings", resource=user)
def get_user_sign_in_settings(call: Call, *, user_name: str) -> Result:
    """Return whether a user needs a second factor; raises ResourceNotFound for one without a password."""
    return {"NeedsMfa": _profile(call, user_name)[1].needs_mfa}


@account_security.operation("UpdateUserSignInSettings", resource=user)
def update_user_sign_in_settings(call: Call, *, user_name: str, needs_mfa: bool) -> Result:
    """Demand a second factor of one user, or stop demanding it; raises ResourceNotFound for one without a password."""
    row, _ = _profile(call, user_name)
    write = login_profiles.require_mfa if needs_mfa else login_profiles.require_no_mfa
    write(call.db, call.account_id, row.user_id)
    call.notes.resources.append(("AWS::IAM::User", arn.user(call.account_id, row.path, row.name)))
    return {"NeedsMfa": needs_mfa}


def _profile(call: Call, user_name: str) -> tuple[UserRow, LoginProfileRow]:
    row = call.target_row(UserRow)
    profile = login_profiles.of_user(call.db, call.account_id, row.user_id) if row is not None else None
    if row is None or profile is None:
        raise errors.ResourceNotFound(f"Login Profile for User {user_name} cannot be found.")
    return row, profile
