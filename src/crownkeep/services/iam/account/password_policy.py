"""The account's password policy: what the passwords of its IAM users must be, replaced as a whole by every update."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.credentials.password_policy import PasswordPolicy
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.services.iam.service import iam
from crownkeep.storage.credentials import password_policies


@iam.operation("GetAccountPasswordPolicy", resource=registry.everything)
def get_account_password_policy(call: Call) -> Result:
    """Return the account's own password policy; without one AWS's default rules hold, and nothing is found."""
    policy = password_policies.of_account(call.db, call.account_id)
    if policy is None:
        raise errors.NoSuchEntity(f"The Password Policy with domain name {call.account_id} cannot be found.")
    return {"PasswordPolicy": _describe(policy)}


@iam.operation("UpdateAccountPasswordPolicy", resource=registry.everything)
def update_account_password_policy(
    call: Call,
    *,
    minimum_password_length: int | None = None,
    require_symbols: bool = False,
    require_numbers: bool = False,
    require_uppercase_characters: bool = False,
    require_lowercase_characters: bool = False,
    allow_users_to_change_password: bool = False,
    max_password_age: int | None = None,
    password_reuse_prevention: int | None = None,
    hard_expiry: bool = False,
) -> Result:
    """Replace the account's password policy; what is left out gets its default, not its present value."""
    defaults = PasswordPolicy()
    policy = PasswordPolicy(
        minimum_password_length=minimum_password_length or defaults.minimum_password_length,
        require_symbols=require_symbols,
        require_numbers=require_numbers,
        require_uppercase_characters=require_uppercase_characters,
        require_lowercase_characters=require_lowercase_characters,
        allow_users_to_change_password=allow_users_to_change_password,
        max_password_age=max_password_age or 0,
        password_reuse_prevention=password_reuse_prevention or 0,
        hard_expiry=hard_expiry,
    )
    password_policies.put(call.db, call.account_id, policy)
    return NOTHING


@iam.operation("DeleteAccountPasswordPolicy", resource=registry.everything)
def delete_account_password_policy(call: Call) -> Result:
    """Go back to AWS's default rules."""
    if not password_policies.remove(call.db, call.account_id):
        raise errors.NoSuchEntity("The account policy with name PasswordPolicy cannot be found.")
    return NOTHING


def _describe(policy: PasswordPolicy) -> dict[str, object]:
    described: dict[str, object] = {
        "MinimumPasswordLength": policy.minimum_password_length,
        "RequireSymbols": policy.require_symbols,
        "RequireNumbers": policy.require_numbers,
        "RequireUppercaseCharacters": policy.require_uppercase_characters,
        "RequireLowercaseCharacters": policy.require_lowercase_characters,
        "AllowUsersToChangePassword": policy.allow_users_to_change_password,
        "ExpirePasswords": policy.expire_passwords,
    }
    if policy.expire_passwords:
        described["MaxPasswordAge"] = policy.max_password_age
    if policy.password_reuse_prevention:
        described["PasswordReusePrevention"] = policy.password_reuse_prevention
    if policy.expire_passwords or policy.hard_expiry:
        described["HardExpiry"] = policy.hard_expiry
    return described
