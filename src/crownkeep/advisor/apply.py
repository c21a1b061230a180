"""Applying a plan: one step after another, each only where it still fits, each verified, and stopped at the first surprise.

The order within a step is what makes it safe to kill:
1. read what the step is about: as after it, it holds already; other than before it, somebody else changed it and it is refused;
2. prove that a way in remains once it is done;
3. write down that it is begun; call; read again; write down that it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import jmespath
from botocore.exceptions import BotoCoreError, ClientError

from crownkeep import arn, clock
from crownkeep.advisor import journal as journals
from crownkeep.advisor import reader
from crownkeep.advisor.evidence import ApiAnswer, question
from crownkeep.advisor.journal import Journal
from crownkeep.advisor.plans import PlannedCall, PlanStep
from crownkeep.advisor.reader import Clients

_PATIENCE = 10


class UnexpectedState(Exception):
    """Something is not as the plan has it; nothing more is done. The text says what."""


class StepStanding(Enum):
    """How what a step is about stands."""

    BEFORE = "before"
    AFTER = "after"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of a step."""

    step: PlanStep
    what: str


Ready = Callable[[PlanStep], str | None]
"""Says why a step must not be taken, or None: the proof that a way in remains."""


class PlanExecutor:
    """What reads and changes an account for a plan."""

    def __init__(self, clients: Clients, journal: Journal, ready: Ready) -> None:
        self._clients = clients
        self._journal = journal
        self._ready = ready

    def standing(self, step: PlanStep) -> StepStanding:
        """Read how what a step is about stands; raises UnexpectedState where it can't be read."""
        # The plan is only a wish: what counts is how the account stands now.
        # What was wanted comes first: a step whose before and after are alike has nothing left to do.
        found = self._look(step.reading.call, step.reading.pick, step)
        if found == step.reading.after:
            return StepStanding.AFTER
        return StepStanding.BEFORE if found == step.reading.before else StepStanding.OTHER

    def apply(self, step: PlanStep) -> StepOutcome:
        """Take one step; raises UnexpectedState."""
        match self.standing(step):
            case StepStanding.AFTER:
                # The process was killed between the call and its note: the change is ours.
                if self._journal.last().get(step.id) == journals.BEGUN:
                    self._journal.write(step.id, journals.DONE, "it was done before the interruption")
                    return StepOutcome(step, "was done before the interruption")
                return StepOutcome(step, "holds already")
            case StepStanding.OTHER:
                raise UnexpectedState(f"what step {step.id} changes was changed since the plan was made: plan again")
            case StepStanding.BEFORE:
                pass
        # Asked right before the call, and not when the plan was made: somebody may have lost their way in since.
        reason = self._ready(step)
        if reason is not None:
            raise UnexpectedState(f"step {step.id} is not taken: {reason}")
        # On the disk before the call: after a crash, a step that is not begun has certainly not been done.
        self._journal.write(step.id, journals.BEGUN)
        self._do(step, step.call, refused=journals.FAILED)
        self._wait_for(step, StepStanding.AFTER)
        self._journal.write(step.id, journals.DONE)
        return StepOutcome(step, "done")

    def undo(self, step: PlanStep) -> StepOutcome:
        """Take one step back; raises UnexpectedState where it no longer holds."""
        match self.standing(step):
            case StepStanding.BEFORE:
                self._journal.write(step.id, journals.UNDONE, "it did not hold any more")
                return StepOutcome(step, "did not hold any more")
            case StepStanding.OTHER:
                raise UnexpectedState(f"what step {step.id} changed was changed by somebody since: it is left as it is")
            case StepStanding.AFTER:
                pass
        # A refused undo leaves the step as it was: done.
        self._do(step, step.undo, refused=journals.DONE)
        self._wait_for(step, StepStanding.BEFORE)
        self._journal.write(step.id, journals.UNDONE)
        return StepOutcome(step, "undone")

    def _do(self, step: PlanStep, call: PlannedCall, *, refused: str) -> None:
        """Make a step's call; `refused` is how the step stands where the call was refused, so that nothing happened.

        After any other fault, as a timeout, it may have happened: the step stays begun, and is read before anything else is done.
        """
        client = self._clients(call.service, arn.GLOBAL_REGION)
        try:
            reader.invoke(client, call.operation, self._filled(call, step))
        except (ClientError, BotoCoreError) as error:
            self._journal.write(step.id, refused if _is_refusal(error) else journals.BEGUN, str(error))
            raise UnexpectedState(f"step {step.id}: {call.service}:{call.operation} failed: {error}") from error

    def _wait_for(self, step: PlanStep, wanted: StepStanding) -> None:
        """Read until the change is seen everywhere: AWS shows some of its changes a moment later."""
        for _ in range(_PATIENCE):
            if self.standing(step) is wanted:
                return
            clock.sleep(1)
        self._journal.write(step.id, journals.BEGUN, "the call succeeded, and its effect is not seen")
        raise UnexpectedState(f"step {step.id}: the call succeeded, and its effect is not seen")

    def _look(self, call: PlannedCall, pick: str, step: PlanStep | None) -> Any:
        parameters = self._filled(call, step) if step is not None else call.parameters
        answer = reader.ask(self._clients, question(call.service, call.operation, **parameters))
        if not isinstance(answer, ApiAnswer):
            raise UnexpectedState(f"{call.service}:{call.operation} can't be read: {answer.reason}")
        return jmespath.search(pick, answer.value)

    def _filled(self, call: PlannedCall, step: PlanStep) -> Mapping[str, Any]:
        """Put what lookups find into a call's parameters."""
        if not any("${" in str(value) for value in call.parameters.values()):
            return call.parameters
        found = [self._look(each.call, each.pick, None) for each in step.lookups]
        names = {f"${{{number}}}": value for number, value in enumerate(found)}
        filled = {name: names.get(value, value) if isinstance(value, str) else value for name, value in call.parameters.items()}
        # A lookup that finds nothing must not become a call about nothing, which AWS may take for everything.
        if None in filled.values():
            raise UnexpectedState(f"step {step.id}: what it is about is not there")
        return filled


def _is_refusal(error: ClientError | BotoCoreError) -> bool:
    """Tell whether AWS said no, and not that it does not know itself."""
    return isinstance(error, ClientError) and 400 <= error.response["ResponseMetadata"].get("HTTPStatusCode", 0) < 500
