"""The journal beside a plan: what was begun and what was done, on disk around each call, so that a kill loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from crownkeep import clock, untrusted_json
from crownkeep.advisor import private_files
from crownkeep.advisor.evidence import stamp

BEGUN, DONE, FAILED, UNDONE = "begun", "done", "failed", "undone"


class Journal:
    """The lines about one plan, kept in a file that only grows."""

    def __init__(self, path: Path, plan_digest: str) -> None:
        self._path = path
        self.plan_digest = plan_digest

    def write(self, step_id: str, event: str, detail: str = "") -> None:
        """Write a line, durably; raises UnsafeFile."""
        # With the plan's digest: step 3 of another plan in the same place is another step.
        line = {"plan": self.plan_digest, "step": step_id, "event": event, "at": stamp(clock.now()), "detail": detail}
        private_files.append(self._path, json.dumps(line, sort_keys=True))

    def last(self) -> dict[str, str]:
        """Return the newest event of each step of this plan; what was written of another plan is another's."""
        return {line["step"]: line["event"] for line in self.lines() if line["plan"] == self.plan_digest}

    def stands(self, step_id: str) -> bool:
        """Tell whether a step was taken, or may have been, and not taken back."""
        return self.last().get(step_id) in (BEGUN, DONE)

    def lines(self) -> Iterator[dict[str, str]]:
        """Yield the lines; one that a kill cut off is left out."""
        yield from entries(private_files.read(self._path) or "")


def entries(text: str) -> Iterator[dict[str, str]]:
    """Yield the lines of a journal's text; one that a kill cut off is left out."""
    for line in text.splitlines():
        try:
            yield untrusted_json.read(line)
        except ValueError:
            continue
