"""The journal beside a plan: what was begun and what was done, on disk around each call, so that a kill loses nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from crownkeep import clock
from crownkeep.advisor.evidence import stamp

BEGUN, DONE, FAILED, UNDONE = "begun", "done", "failed", "undone"


class Journal:
    """The lines about one plan, kept in a file that only grows."""

    def __init__(self, path: Path, plan_digest: str) -> None:
        self._path = path
        self.plan_digest = plan_digest

    def write(self, step_id: str, event: str, detail: str = "") -> None:
        """Write a line, durably."""
        line = {"plan": self.plan_digest, "step": step_id, "event": event, "at": stamp(clock.now()), "detail": detail}
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            # A line that a kill cut off must not swallow this one.
            if file.tell() and not self._path.read_bytes().endswith(b"\n"):
                file.write("\n")
            file.write(json.dumps(line, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def last(self) -> dict[str, str]:
        """Return the newest event of each step of this plan; what was written of another plan is another's."""
        return {line["step"]: line["event"] for line in self.lines() if line["plan"] == self.plan_digest}

    def stands(self, step_id: str) -> bool:
        """Tell whether a step was taken, or may have been, and not taken back."""
        return self.last().get(step_id) in (BEGUN, DONE)

    def lines(self) -> Iterator[dict[str, str]]:
        """Yield the lines; one that a kill cut off is left out."""
        if not self._path.exists():
            return
        for text in self._path.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(text)
            except ValueError:
                continue
