"""The picture of an account's recoverability: what leads into it, how strong each is, and whether anything stands alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

ROW, TOP = 64, 8
"""Of the drawing, in its own units."""


class PillarState(Enum):
    """How one of the things stands that lead into an account."""

    SINGLE = "single"
    """Every way needs it."""
    USED = "used"
    """Some ways need it."""
    ABSENT = "absent"
    """Nothing leads in by it."""


@dataclass(frozen=True, slots=True)
class Pillar:
    """One thing that leads into the account, or could."""

    name: str
    figure: str
    state: PillarState
    y: int
    """Where its row begins."""

    @property
    def middle(self) -> int:
        """The middle of its row."""
        return self.y + 26

    @property
    def words(self) -> str:
        """How it stands, in words."""
        if self.state is PillarState.SINGLE:
            return "single point of failure"
        return "leads in" if self.state is PillarState.USED else "leads nowhere"


@dataclass(frozen=True, slots=True)
class RecoverabilityPicture:
    """The whole drawing."""

    pillars: tuple[Pillar, ...]
    ways: int
    custodians: tuple[bool, ...]
    """Each custodian of the seal, and whether they could approve today."""

    @property
    def height(self) -> int:
        """The height of the drawing."""
        return TOP + ROW * len(self.pillars) + (56 if self.custodians else 0)

    @property
    def target(self) -> int:
        """Where the account's circle has its middle."""
        return TOP + ROW * len(self.pillars) // 2


def of(found: Mapping[str, Any]) -> RecoverabilityPicture:
    """Draw a report of `account-security:GetRecoverability`."""
    ways: Sequence[Mapping[str, Any]] = found.get("Ways", ())
    single, needed = list(found.get("SinglePoints", ())), [need for way in ways for need in way["Needs"]]
    pillars = []
    for number, (name, figure, begins) in enumerate(_things(found)):
        state = PillarState.ABSENT
        if any(each.startswith(begins) for each in single):
            state = PillarState.SINGLE
        elif any(each.startswith(begins) for each in needed):
            state = PillarState.USED
        pillars.append(Pillar(name, figure, state, TOP + ROW * number))
    custody = found.get("Custody", {})
    able = int(custody.get("Able", 0))
    return RecoverabilityPicture(tuple(pillars), len(ways), tuple(n < able for n in range(int(custody.get("Custodians", 0)))))


def _things(found: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield a name, a figure, and how needs begin that are of this kind."""
    mailbox, password = found["Mailbox"], found["Password"]
    yield "Mailbox", str(mailbox["Address"]), (f"the mailbox {mailbox['Address']}", f"the mail domain {mailbox['Domain']}")
    age = f"{password['AgeDays']} days old" if "AgeDays" in password else "set"
    yield "Password", age if password["IsSet"] else "none", ("root's password",)
    devices, codes = len(found.get("MfaDevices", ())), int(found.get("RecoveryCodes", 0))
    keys = f"{_counted(devices, 'MFA device')}, {_counted(codes, 'code')}"
    yield "Keys", keys, ("root's MFA device", "root's recovery")
    yield "Custody", _custody(found), _custody_begins(found)
    people = found.get("Administrators", ())
    bare = sum(each["Kind"] == "user" and not each["MfaDevices"] for each in people)
    yield "Administrators", f"{len(people)}, {bare} without MFA" if bare else str(len(people)), ("the user ", "the role ")
    yield "Operator", "confirms, or unseals after a delay" if "Custody" in found else "confirms recoveries", ("the operator",)


def _custody(found: Mapping[str, Any]) -> str:
    custody = found.get("Custody")
    if custody is None:
        return f"custodian {found['Custodian']}" if found.get("Custodian") else "no custodian"
    return f"{custody['ApprovalsNeeded']} of {custody['Able']} needed, {custody['MayBeMissing'] or 'none'} may be missing"


def _custody_begins(found: Mapping[str, Any]) -> tuple[str, ...]:
    custody = found.get("Custody")
    if custody is None:
        return ("the custodian ",)
    return (f"{custody['ApprovalsNeeded']} of the {custody['Able']} custodians",)


def _counted(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"
