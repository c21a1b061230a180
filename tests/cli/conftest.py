"""`crownkeep` run in this process, in a data directory of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crownkeep.cli.main import main


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, and what it said where."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return what it printed as JSON."""
        return json.loads(self.out)


class Terminal:
    """Somebody who types commands; `variables` are the environment, with nothing else of ours in it."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._runner = CliRunner(env={**variables})

    def __call__(self, *words: str, stdin: str | None = None) -> Ended:
        result = self._runner.invoke(main, list(words), input=stdin, prog_name="crownkeep")
        return Ended(result.exit_code, result.stdout, result.stderr)

    def raw(self, *words: str) -> bytes:
        """Return what a command printed, as bytes."""
        return self._runner.invoke(main, list(words), prog_name="crownkeep").stdout_bytes


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where the data directory is, or will be."""
    return tmp_path / "data"


@pytest.fixture
def crownkeep(data: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Run commands in this test's data directory: `crownkeep("account", "list")`."""
    monkeypatch.chdir(data.parent)
    return Terminal({"CROWNKEEP_DATA": str(data), "CROWNKEEP_ARGON2_MEMORY_KIB": "8", "CROWNKEEP_ARGON2_ITERATIONS": "1"})


@pytest.fixture
def made(crownkeep: Terminal) -> Callable[..., dict[str, Any]]:
    """Make an account and return what was told: `made("--admin-user", "admin")`."""
    count = iter(range(1, 1000))

    def make(*options: str) -> dict[str, Any]:
        email = () if "--email" in options else ("--email", f"root-{next(count)}@cli.example")
        name = () if "--name" in options else ("--name", "acme")
        ended = crownkeep("account", "create", *email, *name, *options, "--json")
        assert ended.code == 0, ended.err
        answer: dict[str, Any] = ended.json()
        return answer

    return make
