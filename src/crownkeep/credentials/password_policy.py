"""Password policy: what AWS lets a password be, for IAM users with and without a policy and for root, and when it expires."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from crownkeep.credentials.secret import Secret
from crownkeep.translation import gettext_noop

LONGEST = 128
"""Characters of a password at most."""

LONGEST_OF_PERSON = 64
"""Characters that a person of single sign-on may choose at most."""

WARNING = timedelta(days=15)
"""How long before its expiry a password is warned about."""

REUSED = "Password should not be the same as one of the previously used passwords"

_SYMBOLS = frozenset("!@#$%^&*()_+-=[]{}|'")
_PERSON_SYMBOLS = frozenset("~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/")
_ROOT_SYMBOLS = frozenset("!@#$%^&*()<>[]{}|_+-=")


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """An account's own policy, field by field that of UpdateAccountPasswordPolicy; the defaults are what omission means."""

    minimum_password_length: int = 6
    require_symbols: bool = False
    require_numbers: bool = False
    require_uppercase_characters: bool = False
    require_lowercase_characters: bool = False
    allow_users_to_change_password: bool = False
    max_password_age: int = 0
    """Days until a password expires; 0 for never."""
    password_reuse_prevention: int = 0
    """How many passwords, the current one included, may not come again; 0 for none."""
    hard_expiry: bool = False

    @property
    def expire_passwords(self) -> bool:
        """Whether passwords expire at all, the read-only ExpirePasswords of GetAccountPasswordPolicy."""
        return self.max_password_age > 0


@dataclass(frozen=True, slots=True)
class PasswordRule:
    """One rule in words, and so that a page can tell while a password is typed whether it is kept."""

    text: str
    """A message of the catalogue, in which `count` stands for a number."""
    count: int = 0
    least: int = 0
    """Characters that it asks for."""
    kinds: tuple[str, ...] = ()
    """Kinds of characters, such as `upper`, of which `of_kinds` must be there."""
    of_kinds: int = 0

    @property
    def is_told(self) -> bool:
        """Whether the password alone tells if the rule is kept, and no list of earlier ones is needed."""
        return bool(self.least or self.of_kinds)


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """All rules that a page shows beside the field of a new password."""

    rules: tuple[PasswordRule, ...]
    symbols: str
    """What counts as a symbol."""


class PasswordStanding(Enum):
    """Where a password stands with regard to its age."""

    CURRENT = "current"
    EXPIRES_SOON = "expires-soon"
    MUST_CHANGE = "must-change"
    """Expired; the user chooses a new one while signing in."""
    MUST_BE_RESET = "must-be-reset"
    """Expired under HardExpiry; only an administrator can help."""


def rules(policy: PasswordPolicy | None) -> PasswordRules:
    """Return the rules for an IAM user's password, those of AWS where the account has no policy of its own."""
    symbols = "".join(sorted(_SYMBOLS))
    if policy is None:
        return PasswordRules((_at_least(8), PasswordRule(_THREE_OF_FOUR, kinds=tuple(_KINDS), of_kinds=3)), symbols)
    wanted = {
        "upper": policy.require_uppercase_characters,
        "lower": policy.require_lowercase_characters,
        "number": policy.require_numbers,
        "symbol": policy.require_symbols,
    }
    asked = [PasswordRule(_KINDS[kind], kinds=(kind,), of_kinds=1) for kind, is_wanted in wanted.items() if is_wanted]
    kept = policy.password_reuse_prevention
    reused = [PasswordRule(_NOT_THE_LAST if kept > 1 else _NOT_THE_PRESENT, count=kept)] if kept else []
    return PasswordRules((_at_least(policy.minimum_password_length), *asked, *reused), symbols)


def root_rules() -> PasswordRules:
    """Return the rules for a root user's password, which no account's policy changes."""
    least = PasswordRule(_THREE_OF_FOUR, kinds=tuple(_KINDS), of_kinds=3)
    return PasswordRules((_at_least(8), least), "".join(sorted(_ROOT_SYMBOLS)))


def person_rules() -> PasswordRules:
    """Return the rules for the password of a person of single sign-on."""
    all_four = [PasswordRule(text, kinds=(kind,), of_kinds=1) for kind, text in _KINDS.items()]
    return PasswordRules((_at_least(8), *all_four), "".join(sorted(_PERSON_SYMBOLS)))


_KINDS = {
    "upper": gettext_noop("An uppercase letter"),
    "lower": gettext_noop("A lowercase letter"),
    "number": gettext_noop("A number"),
    "symbol": gettext_noop("A symbol"),
}
_THREE_OF_FOUR = gettext_noop("Three of: uppercase letters, lowercase letters, numbers, symbols")
_NOT_THE_LAST = gettext_noop("None of the last %(count)s passwords")
_NOT_THE_PRESENT = gettext_noop("Not the present password")


def _at_least(length: int) -> PasswordRule:
    return PasswordRule(gettext_noop("At least %(count)s characters"), count=length, least=length)


def violations(
    password: Secret,
    policy: PasswordPolicy | None,
    *,
    account_name: str,
    email: str,
    user_name: str = "",
) -> tuple[str, ...]:
    """Name every rule an IAM user's password breaks, in AWS's words; joined by ", " they are AWS's message.

    Without a policy AWS's default holds: 8 characters, three of four classes, neither the account's name nor its
    e-mail address (IAM user guide, "Setting an account password policy"). Reuse is the caller's to check, with
    `passwords.is_remembered` and REUSED.
    """
    if policy is None:
        found = _default_violations(password.reveal(), minimum=8, symbols=_SYMBOLS)
    else:
        found = _policy_violations(password.reveal(), policy)
    return (*found, *_name_violations(password.reveal(), (account_name, email, user_name)))


def root_violations(password: Secret, *, account_name: str, email: str) -> tuple[str, ...]:
    """Name every rule a root user's password breaks: AWS's own for root, which no account policy changes."""
    found = _default_violations(password.reveal(), minimum=8, symbols=_ROOT_SYMBOLS)
    return (*found, *_name_violations(password.reveal(), (account_name, email)))


def person_violations(password: Secret, *, user_name: str, email: str) -> tuple[str, ...]:
    """Name every rule that a password of a person of single sign-on breaks: those of IAM Identity Center's directory.

    8 to 64 characters of all four classes (IAM Identity Center user guide, "Password requirements").
    Reuse is the caller's to check.
    """
    text = password.reveal()
    found = _length_violations(text, 8)
    if len(text) > LONGEST_OF_PERSON:
        found = (f"Password should have a maximum length of {LONGEST_OF_PERSON}",)
    return (*found, *_missing_classes(text, _PERSON_SYMBOLS), *_name_violations(text, (user_name, email)))


def expires_at(policy: PasswordPolicy | None, set_at: datetime) -> datetime | None:
    """Return when a password set at a moment expires under today's policy, or None for never.

    A policy's age takes effect at once on passwords that were set before it.
    """
    if policy is None or not policy.expire_passwords:
        return None
    return set_at + timedelta(days=policy.max_password_age)


def standing(policy: PasswordPolicy | None, set_at: datetime, *, now: datetime) -> PasswordStanding:
    """Tell how a password stands at a moment: current, to be warned about, or expired in one of two ways."""
    end = expires_at(policy, set_at)
    if policy is None or end is None or now < end - WARNING:
        return PasswordStanding.CURRENT
    if now < end:
        return PasswordStanding.EXPIRES_SOON
    return PasswordStanding.MUST_BE_RESET if policy.hard_expiry else PasswordStanding.MUST_CHANGE


def _default_violations(password: str, *, minimum: int, symbols: frozenset[str]) -> tuple[str, ...]:
    missing = _missing_classes(password, symbols)
    found = _length_violations(password, minimum)
    if len(missing) > 1:
        wanted = ", ".join(missing)
        found += (f"Password should meet {len(missing) - 1} more of the following requirements: {wanted}",)
    return found


def _policy_violations(password: str, policy: PasswordPolicy) -> tuple[str, ...]:
    required = {
        _UPPERCASE: policy.require_uppercase_characters,
        _LOWERCASE: policy.require_lowercase_characters,
        _NUMBER: policy.require_numbers,
        _SYMBOL: policy.require_symbols,
    }
    missing = _missing_classes(password, _SYMBOLS)
    return (
        *_length_violations(password, policy.minimum_password_length),
        *(text for text in missing if required[text]),
    )


_UPPERCASE = "Password should have at least one uppercase letter"
_LOWERCASE = "Password should have at least one lowercase letter"
_NUMBER = "Password should have at least one number"
_SYMBOL = "Password should have at least one symbol"


def _missing_classes(password: str, symbols: frozenset[str]) -> tuple[str, ...]:
    # ASCII only, as AWS counts: "A-Z", "a-z", "0-9" and the listed symbols.
    present = {
        _UPPERCASE: any("A" <= character <= "Z" for character in password),
        _LOWERCASE: any("a" <= character <= "z" for character in password),
        _NUMBER: any("0" <= character <= "9" for character in password),
        _SYMBOL: any(character in symbols for character in password),
    }
    return tuple(text for text, is_present in present.items() if not is_present)


def _length_violations(password: str, minimum: int) -> tuple[str, ...]:
    if len(password) < minimum:
        return (f"Password should have a minimum length of {minimum}",)
    if len(password) > LONGEST:
        return (f"Password should have a maximum length of {LONGEST}",)
    return ()


def _name_violations(password: str, names: tuple[str, ...]) -> tuple[str, ...]:
    folded = password.casefold()
    if any(name and folded == name.casefold() for name in names):
        return ("Password should not be the same as the account name, email address or user name",)
    return ()
