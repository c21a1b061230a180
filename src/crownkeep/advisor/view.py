"""Evidence as one check sees it: what it looks at is noted, and what is missing ends it with what it would take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from crownkeep.advisor.evidence import ApiAnswer, ApiQuestion, Evidence, Missing

Made = TypeVar("Made")


class CannotTell(Exception):
    """What a check would have to know is not in the evidence; the text says what it takes."""

    def __init__(self, text: str, missing: Missing | None = None) -> None:
        super().__init__(text)
        self.missing = missing


class DoesNotApply(Exception):
    """There is nothing here that the check is about; the text says why."""


class View:
    """Evidence in the eyes of one check."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.looked_at: dict[str, ApiAnswer] = {}

    @property
    def account_id(self) -> str:
        """The account."""
        return self._evidence.account_id

    @property
    def at(self) -> datetime:
        """When the evidence was gathered: what a check calls now."""
        return self._evidence.at

    def find(self, asked: ApiQuestion) -> Mapping[str, Any] | None:
        """Return an answer, None where AWS said that there is no such thing; raises CannotTell."""
        found = self._evidence.answers.get(asked.text)
        if found is None:
            raise CannotTell(f"{asked.action} was not asked for")
        if isinstance(found, Missing):
            raise CannotTell(found.reason, found)
        self.looked_at[asked.text] = found
        return found.value

    def get(self, asked: ApiQuestion) -> Mapping[str, Any]:
        """Return an answer that AWS always has; raises CannotTell."""
        found = self.find(asked)
        if found is None:
            raise CannotTell(f"{asked.action} found nothing")
        return found

    def answers(self, service: str, operation: str) -> list[tuple[ApiQuestion, Mapping[str, Any] | None]]:
        """Return all answers of one operation, whatever its parameters; raises CannotTell where one of them is missing."""
        asked = [each.question for each in self._evidence.answers.values()]
        return [(each, self.find(each)) for each in asked if (each.service, each.operation) == (service, operation)]

    def made(self, name: str, sources: tuple[ApiQuestion, ...], make: Callable[[], Made]) -> Made:
        """Return what is read out of these answers, worked out once for all checks; raises CannotTell."""
        for each in sources:
            self.find(each)
        return self._evidence.made(name, make)
