"""The sign-in flow as a state machine: what is asked next depends on what was proved and what is demanded, and on nothing else.

    identify -> password -> factor -> enrol -> change the password -> done
                                                                   \\-> refused (an administrator must help)

`advance` is the only transition. docs/sign-in.md has the diagram.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Method(Enum):
    """The kinds of second factor."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery-code"


class Enrolment(Enum):
    """Whether a device must be enrolled before going on."""

    NOT_NEEDED = "not needed"
    OFFERED = "offered"
    """It may be put off for now."""
    REQUIRED = "required"
    PASSKEY_REQUIRED = "passkey required"


@dataclass(frozen=True, slots=True)
class Demands:
    """What is demanded of a person, by their devices, their password and the settings, as of now."""

    methods: tuple[Method, ...] = ()
    """The factors that they may use; empty for somebody who has no device."""
    enrolment: Enrolment = Enrolment.NOT_NEEDED
    must_change_password: bool = False
    is_expired_for_good: bool = False
    """The password expired under HardExpiry."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a person has proved and done so far in this sign-in."""

    password: bool = False
    method: Method | None = None
    """The factor that was used."""
    put_off: bool = False
    """Enrolment was offered and put off."""


@dataclass(frozen=True, slots=True)
class PasswordStep:
    """Ask for the password."""


@dataclass(frozen=True, slots=True)
class FactorStep:
    """Ask for a second factor, one of these."""

    methods: tuple[Method, ...]


@dataclass(frozen=True, slots=True)
class EnrolStep:
    """Ask to enrol a device."""

    enrolment: Enrolment

    @property
    def may_be_put_off(self) -> bool:
        """Whether the person may go on without."""
        return self.enrolment is Enrolment.OFFERED

    @property
    def only_passkeys(self) -> bool:
        """Whether only a passkey or security key will do."""
        return self.enrolment is Enrolment.PASSKEY_REQUIRED


@dataclass(frozen=True, slots=True)
class ChangePasswordStep:
    """Ask for a new password."""


@dataclass(frozen=True, slots=True)
class ApprovalStep:
    """Ask the custodians of a sealed root, or wait for them."""

    why: str
    """What else is due before root can be used, as the catalogue of texts has it; empty where only their approval is missing."""
    until: datetime | None = None
    """When that is over, where it ends by itself."""


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """The person can't come in before an administrator has set a new password."""


@dataclass(frozen=True, slots=True)
class SignInComplete:
    """Everything demanded is proved: a session may be opened."""


Step = PasswordStep | FactorStep | EnrolStep | ChangePasswordStep | ApprovalStep | SignInRefused | SignInComplete


def advance(proofs: Proofs, demands: Demands) -> Step:
    """Return the next step: the first demand that is not met."""
    if not proofs.password:
        return PasswordStep()
    if demands.methods and proofs.method is None:
        return FactorStep(demands.methods)
    if demands.is_expired_for_good:
        return SignInRefused()
    if demands.enrolment is not Enrolment.NOT_NEEDED and not (demands.enrolment is Enrolment.OFFERED and proofs.put_off):
        return EnrolStep(demands.enrolment)
    if demands.must_change_password:
        return ChangePasswordStep()
    return SignInComplete()


def enrolment_of_root(
    methods: tuple[Method, ...], *, needs_passkey: bool, without_mfa_since: datetime | None, grace_days: int, now: datetime
) -> Enrolment:
    """Tell whether root must enrol: always without a device, once the days of grace are over."""
    if needs_passkey and Method.PASSKEY not in methods:
        wanted = Enrolment.PASSKEY_REQUIRED
    elif not methods:
        wanted = Enrolment.REQUIRED
    else:
        return Enrolment.NOT_NEEDED
    days = (now - without_mfa_since).days if without_mfa_since else 0
    return Enrolment.OFFERED if not methods and days < grace_days else wanted
