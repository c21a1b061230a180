"""What a rule is: which records it is about, how bad that is, and who hears of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from crownkeep.alerts.filters import Filter

SPAN = timedelta(hours=1)
"""Within which repetitions are counted."""
MOST_MAILS = 500
"""Mails of their own that a critical rule has within SPAN: whoever floods an account must exhaust neither mailbox nor relay."""
FIRST_SUMMARY = timedelta(minutes=1)
"""After which a flood of a critical rule is summed up for the first time; each time it goes on, that takes twice as long."""


class AlertSeverity(Enum):
    """How bad it is."""

    CRITICAL = "critical"
    """Each time is a message of its own, at once, at any hour; by mail only until there are so many that they are a flood."""
    HIGH = "high"
    LOW = "low"


class ContactType(Enum):
    """Which alternate contact hears of it; root does where there is none."""

    SECURITY = "SECURITY"
    BILLING = "BILLING"
    OPERATIONS = "OPERATIONS"


class Whom(Enum):
    """Which account hears of it."""

    ITS_OWN = "its own"
    """The one that it was done in, or to."""
    MANAGEMENT = "management"
    """The one that manages the organization, whoever of the organization did it."""
    OPERATOR = "operator"
    """None: what concerns the whole server is told to the receivers that the operator has added."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, built in or added."""

    name: str
    severity: AlertSeverity
    contact_types: tuple[ContactType, ...]
    subject: str
    """One sentence without a full stop."""
    advice: str
    """What to do if it was not you."""
    pattern: str
    """Empty where no single record shows it, and code of ours finds it."""
    filter: Filter | None
    runbook: str = ""
    root_hears: bool = False
    """Whether root's own mailbox always hears of it."""
    is_protected: bool = False
    """Whether only the operator can switch it off."""
    whom: Whom = Whom.ITS_OWN
    is_built_in: bool = True

    @property
    def is_critical(self) -> bool:
        """Whether each time is a message of its own: nothing is ever held back from machines, and from people only a flood."""
        return self.severity is AlertSeverity.CRITICAL

    @property
    def most_single(self) -> int:
        """How many messages of its own there are within SPAN in an account; what follows is counted, and summed up."""
        return MOST_MAILS if self.is_critical else 1

    @property
    def first_summary_after(self) -> timedelta:
        """How long what is held back waits for its summary at first."""
        return FIRST_SUMMARY if self.is_critical else SPAN
