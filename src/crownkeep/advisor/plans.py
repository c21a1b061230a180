"""A plan: steps as plain values, each with its one call, its reverse, and what is read before it and after it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from crownkeep.advisor.evidence import moment, stamp

FORMAT = "crownkeep-lockdown/1"


class UnreadablePlan(ValueError):
    """A file is no plan, or one that was changed since it was signed; the text says which."""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call of the AWS API. A parameter `${0}` stands for what the first of the step's lookups finds."""

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lookup:
    """A call that reads, and the part of its answer that matters, as JMESPath."""

    call: PlannedCall
    pick: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a step reads and changes: what is there before it, and after it."""

    call: PlannedCall
    pick: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One change, done by one call, so that what was interrupted either happened or did not."""

    id: str
    check: str
    title: str
    danger: int
    """From 1, which nobody notices, to 4, which takes something away that somebody may need."""
    breaks: Sequence[str]
    call: PlannedCall
    undo: PlannedCall
    reading: Reading
    cli: str
    terraform: str = ""
    lookups: Sequence[Lookup] = ()

    @property
    def fingerprint(self) -> str:
        """The digest of what the step reads before it changes it."""
        return sha256(
            canonical({"call": asdict(self.reading.call), "pick": self.reading.pick, "before": self.reading.before})
        ).hexdigest()


@dataclass(frozen=True, slots=True)
class ForPeople:
    """What only a person can do or decide."""

    check: str
    resource: str
    what: str
    cli: str
    link: str


@dataclass(frozen=True, slots=True)
class LockdownPlan:
    """The steps from here to locked down, for one account."""

    account_id: str
    made_at: datetime
    steps: Sequence[PlanStep]
    people: Sequence[ForPeople]
    states: Mapping[str, str]
    """How each check came out, by `CHECK RESOURCE`: drift that no step is about is told by it."""


def canonical(value: object) -> bytes:
    """Write JSON in the one way that is signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def as_object(plan: LockdownPlan) -> dict[str, Any]:
    """Return a plan as JSON has it."""
    steps = [{**asdict(step), "fingerprint": step.fingerprint} for step in plan.steps]
    return {
        "format": FORMAT,
        "account_id": plan.account_id,
        "made_at": stamp(plan.made_at),
        "steps": steps,
        "people": [asdict(each) for each in plan.people],
        "states": dict(plan.states),
    }


def of(answer: Mapping[str, Any]) -> LockdownPlan:
    """Read a plan; raises UnreadablePlan."""
    try:
        if answer["format"] != FORMAT:
            raise UnreadablePlan(f"the plan is not of the format `{FORMAT}`")
        steps = [_step(each) for each in answer["steps"]]
        people = [ForPeople(**each) for each in answer["people"]]
        return LockdownPlan(str(answer["account_id"]), moment(answer["made_at"]), steps, people, dict(answer["states"]))
    except UnreadablePlan:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadablePlan("this is no plan that `crownkeep lockdown plan` has written") from error


def _step(answer: Mapping[str, Any]) -> PlanStep:
    members = {name: value for name, value in answer.items() if name != "fingerprint"}
    reading = members["reading"]
    members["call"], members["undo"] = PlannedCall(**members["call"]), PlannedCall(**members["undo"])
    members["reading"] = Reading(PlannedCall(**reading["call"]), reading["pick"], reading["before"], reading["after"])
    members["lookups"] = tuple(Lookup(PlannedCall(**each["call"]), each["pick"]) for each in members["lookups"])
    # A member that this version doesn't know is a TypeError: a step that is only half understood must not be taken.
    step = PlanStep(**members)
    if step.fingerprint != answer["fingerprint"]:
        raise UnreadablePlan(f"the fingerprint of step {step.id} is not that of what it reads")
    return step
