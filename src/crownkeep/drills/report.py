"""What a drill tells: what was lost, each step that was taken, who had to act, whether it worked, and how long it took."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from crownkeep import clock
from crownkeep.errors import AwsError

Done = TypeVar("Done")


class DrillName(Enum):
    """The drills that there are."""

    LOST_MFA = "lost-mfa"
    LOST_MAILBOX = "lost-mailbox"
    LEAKED_ROOT_KEY = "leaked-root-key"
    ADMIN_LOCKED_OUT = "admin-locked-out"
    CUSTODIAN_GONE = "custodian-gone"


class WayClosed(Exception):
    """A step did not work, and the way back that it belongs to ends there."""


@dataclass(frozen=True, slots=True)
class DrillStep:
    """One step, as it went."""

    text: str
    by: str
    """Who had to act."""
    worked: bool
    seconds: float
    reason: str = ""
    """Why it did not work."""


@dataclass(slots=True)
class DrillReport:
    """What a drill came to so far."""

    name: DrillName
    account_id: str
    lost: str = ""
    steps: list[DrillStep] = field(default_factory=list)
    worked: bool = False
    seconds: float = 0.0
    remarks: list[str] = field(default_factory=list)
    """What was taken for granted, such as that somebody knows root's password."""

    async def step(self, text: str, by: str, work: Awaitable[Done]) -> Done:
        """Take one step and time it; raises WayClosed where it does not work."""
        began = clock.monotonic()
        try:
            done = await work
        except (AwsError, WayClosed) as refusal:
            reason = refusal.message if isinstance(refusal, AwsError) else str(refusal)
            self.steps.append(DrillStep(text, by, worked=False, seconds=clock.monotonic() - began, reason=reason))
            raise WayClosed(reason) from refusal
        self.steps.append(DrillStep(text, by, worked=True, seconds=clock.monotonic() - began))
        return done
