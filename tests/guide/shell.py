"""A reader at a terminal: pastes block after block, and types codes from an authenticator app when asked."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pyotp

_PATIENCE_SECONDS = 120


class Shell:
    """Runs blocks one after the other in one directory; what a block exports, the next one sees."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self.environment = environment
        self.typed: list[str] = []

    def run(self, commands: str) -> tuple[int, str]:
        """Run a block and return its exit code and all it printed."""
        exported = self.directory / "exported"
        script = f"set -euo pipefail\ntrap 'env -0 > {exported}' EXIT\n{commands}"
        answers = self._codes(commands.count("read -rp"))
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.directory,
            env=self.environment,
            input="".join(f"{code}\n" for code in answers),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        pairs = (entry.partition("=") for entry in exported.read_text().split("\0") if entry)
        self.environment = {name: value for name, _, value in pairs}
        return done.returncode, done.stdout

    def _codes(self, count: int) -> list[str]:
        """Return the codes that the app shows: the current one, or the one before it and the current one.

        A code is good once, so the reader waits for the next one where the current one has been typed already.
        """
        if count == 0:
            return []
        app = pyotp.TOTP((self.directory / "seed.txt").read_text().strip())
        if count == 1:
            while self.typed and app.now() == self.typed[-1]:
                time.sleep(0.5)
            self.typed.append(app.now())
            return [self.typed[-1]]
        now = int(time.time())
        return [app.at(now - 30), app.at(now)]
