"""New passwords of IAM users: held to the account's policy, hashed once, and compared with the ones before.

Hashing is slow on purpose and is done before the transaction (`propose`). What was decided then is looked at again inside it
(`confirm`), because the policy or the password may have changed in between; that costs nothing unless they have.
"""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep import clock, errors
from crownkeep.credentials import password_policy, passwords
from crownkeep.credentials.password_policy import PasswordPolicy
from crownkeep.credentials.passwords import Cost
from crownkeep.credentials.secret import Secret
from crownkeep.operations.call import Call
from crownkeep.storage.accounts import accounts
from crownkeep.storage.credentials import password_policies
from crownkeep.storage.credentials.login_profiles import LoginProfileRow
from crownkeep.storage.identities.users import UserRow


@dataclass(frozen=True, slots=True)
class Proposal:
    """A password that may be set: its hash, and what it was compared with."""

    password: Secret
    password_hash: str
    user_id: str
    present_hash: str | None
    """The user's password at that time, None where there was none."""
    compared: frozenset[str]
    """Hashes of earlier passwords that this one is known to differ from."""


def propose(call: Call, user: UserRow, profile: LoginProfileRow | None, password: str) -> Proposal:
    """Hash a new password for a user; raises PasswordPolicyViolation for one that the account's policy refuses.

    A user's passwords share one salt, so that a single computation tells whether the new one was used before.
    """
    secret = Secret(password)
    policy = _conforming(call, user, secret)
    salt = clock.token_bytes(passwords.SALT_SIZE) if profile is None else passwords.salt_of(profile.password_hash)
    hashed = passwords.hash_password(secret, salt=salt, cost=cost(call))
    compared = frozenset(_remembered(policy, profile))
    if passwords.is_remembered(secret, hashed, compared):
        raise errors.PasswordPolicyViolation(password_policy.REUSED)
    return Proposal(secret, hashed, user.user_id, profile.password_hash if profile else None, compared)


def confirm(call: Call, user: UserRow, profile: LoginProfileRow | None, proposal: Proposal) -> str:
    """Return the hash to keep; raises PasswordPolicyViolation where the policy or the past has come to refuse the password."""
    policy = _conforming(call, user, proposal.password)
    # Only what came in between is compared: a hash with another salt costs a computation of Argon2.
    new = [known for known in _remembered(policy, profile) if known not in proposal.compared]
    if passwords.is_remembered(proposal.password, proposal.password_hash, new):
        raise errors.PasswordPolicyViolation(password_policy.REUSED)
    return proposal.password_hash


def cost(call: Call) -> Cost:
    """Return what one Argon2id computation takes, by the settings."""
    settings = call.settings
    return Cost(settings.argon2_memory_kib, settings.argon2_iterations, settings.argon2_lanes)


def _conforming(call: Call, user: UserRow, password: Secret) -> PasswordPolicy | None:
    policy = password_policies.of_account(call.db, call.account_id)
    account = accounts.with_id(call.db, call.account_id)
    broken = password_policy.violations(
        password,
        policy,
        account_name=account.name if account else "",
        email=account.email if account else "",
        user_name=user.name,
    )
    if broken:
        raise errors.PasswordPolicyViolation(", ".join(broken))
    return policy


def _remembered(policy: PasswordPolicy | None, profile: LoginProfileRow | None) -> tuple[str, ...]:
    if policy is None or profile is None:
        return ()
    return profile.history[: policy.password_reuse_prevention]
