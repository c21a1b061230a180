"""Rules of sign-in for the people of an identity store: second factors, the length of sessions, the age of passwords."""

from __future__ import annotations

from dataclasses import replace

from crownkeep import errors
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.sso_directory import targets
from crownkeep.services.sso_directory.service import sso_directory
from crownkeep.storage.accounts import accounts
from crownkeep.storage.single_sign_on import person_sign_in_rules
from crownkeep.storage.single_sign_on.person_sign_in_rules import MfaMode, SignInRulesRow, WithoutDevice


@sso_directory.operation("GetSignInRules", resource=targets.store, action="sso:GetMfaDeviceManagementForDirectory")
def get_sign_in_rules(call: Call, *, identity_store_id: str) -> Result:
    """Return the rules; the defaults are those of a new instance of IAM Identity Center."""
    instance = targets.required_store(call)
    return _describe(person_sign_in_rules.of_store(call.db, instance.account_id, instance.identity_store_id))


@sso_directory.operation(
    "PutSignInRules", resource=targets.store, action="sso:PutMfaDeviceManagementForDirectory", effect=Effect.STATE
)
def put_sign_in_rules(
    call: Call,
    *,
    identity_store_id: str,
    mfa_mode: str | None = None,
    without_device: str | None = None,
    session_duration_seconds: int | None = None,
    max_password_age_days: int | None = None,
) -> Result:
    """Change rules; the others stay. They hold for the next sign-in, and an old password is changed at it."""
    instance = targets.required_store(call)
    if call.account_id != instance.account_id:
        # The people of the management account sign in by them, too.
        raise errors.AccessDenied("A delegated administrator can't change how people of the management account sign in.")
    accounts.hold(call.db, instance.account_id)
    rules = person_sign_in_rules.of_store(call.db, instance.account_id, instance.identity_store_id)
    if mfa_mode is not None:
        rules = replace(rules, mfa_mode=MfaMode(mfa_mode))
    if without_device is not None:
        rules = replace(rules, without_device=WithoutDevice(without_device))
    if session_duration_seconds is not None:
        rules = replace(rules, session_seconds=session_duration_seconds)
    if max_password_age_days is not None:
        rules = replace(rules, max_password_age_days=max_password_age_days)
    person_sign_in_rules.put(call.db, rules)
    return _describe(rules)


def _describe(rules: SignInRulesRow) -> dict[str, object]:
    return {
        "MfaMode": rules.mfa_mode.value,
        "WithoutDevice": rules.without_device.value,
        "SessionDurationSeconds": rules.session_seconds,
        "MaxPasswordAgeDays": rules.max_password_age_days,
    }
