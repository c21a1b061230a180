"""The picture of an account's recoverability: what leads into it, how strong each is, and whether anything stands alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from crownkeep.translation import gettext, ngettext

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
            return gettext("single point of failure")
        return gettext("leads in") if self.state is PillarState.USED else gettext("leads nowhere")


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
    yield (
        gettext("Mailbox"),
        str(mailbox["Address"]),
        (
            f"the mailbox {mailbox['Address']}",
            f"the mail domain {mailbox['Domain']}",
        ),
    )
    yield gettext("Password"), _age(password), ("root's password",)
    yield (
        gettext("Keys"),
        f"{_devices(len(found.get('MfaDevices', ())))}, {_codes(int(found.get('RecoveryCodes', 0)))}",
        ("root's MFA device", "root's recovery"),
    )
    yield gettext("Custody"), _custody(found), _custody_begins(found)
    people = found.get("Administrators", ())
    bare = sum(each["Kind"] == "user" and not each["MfaDevices"] for each in people)
    yield (
        gettext("Administrators"),
        gettext("%(administrators)s, %(bare)s without MFA", administrators=len(people), bare=bare) if bare else str(len(people)),
        ("the user ", "the role "),
    )
    yield (
        gettext("Operator"),
        gettext("confirms, or unseals after a delay") if "Custody" in found else gettext("confirms recoveries"),
        ("the operator",),
    )


def _custody(found: Mapping[str, Any]) -> str:
    custody = found.get("Custody")
    if custody is None:
        return (
            gettext("custodian %(custodian)s", custodian=found["Custodian"])
            if found.get("Custodian")
            else gettext("no custodian")
        )
    needed, able, spare = custody["ApprovalsNeeded"], custody["Able"], custody["MayBeMissing"]
    if not spare:
        return gettext("%(needed)s of %(able)s needed, none may be missing", needed=needed, able=able)
    return gettext("%(needed)s of %(able)s needed, %(spare)s may be missing", needed=needed, able=able, spare=spare)


def _custody_begins(found: Mapping[str, Any]) -> tuple[str, ...]:
    custody = found.get("Custody")
    if custody is None:
        return ("the custodian ",)
    return (f"{custody['ApprovalsNeeded']} of the {custody['Able']} custodians",)


def _age(password: Mapping[str, Any]) -> str:
    if not password["IsSet"]:
        return gettext("none")
    if "AgeDays" not in password:
        return gettext("set")
    return ngettext("%(num)s day old", "%(num)s days old", password["AgeDays"])


def _devices(count: int) -> str:
    return ngettext("%(num)s MFA device", "%(num)s MFA devices", count) if count else gettext("no MFA devices")


def _codes(count: int) -> str:
    return ngettext("%(num)s code", "%(num)s codes", count) if count else gettext("no codes")
